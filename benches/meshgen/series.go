package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"time"
)

// Envoy's default histogram buckets, as Istio's duration histogram has them, in milliseconds.
var buckets = []float64{0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000}

// age of the counters when the samples begin.
const age = 24 * time.Hour

// Series is one counter.
type Series struct {
	Labels []string // name, value, name, value …; the metric's name first
	PerS   float64
}

// At is the counter's value after a time: whole numbers, rising faster and slower by a fifth over six minutes.
func (s Series) At(after time.Duration) float64 {
	t := (age + after).Seconds()
	return math.Floor(s.PerS * (t + 12*math.Sin(t/60)))
}

// outcome is a part of an edge's requests that ended alike.
type outcome struct {
	code, grpc, flags string
	share             float64
}

// Each calls f for every counter of the mesh, always in the same order.
func (m *Mesh) Each(f func(Series)) {
	for at := range m.Edges {
		edge := &m.Edges[at]
		for _, reporter := range []string{"source", "destination"} {
			if reporter == "destination" && edge.Target == nil {
				continue
			}
			for pod := range m.Size.Pods {
				base := edge.labels(reporter, pod)
				for _, it := range edge.outcomes(at) {
					edge.counters(f, append(base[:len(base):len(base)], "response_flags", it.flags), it, m.Size.Pods)
				}
			}
		}
	}
}

func (e *Edge) outcomes(at int) []outcome {
	if e.Protocol == TCP {
		return []outcome{{flags: "-", share: 1}}
	}
	ok := outcome{code: "200", flags: "-", share: 1 - e.Failing}
	bad := outcome{code: []string{"500", "503", "404"}[at%3], flags: e.Flags, share: e.Failing}
	if e.Target == nil {
		bad.code = "503"
	}
	if e.Protocol == GRPC {
		ok.grpc, bad.grpc, bad.code = "0", "14", "200"
	}
	var all []outcome
	for _, it := range []outcome{ok, bad} {
		if it.share > 0 {
			all = append(all, it)
		}
	}
	return all
}

// counters of one pod and outcome.
func (e *Edge) counters(f func(Series), labels []string, it outcome, pods int) {
	perS := e.PerS * it.share / float64(pods)
	emit := func(metric string, perS float64, more ...string) {
		all := append([]string{"__name__", metric}, labels...)
		f(Series{append(all, more...), perS})
	}
	if e.Protocol == TCP {
		emit("istio_tcp_sent_bytes_total", perS*900)
		emit("istio_tcp_received_bytes_total", perS*400)
		emit("istio_tcp_connections_opened_total", perS*0.01)
		emit("istio_tcp_connections_closed_total", perS*0.01)
		return
	}
	labels = append(labels, "response_code", it.code)
	if it.grpc != "" {
		labels = append(labels, "grpc_response_status", it.grpc)
		emit("istio_request_messages_total", perS)
		emit("istio_response_messages_total", perS)
	}
	emit("istio_requests_total", perS)
	for _, bound := range buckets {
		below := perS * lognormal(bound, e.MedianMs, 0.7)
		emit("istio_request_duration_milliseconds_bucket", below, "le", strconv.FormatFloat(bound, 'g', -1, 64))
	}
	emit("istio_request_duration_milliseconds_bucket", perS, "le", "+Inf")
	emit("istio_request_duration_milliseconds_sum", perS*e.MedianMs*1.28)
	emit("istio_request_duration_milliseconds_count", perS)
	for _, way := range []string{"request", "response"} {
		emit("istio_"+way+"_bytes_sum", perS*1900)
		emit("istio_"+way+"_bytes_count", perS)
	}
}

// lognormal is the part of a log-normal distribution below x.
func lognormal(x, median, sigma float64) float64 {
	return 0.5 * math.Erfc(-(math.Log(x)-math.Log(median))/(sigma*math.Sqrt2))
}

func hash(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}

// labels of a pod's counters, as Istio's proxies and the usual scrape configuration give them.
func (e *Edge) labels(reporter string, pod int) []string {
	own := e.Source
	if reporter == "destination" {
		own = *e.Target
	}
	template := fmt.Sprintf("%08x", hash(own.Name+own.Namespace))
	number := hash(own.Namespace+own.Name) + uint32(pod)*2654435761
	address := fmt.Sprintf("10.%d.%d.%d:15020", number>>16&0xff, number>>8&0xff, number&0xff)
	labels := []string{
		"reporter", reporter,
		"app", own.App, "version", own.Version, "namespace", own.Namespace, "job", "kubernetes-pods",
		"pod", fmt.Sprintf("%s-%s-%05x", own.Name, template, number&0xfffff), "instance", address,
		"pod_template_hash", template, "security_istio_io_tlsMode", "istio",
		"service_istio_io_canonical_name", own.App, "service_istio_io_canonical_revision", own.Version,
		"source_app", e.Source.App, "source_canonical_service", e.Source.App, "source_version", e.Source.Version,
		"source_canonical_revision", e.Source.Version, "source_cluster", "Kubernetes", "source_workload", e.Source.Name,
		"source_workload_namespace", e.Source.Namespace, "request_protocol", string(e.Protocol),
	}
	// Only the destination knows whether it was mutual TLS.
	policy := "unknown"
	mutual := e.MTLS && e.Target != nil
	if reporter == "destination" {
		policy = "none"
		if mutual {
			policy = "mutual_tls"
		}
	}
	sourcePrincipal, targetPrincipal := "unknown", "unknown"
	if mutual {
		sourcePrincipal, targetPrincipal = principal(e.Source), principal(*e.Target)
	}
	labels = append(labels, "connection_security_policy", policy, "source_principal", sourcePrincipal,
		"destination_principal", targetPrincipal)
	return append(labels, e.destination()...)
}

func principal(w Workload) string {
	return "spiffe://cluster.local/ns/" + w.Namespace + "/sa/" + w.App
}

func (e *Edge) destination() []string {
	target := Workload{Namespace: "unknown", App: "unknown", Version: "unknown", Name: "unknown"}
	cluster, revision := "unknown", "latest"
	if e.Target != nil {
		target, cluster, revision = *e.Target, "Kubernetes", e.Target.Version
	}
	host, inNamespace := e.Service.Name+"."+e.Service.Namespace+".svc.cluster.local", e.Service.Namespace
	if e.External != "" {
		host, inNamespace = e.External, "unknown"
	}
	return []string{
		"destination_app", target.App, "destination_canonical_service", target.App, "destination_canonical_revision", revision,
		"destination_version", target.Version, "destination_cluster", cluster, "destination_workload", target.Name,
		"destination_workload_namespace", target.Namespace, "destination_service", host,
		"destination_service_name", e.Service.Name, "destination_service_namespace", inNamespace,
	}
}
