package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probe runs the container's probes until its process ends: startup first, then liveness and readiness together.
func (p *pod) probe(c *container, ended <-chan struct{}) {
	if pr := c.spec.StartupProbe; pr != nil {
		p.probeLoop(c, pr, ended, true, func(bool) {})
	}
	select {
	case <-ended:
		return
	default:
	}
	p.locked(func() { c.started = true })
	if pr := c.spec.LivenessProbe; pr != nil {
		go p.probeLoop(c, pr, ended, false, func(ok bool) {
			// The first seconds are forgiven: starting processes look more often than a real kubelet would.
			if !ok && time.Since(c.begun) > 5*time.Second {
				log.Printf("%s: container %s fails its liveness probe and is killed", p.name(), c.spec.Name)
				p.signal(c, syscall.SIGKILL)
			}
		})
	}
	setReady := func(ok bool) {
		before := false
		p.locked(func() { before, c.ready = c.ready, ok })
		if before != ok {
			p.changed()
		}
	}
	if pr := c.spec.ReadinessProbe; pr != nil {
		p.probeLoop(c, pr, ended, false, setReady)
		return
	}
	setReady(true)
	p.changed()
}

// probeLoop tells `report` of each verdict that has reached its threshold. While a container is not ready it is
// asked ten times a second whatever its period says: the lab's start is made of such waits.
func (p *pod) probeLoop(c *container, pr *corev1.Probe, ended <-chan struct{}, untilSuccess bool, report func(bool)) {
	period := seconds(pr.PeriodSeconds, 10)
	wait := time.Duration(pr.InitialDelaySeconds) * time.Second
	if c.init || untilSuccess {
		wait = 0
	}
	successes, failures := int32(0), int32(0)
	for {
		select {
		case <-ended:
			return
		case <-time.After(wait):
		}
		if p.ask(c, pr) {
			successes, failures, wait = successes+1, 0, period
			if successes >= max(pr.SuccessThreshold, 1) {
				report(true)
				if untilSuccess {
					return
				}
			}
			continue
		}
		successes, failures, wait = 0, failures+1, period
		if failures >= max(pr.FailureThreshold, 1) {
			report(false)
		}
		ready := false
		p.locked(func() { ready = c.ready })
		if !ready && failures < 200 {
			wait = 100 * time.Millisecond
		}
	}
}

func (p *pod) ask(c *container, pr *corev1.Probe) bool {
	timeout := seconds(pr.TimeoutSeconds, 1)
	switch {
	case pr.HTTPGet != nil:
		return p.askHTTP(pr.HTTPGet, timeout)
	case pr.TCPSocket != nil:
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(orElse(pr.TCPSocket.Host, p.ip), p.portNumber(pr.TCPSocket.Port)), timeout)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	case pr.Exec != nil:
		ctx, cancel := context.WithTimeout(p.ctx, timeout)
		defer cancel()
		cmd, err := p.enter(ctx, c.spec.Name, pr.Exec.Command)
		return err == nil && cmd.Run() == nil
	}
	return true // gRPC probes are taken as passed: nothing in the lab has one
}

func (p *pod) askHTTP(g *corev1.HTTPGetAction, timeout time.Duration) bool {
	scheme := strings.ToLower(orElse(string(g.Scheme), "http"))
	req, err := http.NewRequest(http.MethodGet, scheme+"://"+net.JoinHostPort(orElse(g.Host, p.ip), p.portNumber(g.Port))+g.Path, nil)
	if err != nil {
		return false
	}
	for _, h := range g.HTTPHeaders {
		req.Header.Set(h.Name, h.Value)
	}
	req.Header.Set("User-Agent", "kube-probe/1.35")
	req.Close = true
	res, err := (&http.Client{Timeout: timeout}).Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode >= 200 && res.StatusCode < 400
}

func (p *pod) portNumber(v intstr.IntOrString) string {
	if v.Type == intstr.String {
		for _, c := range p.containers {
			for _, port := range c.spec.Ports {
				if port.Name == v.StrVal {
					return strconv.Itoa(int(port.ContainerPort))
				}
			}
		}
		return v.StrVal
	}
	return strconv.Itoa(v.IntValue())
}

func seconds(n, otherwise int32) time.Duration {
	if n == 0 {
		n = otherwise
	}
	return time.Duration(n) * time.Second
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
