package main

import (
	"cmp"
	"encoding/json"
	"log"
	"net"
	"slices"
)

// target is one entry of Prometheus's file_sd format.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// writeTargets keeps the list of pods annotated prometheus.io/scrape (injection adds the annotation): Debian's
// Prometheus is built without Kubernetes service discovery. The labels are those that Istio's sample configuration
// puts on a scraped pod. A pod that drains is scraped to its end, or its last requests would be missing.
func (n *node) writeTargets() {
	if n.targets == "" {
		return
	}
	n.targetsMu.Lock()
	defer n.targetsMu.Unlock()
	list := []target{}
	for _, p := range n.allPods() {
		o := p.object()
		a := o.Annotations
		if a["prometheus.io/scrape"] != "true" {
			continue
		}
		list = append(list, target{
			Targets: []string{net.JoinHostPort(p.ip, a["prometheus.io/port"])},
			Labels: map[string]string{"__metrics_path__": orElse(a["prometheus.io/path"], "/metrics"),
				"namespace": o.Namespace, "pod": o.Name, "node": n.node},
		})
	}
	slices.SortFunc(list, func(a, b target) int { return cmp.Compare(a.Targets[0], b.Targets[0]) })
	b, err := json.MarshalIndent(list, "", " ")
	if err == nil {
		err = writeFile(n.targets, b)
	}
	if err != nil {
		log.Print("Prometheus targets: ", err)
	}
}
