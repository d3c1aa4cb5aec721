package main

import (
	"context"
	"log"
	"os"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// stop ends the pod once, however often it is asked to.
func (p *pod) stop(grace time.Duration) {
	p.stopOnce.Do(func() { go p.terminate(grace) })
}

// terminate keeps the order of the real kubelet, on which draining rests: the app's containers together first, each
// after its preStop hook; then the sidecars, last started first, so that the proxy outlives the app.
func (p *pod) terminate(grace time.Duration) {
	p.locked(func() { p.stopping = true })
	p.changed()
	deadline := time.Now().Add(grace)
	var apps sync.WaitGroup
	for _, c := range p.containers {
		if !c.init {
			apps.Go(func() { p.stopContainer(c, grace, deadline) })
		}
	}
	apps.Wait()
	for i := len(p.containers) - 1; i >= 0; i-- {
		if p.containers[i].init {
			p.stopContainer(p.containers[i], grace, deadline)
		}
	}
	p.cancel()
	p.removeNetwork()
	p.forget()
}

func (p *pod) stopContainer(c *container, grace time.Duration, deadline time.Time) {
	pid, ended := 0, (chan struct{})(nil)
	p.locked(func() { pid, ended = c.pid, c.ended })
	if pid == 0 {
		return
	}
	if l := c.spec.Lifecycle; l != nil && l.PreStop != nil && grace > 0 {
		p.preStop(c, l.PreStop, grace)
	}
	p.signal(c, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(max(time.Until(deadline), 0)):
		p.signal(c, syscall.SIGKILL)
		<-ended
	}
}

func (p *pod) preStop(c *container, hook *corev1.LifecycleHandler, grace time.Duration) {
	if hook.Sleep != nil {
		time.Sleep(min(time.Duration(hook.Sleep.Seconds)*time.Second, grace))
		return
	}
	if hook.Exec == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	cmd, err := p.enter(ctx, c.spec.Name, hook.Exec.Command)
	if err == nil {
		err = cmd.Run()
	}
	if err != nil {
		log.Printf("%s: preStop of container %s: %v", p.name(), c.spec.Name, err)
	}
}

// forget tells the API that the pod is gone, and gives back what it held.
func (p *pod) forget() {
	o := p.object()
	err := p.node.api.CoreV1().Pods(o.Namespace).Delete(context.Background(), o.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To(int64(0)), Preconditions: &metav1.Preconditions{UID: &o.UID}})
	log.Printf("%s is gone (%v)", p.name(), err)
	_ = os.RemoveAll(p.dir)
	p.node.mu.Lock()
	delete(p.node.addresses, p.ip)
	delete(p.node.pods, o.UID)
	p.node.mu.Unlock()
	p.node.writeTargets()
}
