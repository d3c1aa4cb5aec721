package main

import (
	"context"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// watchPods follows the pods that the scheduler bound to this node.
func (n *node) watchPods(ctx context.Context) error {
	old, err := n.api.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + n.node})
	if err != nil {
		return fmt.Errorf("listing the node's pods: %w", err)
	}
	// Pods from an earlier run keep their address: a pod's podIPs cannot be replaced in its status.
	for _, p := range old.Items {
		n.addresses[p.Status.PodIP] = true
	}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(n.api.CoreV1().RESTClient(), "pods", "", fields.OneTermEqualSelector("spec.nodeName", n.node)),
		ObjectType:    &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { n.seen(o.(*corev1.Pod)) },
			UpdateFunc: func(_, o any) { n.seen(o.(*corev1.Pod)) },
			DeleteFunc: func(o any) {
				if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
					o = d.Obj
				}
				if p, ok := o.(*corev1.Pod); ok {
					n.gone(p.UID)
				}
			},
		},
	})
	go informer.Run(ctx.Done())
	return nil
}

func (n *node) seen(o *corev1.Pod) {
	n.mu.Lock()
	p := n.pods[o.UID]
	fresh := p == nil
	if fresh {
		if o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed {
			n.mu.Unlock()
			return
		}
		p = n.newPod(o)
		n.pods[o.UID] = p
	}
	n.mu.Unlock()
	p.setObject(o)
	switch {
	case o.DeletionTimestamp != nil:
		grace := int64(30)
		if o.DeletionGracePeriodSeconds != nil {
			grace = *o.DeletionGracePeriodSeconds
		}
		p.stop(time.Duration(grace) * time.Second)
	case fresh:
		go p.run()
	}
}

// gone handles a pod that was deleted by force: its object is no more, its processes still are.
func (n *node) gone(uid types.UID) {
	n.mu.Lock()
	p := n.pods[uid]
	delete(n.pods, uid)
	n.mu.Unlock()
	if p != nil {
		p.stop(0)
	}
}

func (n *node) cancelPods() {
	for _, p := range n.allPods() {
		p.cancel()
	}
}

func (n *node) allPods() []*pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]*pod, 0, len(n.pods))
	for _, p := range n.pods {
		all = append(all, p)
	}
	return all
}

func (n *node) podNamed(namespace, name string) (*pod, error) {
	for _, p := range n.allPods() {
		if o := p.object(); o.Namespace == namespace && o.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no pod %s/%s on this node", namespace, name)
}

// takeAddress gives the next free address of the subnet. The caller holds n.mu. Addresses move on instead of being
// given again at once: a late packet or scrape must not reach somebody else's pod.
func (n *node) takeAddress() string {
	net4 := n.subnet.IP.To4()
	for {
		n.lastHost = (n.lastHost + 1) & 0xffff
		low := byte(n.lastHost)
		if low == 0 || low == 255 || n.lastHost <= 10 {
			continue
		}
		a := net.IPv4(net4[0], net4[1], byte(n.lastHost>>8), low).String()
		if !n.addresses[a] {
			n.addresses[a] = true
			return a
		}
	}
}
