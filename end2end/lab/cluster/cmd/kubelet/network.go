package main

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func command(words string) error {
	f := strings.Fields(words)
	if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", words, err, out)
	}
	return nil
}

func makeBridge(name, address string) error {
	for _, c := range []string{
		"ip link add " + name + " type bridge",
		"ip addr add " + address + " dev " + name,
		"ip link set " + name + " up",
	} {
		if err := command(c); err != nil {
			return err
		}
	}
	return nil
}

// removeLeftovers ends every process in the network namespaces marked with the bridge's name, then removes the
// namespaces and the bridge. It is the last act of a kubelet and the first of the next, in case it was killed.
func removeLeftovers(bridge string) {
	out, _ := exec.Command("ip", "netns", "list").Output()
	for line := range strings.Lines(string(out)) {
		netns, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(netns, bridge+"-") {
			continue
		}
		pids, _ := exec.Command("ip", "netns", "pids", netns).Output()
		for _, s := range strings.Fields(string(pids)) {
			if pid, err := strconv.Atoi(s); err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		removeNetns(netns)
	}
	_ = exec.Command("ip", "link", "del", bridge).Run()
}

func removeNetns(netns string) {
	_ = exec.Command("ip", "link", "del", vethOf(netns)).Run()
	_ = exec.Command("ip", "netns", "del", netns).Run()
}

// vethOf is the host's end of the pair. An interface name has at most 15 letters.
func vethOf(netns string) string {
	_, id, _ := strings.Cut(netns, "-")
	return "veth" + id
}

// makeNetwork gives the pod its namespace, with the bridge as its only way out.
func (p *pod) makeNetwork() error {
	p.removeNetwork()
	host, inside := vethOf(p.netns), "in"+strings.TrimPrefix(vethOf(p.netns), "veth")
	in := "ip -n " + p.netns + " "
	for _, c := range []string{
		"ip netns add " + p.netns,
		"ip link add " + host + " type veth peer name " + inside + " netns " + p.netns,
		"ip link set " + host + " master " + p.node.bridge + " up",
		in + "link set " + inside + " name eth0",
		in + "addr add " + p.ip + "/" + strconv.Itoa(prefixLength(p.node.subnet)) + " dev eth0",
		in + "link set lo up",
		in + "link set eth0 up",
		in + "route add default via " + p.node.hostIP.String(),
		// What is still addressed to a Service after translation has no endpoints. Refused at once, as a node's proxy
		// does, the caller tries again; dropped, it would wait many seconds for an answer.
		"ip netns exec " + p.netns + " iptables -w 5 -A OUTPUT -d " + p.node.serviceCIDR + " -j REJECT",
	} {
		if err := command(c); err != nil {
			return err
		}
	}
	return nil
}

func (p *pod) removeNetwork() { removeNetns(p.netns) }

// openHostPorts makes a container's hostPort reachable on the host: the lab's front door. A real node would write
// DNAT rules; this forwards in user space, because nothing of the lab is written into the host's tables.
func (p *pod) openHostPorts() {
	for _, c := range p.containers {
		for _, port := range c.spec.Ports {
			if port.HostPort == 0 {
				continue
			}
			l, err := net.Listen("tcp", net.JoinHostPort(orElse(port.HostIP, "127.0.0.1"), strconv.Itoa(int(port.HostPort))))
			if err != nil {
				p.fail(fmt.Errorf("hostPort: %w", err))
				return
			}
			go func() { <-p.ctx.Done(); l.Close() }()
			go func() { _ = forward(l, net.JoinHostPort(p.ip, strconv.Itoa(int(port.ContainerPort)))) }()
		}
	}
}

// forwardAPI makes the API server, which listens on the host's loopback, reachable from the pods at the bridge.
func (n *node) forwardAPI() error {
	_, port, err := net.SplitHostPort(n.apiHost)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(n.hostIP.String(), port))
	if err != nil {
		return fmt.Errorf("making the API reachable from pods: %w", err)
	}
	return forward(l, n.apiHost)
}

func forward(l net.Listener, to string) error {
	for {
		from, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer from.Close()
			target, err := net.Dial("tcp", to)
			if err != nil {
				return // the caller sees a closed connection, as it would from the target itself
			}
			defer target.Close()
			go func() { _, _ = io.Copy(target, from); _ = target.(*net.TCPConn).CloseWrite() }()
			_, _ = io.Copy(from, target)
		}()
	}
}
