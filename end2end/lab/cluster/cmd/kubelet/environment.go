package main

import (
	"context"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type environment map[string]string

// environment gathers a container's variables, later ones over earlier ones: the lab's, the image's, envFrom, env.
func (p *pod) environment(c corev1.Container, img image) (environment, error) {
	env := environment{
		"PATH":     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME": p.object().Name, "HOME": "/tmp",
		"KUBERNETES_SERVICE_HOST": p.node.apiClusterIP(), "KUBERNETES_SERVICE_PORT": "443",
	}
	for k, v := range img.Env {
		env[k] = v
	}
	for _, from := range c.EnvFrom {
		if err := p.addAll(env, from); err != nil {
			return nil, err
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			env[e.Name] = env.expand(e.Value)
			continue
		}
		value, found, err := p.valueFrom(c, e.ValueFrom)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", e.Name, err)
		}
		if found {
			env[e.Name] = value
		}
	}
	return env, nil
}

func (p *pod) addAll(env environment, from corev1.EnvFromSource) error {
	namespace := p.object().Namespace
	if r := from.ConfigMapRef; r != nil {
		cm, err := p.node.api.CoreV1().ConfigMaps(namespace).Get(context.Background(), r.Name, metav1.GetOptions{})
		if err != nil {
			return unlessOptional(err, r.Optional)
		}
		for k, v := range cm.Data {
			env[from.Prefix+k] = v
		}
	}
	if r := from.SecretRef; r != nil {
		s, err := p.node.api.CoreV1().Secrets(namespace).Get(context.Background(), r.Name, metav1.GetOptions{})
		if err != nil {
			return unlessOptional(err, r.Optional)
		}
		for k, v := range s.Data {
			env[from.Prefix+k] = string(v)
		}
	}
	return nil
}

func (p *pod) valueFrom(c corev1.Container, from *corev1.EnvVarSource) (value string, found bool, err error) {
	namespace := p.object().Namespace
	switch {
	case from.FieldRef != nil:
		return p.field(from.FieldRef.FieldPath), true, nil
	case from.ResourceFieldRef != nil:
		return resourceField(c, from.ResourceFieldRef), true, nil
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		cm, err := p.node.api.CoreV1().ConfigMaps(namespace).Get(context.Background(), r.Name, metav1.GetOptions{})
		if err != nil {
			return "", false, unlessOptional(err, r.Optional)
		}
		value, found = cm.Data[r.Key]
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		s, err := p.node.api.CoreV1().Secrets(namespace).Get(context.Background(), r.Name, metav1.GetOptions{})
		if err != nil {
			return "", false, unlessOptional(err, r.Optional)
		}
		var b []byte
		b, found = s.Data[r.Key]
		value = string(b)
	}
	return value, found, nil
}

// apiClusterIP is the address of the Service default/kubernetes, by which pods know the API server.
func (n *node) apiClusterIP() string {
	if o, ok, _ := n.services.GetStore().GetByKey("default/kubernetes"); ok {
		return o.(*corev1.Service).Spec.ClusterIP
	}
	return ""
}

func (e environment) list() []string {
	out := make([]string, 0, len(e))
	for k, v := range e {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return out
}

func (e environment) expand(s string) string {
	for k, v := range e {
		s = strings.ReplaceAll(s, "$("+k+")", v)
	}
	return s
}
