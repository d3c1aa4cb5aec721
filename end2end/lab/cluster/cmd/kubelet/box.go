package main

import (
	"fmt"
	"path/filepath"
	"sort"

	corev1 "k8s.io/api/core/v1"
)

// box is what the child process needs to know to turn itself into a container.
type box struct {
	Argv, Env []string
	Mounts    []mount
	UID, GID  int
	Hostname  string
	Dir       string
	Resolver  string
}

type mount struct{ From, To string }

func (p *pod) boxOf(c *container) (*box, error) {
	img, err := p.node.image(c.spec.Image)
	if err != nil {
		return nil, err
	}
	env, err := p.environment(c.spec, img)
	if err != nil {
		return nil, err
	}
	o := p.object()
	b := &box{
		Env: env.list(), Hostname: o.Name, Dir: c.spec.WorkingDir,
		Resolver: fmt.Sprintf("search %s.svc.cluster.local svc.cluster.local cluster.local\nnameserver %s\noptions ndots:5\n", o.Namespace, p.node.hostIP),
	}
	words := append(append([]string{}, c.spec.Command...), c.spec.Args...)
	if len(c.spec.Command) == 0 {
		words = append(append([]string{}, img.Command...), c.spec.Args...)
	}
	for _, w := range words {
		b.Argv = append(b.Argv, env.expand(w))
	}
	b.UID, b.GID = userOf(o.Spec.SecurityContext, c.spec.SecurityContext, img)
	for from, to := range img.Mounts {
		b.Mounts = append(b.Mounts, mount{from, to})
	}
	for _, m := range c.spec.VolumeMounts {
		b.Mounts = append(b.Mounts, mount{filepath.Join(p.volumeSource(o, m.Name), m.SubPath), m.MountPath})
	}
	// Outer directories first, or an inner mount would be hidden by its parent's.
	sort.Slice(b.Mounts, func(i, j int) bool { return b.Mounts[i].To < b.Mounts[j].To })
	return b, nil
}

func (p *pod) volumeSource(o *corev1.Pod, name string) string {
	for _, v := range o.Spec.Volumes {
		if v.Name == name && v.HostPath != nil {
			return v.HostPath.Path
		}
	}
	return p.volumeDir(name)
}

// userOf follows the order of Kubernetes: the container's word, the pod's, the image's; nobody in particular
// (not root) if none says anything.
func userOf(pod *corev1.PodSecurityContext, own *corev1.SecurityContext, img image) (uid, gid int) {
	uid, gid = 1000, 1000
	set := func(user, group *int64) {
		if user != nil {
			uid = int(*user)
		}
		if group != nil {
			gid = int(*group)
		}
	}
	set(img.UID, img.UID)
	if pod != nil {
		set(pod.RunAsUser, pod.RunAsGroup)
	}
	if own != nil {
		set(own.RunAsUser, own.RunAsGroup)
	}
	return uid, gid
}
