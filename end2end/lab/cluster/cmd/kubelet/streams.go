package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"
	protocols "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/tools/remotecommand"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	execstream "k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// serveStreams is the part of a kubelet's API that `kubectl logs`, `exec` and `port-forward` need (and with them
// istioctl). Only clients with a certificate of the cluster's CA are served: the API server.
func (n *node) serveStreams() error {
	cert, key, err := certutil.GenerateSelfSignedCertKey(n.node, []net.IP{n.hostIP}, nil)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(n.caBundle)
	mux := http.NewServeMux()
	mux.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", n.serveLogs)
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", n.serveExec)
	mux.HandleFunc("/portForward/{namespace}/{pod}", n.servePortForward)
	s := &http.Server{Addr: net.JoinHostPort(n.hostIP.String(), strconv.Itoa(streamPort)), Handler: mux,
		// The streaming protocols upgrade the connection, which HTTP/2 cannot.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients,
			ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"http/1.1"}}}
	return fmt.Errorf("the kubelet's own API: %w", s.ListenAndServeTLS("", ""))
}

func (n *node) serveExec(w http.ResponseWriter, r *http.Request) {
	opts, err := execstream.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p, err := n.podNamed(r.PathValue("namespace"), r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	execstream.ServeExec(w, r, executor{p}, p.name(), "", r.PathValue("container"), r.URL.Query()["command"], opts,
		4*time.Hour, 30*time.Second, protocols.SupportedStreamingProtocols)
}

func (n *node) servePortForward(w http.ResponseWriter, r *http.Request) {
	opts, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p, err := n.podNamed(r.PathValue("namespace"), r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	portforward.ServePortForward(w, r, executor{p}, p.name(), "", opts, 4*time.Hour, 30*time.Second, portforward.SupportedProtocols)
}

// executor carries out one pod's streams for the kubelet's library.
type executor struct{ *pod }

// enter is a command inside a running container, as the container's user.
func (p *pod) enter(ctx context.Context, containerName string, argv []string) (*exec.Cmd, error) {
	pid := 0
	p.locked(func() {
		for _, c := range p.containers {
			if c.spec.Name == containerName {
				pid = c.pid
			}
		}
	})
	if pid == 0 {
		return nil, fmt.Errorf("container %s of %s is not running", containerName, p.name())
	}
	var st syscall.Stat_t
	if err := syscall.Stat("/proc/"+strconv.Itoa(pid), &st); err != nil {
		return nil, err
	}
	uid := strconv.Itoa(int(st.Uid))
	return exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(pid), "-m", "-n", "-p", "-u", "-i", "-r", "-w", "--",
		"setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"}, argv...)...), nil
}

// ExecInContainer has no terminal: -t is not supported.
func (e executor) ExecInContainer(ctx context.Context, _ string, _ types.UID, containerName string, argv []string, in io.Reader,
	out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	cmd, err := e.enter(ctx, containerName, argv)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = out, errOut
	if errOut == nil {
		cmd.Stderr = out
	}
	if in != nil {
		// A pipe of our own: with cmd.Stdin, Run would wait for the client to close its side.
		pipe, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		go func() { _, _ = io.Copy(pipe, in); pipe.Close() }()
	}
	err = cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		return utilexec.CodeExitError{Err: exit, Code: exit.ExitCode()}
	}
	return err
}

// PortForward joins the stream to a port on loopback inside the pod.
func (e executor) PortForward(_ context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	conn, err := dialInside(e.netns, int(port))
	if err != nil {
		return err
	}
	defer conn.Close()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(conn, stream); _ = conn.CloseWrite(); done <- struct{}{} }()
	go func() { _, _ = io.Copy(stream, conn); done <- struct{}{} }()
	<-done
	select {
	case <-done:
	case <-time.After(2 * time.Second): // the other side may never close
	}
	return nil
}

func dialInside(netns string, port int) (*net.TCPConn, error) {
	type result struct {
		conn *net.TCPConn
		err  error
	}
	dialled := make(chan result)
	go func() {
		// The thread is never unlocked, so it ends with this goroutine instead of carrying the namespace elsewhere.
		runtime.LockOSThread()
		f, err := os.Open("/run/netns/" + netns)
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			f.Close()
		}
		var conn *net.TCPConn
		if err == nil {
			conn, err = net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		}
		dialled <- result{conn, err}
	}()
	r := <-dialled
	return r.conn, r.err
}
