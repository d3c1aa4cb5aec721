package main

import (
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// field is a value of the downward API.
func (p *pod) field(path string) string {
	o := p.object()
	if key, ok := strings.CutPrefix(path, "metadata.labels['"); ok {
		return o.Labels[strings.TrimSuffix(key, "']")]
	}
	if key, ok := strings.CutPrefix(path, "metadata.annotations['"); ok {
		return o.Annotations[strings.TrimSuffix(key, "']")]
	}
	switch path {
	case "metadata.name":
		return o.Name
	case "metadata.namespace":
		return o.Namespace
	case "metadata.uid":
		return string(o.UID)
	case "metadata.labels":
		return quotedLines(o.Labels)
	case "metadata.annotations":
		return quotedLines(o.Annotations)
	case "spec.nodeName":
		return o.Spec.NodeName
	case "spec.serviceAccountName":
		return o.Spec.ServiceAccountName
	case "status.podIP", "status.podIPs":
		return p.ip
	case "status.hostIP", "status.hostIPs":
		return p.node.hostIP.String()
	}
	return ""
}

// quotedLines is the file format of metadata.labels and metadata.annotations.
func quotedLines(m map[string]string) string {
	lines := make([]string, 0, len(m))
	for k, v := range m {
		lines = append(lines, fmt.Sprintf("%s=%q", k, v))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// resourceField is a container's limit or request. Where it has none, a real kubelet gives the node's capacity; the
// lab gives a small machine's, because proxies size their threads by it.
func resourceField(c corev1.Container, r *corev1.ResourceFieldSelector) string {
	kind, name, _ := strings.Cut(r.Resource, ".")
	list := c.Resources.Limits
	if kind == "requests" {
		list = c.Resources.Requests
	}
	quantity, ok := list[corev1.ResourceName(name)]
	switch {
	case !ok && name == "cpu":
		return "2"
	case !ok:
		return fmt.Sprint(int64(4) << 30)
	case name == "cpu":
		return fmt.Sprint((quantity.MilliValue() + 999) / 1000)
	}
	return fmt.Sprint(quantity.Value())
}
