package main

import (
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// runOnce runs the container's process until it ends, and returns its exit code (-1: it never started).
func (p *pod) runOnce(c *container) int {
	cmd, err := p.command(c)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		log.Printf("%s: container %s: %v", p.name(), c.spec.Name, err)
		p.recordEnd(c, -1, "StartError", err.Error())
		return -1
	}
	ended := make(chan struct{})
	p.locked(func() {
		c.pid, c.begun, c.ended = cmd.Process.Pid, time.Now(), ended
		c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	})
	p.changed()
	go p.probe(c, ended)
	_ = cmd.Wait() // the exit code below says all
	if f, ok := cmd.Stdout.(*os.File); ok {
		f.Close()
	}
	close(ended)
	code, reason := exitCode(cmd.ProcessState), "Completed"
	if code != 0 {
		reason = "Error"
	}
	p.recordEnd(c, code, reason, "")
	return code
}

func (p *pod) recordEnd(c *container, code int, reason, message string) {
	p.locked(func() {
		c.pid, c.ready, c.started = 0, false, c.init && !c.sidecar
		c.state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: int32(code), Reason: reason, Message: message,
			StartedAt: metav1.NewTime(c.begun), FinishedAt: metav1.Now()}}
		c.last = c.state
	})
	p.changed()
}

// command is the process that turns itself into the container: this program again, inside the pod's network
// namespace and in new mount, pid, uts and ipc namespaces.
func (p *pod) command(c *container) (*exec.Cmd, error) {
	spec, err := p.boxOf(c)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	specPath := filepath.Join(p.dir, c.spec.Name+".json")
	if err := writeFile(specPath, b); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(p.logPath(c.spec.Name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("ip", "netns", "exec", p.netns, self, "container", specPath)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true,
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
	return cmd, nil
}

func (p *pod) logPath(container string) string { return filepath.Join(p.dir, container+".log") }

// exitCode follows the shells' convention: 128 plus the signal for a process that was killed.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// writeFile replaces a file in one step, so that a reader never sees half of it.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".next"
	if err := os.WriteFile(next, b, 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}
