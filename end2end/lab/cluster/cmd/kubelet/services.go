package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os/exec"
	"sort"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Services without kube-proxy: every pod's own network namespace gets the DNAT rules, in a chain that stands behind
// Istio's in OUTPUT (before it, traffic would go round the sidecar).
const servicesChain = "NARU-SERVICES"

func (n *node) watchServices(ctx context.Context) error {
	f := informers.NewSharedInformerFactory(n.api, 0)
	n.services, n.slices = f.Core().V1().Services().Informer(), f.Discovery().V1().EndpointSlices().Informer()
	changed := make(chan struct{}, 1)
	kick := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, i := range []cache.SharedIndexInformer{n.services, n.slices} {
		if _, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { kick() },
			UpdateFunc: func(any, any) { kick() },
			DeleteFunc: func(any) { kick() },
		}); err != nil {
			return err
		}
	}
	f.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	go func() {
		for range changed {
			time.Sleep(20 * time.Millisecond) // a rollout changes several objects at once
			rules := n.serviceRules()
			for _, p := range n.allPods() {
				networked := false
				p.locked(func() { networked = p.networked })
				if networked {
					p.writeRules(rules)
				}
			}
		}
	}()
	return nil
}

// serviceRules is the whole chain in iptables-restore's language, for all services.
func (n *node) serviceRules() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*nat\n:%s - [0:0]\n", servicesChain)
	for _, o := range n.services.GetStore().List() {
		svc := o.(*corev1.Service)
		if svc.Spec.ClusterIP == corev1.ClusterIPNone || svc.Spec.ClusterIP == "" {
			continue
		}
		for _, port := range svc.Spec.Ports {
			protocol := strings.ToLower(string(port.Protocol))
			match := fmt.Sprintf("-A %s -d %s/32 -p %s -m %s --dport %d", servicesChain, svc.Spec.ClusterIP, protocol, protocol, port.Port)
			endpoints := n.endpoints(svc, port.Name)
			for i, to := range endpoints {
				// Each rule takes its share of what the rules before it left: 1/n, 1/(n-1), ..., all.
				share := ""
				if left := len(endpoints) - i; left > 1 {
					share = fmt.Sprintf(" -m statistic --mode random --probability %.8f", 1/float64(left))
				}
				fmt.Fprintf(&b, "%s%s -j DNAT --to-destination %s\n", match, share, to)
			}
		}
	}
	b.WriteString("COMMIT\n")
	return b.Bytes()
}

func (n *node) endpoints(svc *corev1.Service, portName string) []string {
	var to []string
	for _, s := range n.slicesOf(svc) {
		for _, port := range s.Ports {
			if port.Port == nil || port.Name != nil && *port.Name != portName {
				continue
			}
			for _, e := range s.Endpoints {
				if isReady(e) {
					to = append(to, fmt.Sprintf("%s:%d", e.Addresses[0], *port.Port))
				}
			}
		}
	}
	sort.Strings(to)
	return to
}

func (n *node) slicesOf(svc *corev1.Service) (of []*discoveryv1.EndpointSlice) {
	for _, o := range n.slices.GetStore().List() {
		s := o.(*discoveryv1.EndpointSlice)
		if s.Namespace == svc.Namespace && s.Labels[discoveryv1.LabelServiceName] == svc.Name {
			of = append(of, s)
		}
	}
	return of
}

func isReady(e discoveryv1.Endpoint) bool { return e.Conditions.Ready == nil || *e.Conditions.Ready }

func (p *pod) writeRules(rules []byte) {
	cmd := exec.Command("ip", "netns", "exec", p.netns, "iptables-restore", "--noflush", "-w", "5")
	cmd.Stdin = bytes.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil && p.ctx.Err() == nil {
		log.Printf("%s: service rules: %v: %s", p.name(), err, out)
	}
}

// hookServices moves the services' chain to the end of OUTPUT.
func (p *pod) hookServices() {
	p.writeRules(p.node.serviceRules())
	in := "ip netns exec " + p.netns + " iptables -w 5 -t nat "
	_ = command(in + "-D OUTPUT -j " + servicesChain)
	if err := command(in + "-A OUTPUT -j " + servicesChain); err != nil && p.ctx.Err() == nil {
		log.Printf("%s: %v", p.name(), err)
	}
}
