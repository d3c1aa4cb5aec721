package main

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pod is one pod's worker. Fields below mu are guarded by it.
type pod struct {
	node       *node
	ip, netns  string
	dir        string
	containers []*container // init containers first, in the order of the spec
	begun      metav1.Time

	ctx      context.Context
	cancel   context.CancelFunc
	stopOnce sync.Once
	dirty    chan struct{} // something in the status has changed

	mu         sync.Mutex
	obj        *corev1.Pod
	stopping   bool
	networked  bool
	failure    string
	conditions map[corev1.PodConditionType]corev1.PodCondition
}

// container is one container of a pod. Fields below spec are guarded by the pod's mu.
type container struct {
	spec    corev1.Container
	init    bool
	sidecar bool // an init container with restartPolicy Always

	state, last    corev1.ContainerState
	started, ready bool
	restarts       int32
	pid            int
	begun          time.Time
	ended          chan struct{} // closed when the current process has ended
}

// The caller holds n.mu.
func (n *node) newPod(o *corev1.Pod) *pod {
	ip := o.Status.PodIP
	if ip == "" {
		ip = n.takeAddress()
	}
	p := &pod{
		node: n, obj: o, ip: ip, begun: metav1.Now(),
		netns: n.bridge + "-" + strings.ReplaceAll(string(o.UID), "-", "")[:8],
		dir:   filepath.Join(n.dir, o.Namespace+"_"+o.Name),
		dirty: make(chan struct{}, 1), conditions: map[corev1.PodConditionType]corev1.PodCondition{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for _, c := range o.Spec.InitContainers {
		always := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		p.containers = append(p.containers, &container{spec: c, init: true, sidecar: always})
	}
	for _, c := range o.Spec.Containers {
		p.containers = append(p.containers, &container{spec: c})
	}
	for _, c := range p.containers {
		c.state.Waiting = &corev1.ContainerStateWaiting{Reason: "PodInitializing"}
	}
	return p
}

// run brings the pod up: network, volumes, init containers one after the other, then the rest together.
func (p *pod) run() {
	go p.writeStatusOnChange()
	if err := p.makeNetwork(); err != nil {
		p.fail(fmt.Errorf("network: %w", err))
		return
	}
	p.hookServices()
	p.locked(func() { p.networked = true })
	p.changed()
	if err := p.fillVolumes(); err != nil {
		p.fail(err)
		return
	}
	go p.refreshVolumes()
	for _, c := range p.containers {
		if !c.init || p.ctx.Err() != nil {
			continue
		}
		if c.sidecar {
			go p.supervise(c)
			p.waitStarted(c)
			continue
		}
		for p.ctx.Err() == nil && p.runOnce(c) != 0 {
			p.locked(func() { c.restarts++ })
			p.pause(time.Second)
		}
		// Init containers such as istio-init write their own chains; the services' chain must stay behind them.
		p.hookServices()
	}
	p.openHostPorts()
	for _, c := range p.containers {
		if !c.init {
			go p.supervise(c)
		}
	}
}

// supervise runs the container again whenever it ends, as its restart policy says, with growing pauses.
func (p *pod) supervise(c *container) {
	backoff := time.Second
	for p.ctx.Err() == nil && !p.isStopping() {
		began := time.Now()
		code := p.runOnce(c)
		policy := p.object().Spec.RestartPolicy
		if !c.sidecar && (policy == corev1.RestartPolicyNever || policy == corev1.RestartPolicyOnFailure && code == 0) {
			return
		}
		if time.Since(began) > 30*time.Second {
			backoff = time.Second
		}
		p.pause(backoff)
		backoff = min(backoff*2, 30*time.Second)
		p.locked(func() { c.restarts++ })
	}
}

func (p *pod) waitStarted(c *container) {
	for p.ctx.Err() == nil {
		started := false
		p.locked(func() { started = c.started })
		if started {
			return
		}
		p.pause(20 * time.Millisecond)
	}
}

func (p *pod) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-p.ctx.Done():
	}
}

func (p *pod) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *pod) object() (o *corev1.Pod) { p.locked(func() { o = p.obj }); return }

func (p *pod) setObject(o *corev1.Pod) { p.locked(func() { p.obj = o }) }

func (p *pod) isStopping() (yes bool) { p.locked(func() { yes = p.stopping }); return }

func (p *pod) name() string { o := p.object(); return o.Namespace + "/" + o.Name }

func (p *pod) signal(c *container, s syscall.Signal) {
	p.locked(func() {
		if c.pid > 0 {
			_ = syscall.Kill(c.pid, s)
		}
	})
}

// fail is for what keeps a pod from starting at all; it shows as the pod's message.
func (p *pod) fail(err error) {
	log.Printf("%s does not start: %v", p.name(), err)
	p.locked(func() { p.failure = err.Error() })
	p.changed()
}
