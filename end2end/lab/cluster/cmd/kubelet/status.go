package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// changed says that the status may differ from what the API was told.
func (p *pod) changed() {
	p.node.writeTargets()
	select {
	case p.dirty <- struct{}{}:
	default: // a write is due already
	}
}

func (p *pod) writeStatusOnChange() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.dirty:
		}
		for p.ctx.Err() == nil {
			err := p.writeStatus()
			if err == nil {
				break
			}
			if errors.IsNotFound(err) {
				return
			}
			log.Printf("%s: writing its status: %v", p.name(), err)
			p.pause(300 * time.Millisecond)
		}
	}
}

func (p *pod) writeStatus() error {
	var o *corev1.Pod
	var st corev1.PodStatus
	p.locked(func() { o, st = p.obj, p.status() })
	// The uid guards against a namesake: a StatefulSet's next pod has the same name.
	b, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": o.UID}, "status": st})
	if err != nil {
		return err
	}
	_, err = p.node.api.CoreV1().Pods(o.Namespace).Patch(context.Background(), o.Name,
		"application/strategic-merge-patch+json", b, metav1.PatchOptions{}, "status")
	return err
}

// status is built whole each time. The caller holds p.mu.
func (p *pod) status() corev1.PodStatus {
	host := p.node.hostIP.String()
	st := corev1.PodStatus{Phase: corev1.PodPending, HostIP: host, HostIPs: []corev1.HostIP{{IP: host}},
		PodIP: p.ip, PodIPs: []corev1.PodIP{{IP: p.ip}}, StartTime: &p.begun, Message: p.failure}
	running, initialized, ready := 0, true, true
	apps, ended, failed := 0, 0, 0
	for _, c := range p.containers {
		s := c.status()
		if c.pid > 0 {
			running++
		}
		switch {
		case c.sidecar:
			initialized, ready = initialized && c.started, ready && c.ready
			st.InitContainerStatuses = append(st.InitContainerStatuses, s)
		case c.init:
			initialized = initialized && s.Ready
			st.InitContainerStatuses = append(st.InitContainerStatuses, s)
		default:
			apps++
			ready = ready && c.ready
			if c.state.Terminated != nil && p.obj.Spec.RestartPolicy != corev1.RestartPolicyAlways {
				ended++
				if c.state.Terminated.ExitCode != 0 {
					failed++
				}
			}
			st.ContainerStatuses = append(st.ContainerStatuses, s)
		}
	}
	switch {
	case ended == apps && failed > 0:
		st.Phase, ready = corev1.PodFailed, false
	case ended == apps:
		st.Phase, ready = corev1.PodSucceeded, false
	case initialized && running > 0:
		st.Phase = corev1.PodRunning
	}
	ready = ready && initialized && !p.stopping
	st.Conditions = []corev1.PodCondition{
		p.condition(corev1.PodScheduled, true),
		p.condition(corev1.PodReadyToStartContainers, p.networked),
		p.condition(corev1.PodInitialized, initialized),
		p.condition(corev1.ContainersReady, ready),
		p.condition(corev1.PodReady, ready),
	}
	return st
}

func (c *container) status() corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: c.spec.Name, Image: c.spec.Image, ImageID: "process://" + c.spec.Image,
		State: c.state, LastTerminationState: c.last, Ready: c.ready, RestartCount: c.restarts, Started: ptr.To(c.started)}
	if c.pid > 0 {
		s.ContainerID = fmt.Sprintf("process://%d", c.pid)
	}
	if c.init && !c.sidecar {
		s.Ready = c.state.Terminated != nil && c.state.Terminated.ExitCode == 0
	}
	return s
}

// condition keeps the time of the last change: "ready for ten minutes" is read from it. The caller holds p.mu.
func (p *pod) condition(kind corev1.PodConditionType, holds bool) corev1.PodCondition {
	status := corev1.ConditionFalse
	if holds {
		status = corev1.ConditionTrue
	}
	c, known := p.conditions[kind]
	if !known || c.Status != status {
		c = corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: metav1.Now()}
		p.conditions[kind] = c
	}
	return c
}
