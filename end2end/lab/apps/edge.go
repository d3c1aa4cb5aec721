package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// runEdge counts what nginx logs, under the names and labels of ingress-nginx's own counters: the lab's nginx is a plain
// one, whose module counts without hosts. nginx sends each line by syslog (RFC 3164), so that nothing lies on a disk.
func runEdge() error {
	socket, err := net.ListenPacket("udp", env("SYSLOG", "127.0.0.1:5140"))
	if err != nil {
		return err
	}
	e := &edge{namespace: env("NAMESPACE", ""), service: env("SERVICE", ""), ingress: env("INGRESS", ""), series: map[string]*edgeSeries{}}
	go func() {
		line := make([]byte, 64<<10)
		for {
			n, _, err := socket.ReadFrom(line)
			if err != nil {
				log.Fatal(err)
			}
			e.take(line[:n])
		}
	}()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", e)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe(env("LISTEN", ":10254"), mux)
}

type edgeSeries struct {
	requests int64
	seconds  float64
}

// edge is what was counted, by labels as they are exposed.
type edge struct {
	namespace, service, ingress string

	mu     sync.Mutex
	series map[string]*edgeSeries
}

var methods = regexp.MustCompile(`^[A-Z]{1,16}$`)

func (e *edge) take(line []byte) {
	var it struct {
		Host, Method, Upstream string
		Status                 int
		Seconds                float64
	}
	at := strings.IndexByte(string(line), '{')
	if at < 0 || json.Unmarshal(line[at:], &it) != nil {
		return
	}
	// What nginx answers itself has asked nobody.
	namespace, service := e.namespace, e.service
	if it.Upstream == "" {
		service = ""
	}
	if !methods.MatchString(it.Method) {
		it.Method = "_"
	}
	labels := fmt.Sprintf("host=%q,ingress=%q,method=%q,namespace=%q,service=%q,status=\"%d\"",
		it.Host, e.ingress, it.Method, namespace, service, it.Status)
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.series[labels]
	if s == nil {
		s = &edgeSeries{}
		e.series[labels] = s
	}
	s.requests++
	s.seconds += it.Seconds
}

func (e *edge) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := make([]string, 0, len(e.series))
	for key := range e.series {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for _, key := range keys {
		s := e.series[key]
		fmt.Fprintf(w, "nginx_ingress_controller_requests{%s} %d\n", key, s.requests)
		fmt.Fprintf(w, "nginx_ingress_controller_request_duration_seconds_sum{%s} %g\n", key, s.seconds)
		fmt.Fprintf(w, "nginx_ingress_controller_request_duration_seconds_count{%s} %d\n", key, s.requests)
	}
}
