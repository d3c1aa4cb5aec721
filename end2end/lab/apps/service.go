package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// faults are switched on through the admin port: tests make a version sick without a new deployment.
type faults struct {
	percent, status, delayMs atomic.Int64
	seen                     atomic.Int64
}

// runService answers every path with who it is, and talks on one of them. Switches: POST :9090/fault?percent=5&status=503&delay_ms=200
// (percent 0 heals).
func runService() error {
	c, f := newCounts(), &faults{}
	admin := adminMux(c)
	admin.HandleFunc("POST /fault", f.set)
	app := http.NewServeMux()
	app.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	leaving, leave := context.WithCancel(context.Background())
	talks := &talks{counts: c, leaving: leaving}
	app.Handle(streamPath, talks)
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		status := f.apply()
		c.add("code", code(status), "path", routeOf(r.URL.Path), "caller", caller(r), "canary", r.Header.Get("Canary"))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-App-Version", c.who.Version)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"service": c.who.Service, "version": c.who.Version, "pod": c.who.Pod, "path": r.URL.Path,
		})
	})
	defer talks.going.Wait()
	return serve(app, admin, leave)
}

func (f *faults) set(w http.ResponseWriter, r *http.Request) {
	for key, into := range map[string]*atomic.Int64{"percent": &f.percent, "status": &f.status, "delay_ms": &f.delayMs} {
		text := r.URL.Query().Get(key)
		if text == "" {
			continue
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			http.Error(w, fmt.Sprintf("%s is not a number: %v", key, err), http.StatusBadRequest)
			return
		}
		into.Store(v)
	}
	fmt.Fprintf(w, "percent=%d status=%d delay_ms=%d\n", f.percent.Load(), f.status.Load(), f.delayMs.Load())
}

// apply spreads the faulty requests evenly instead of drawing them, so that a short test sees the exact share.
func (f *faults) apply() int {
	if ms := f.delayMs.Load(); ms > 0 {
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	percent, n := f.percent.Load(), f.seen.Add(1)
	if n*percent/100 == (n-1)*percent/100 {
		return http.StatusOK
	}
	if status := f.status.Load(); status >= 200 {
		return int(status)
	}
	return http.StatusServiceUnavailable
}

// routeOf is the first part of the path: /users/7 counts as /users/.
func routeOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if first == "" {
		return "/"
	}
	return "/" + first + "/"
}

// caller is the name that the lab's own programs send as User-Agent: the app's view of who called, which owes
// nothing to the mesh.
func caller(r *http.Request) string {
	name, _, _ := strings.Cut(r.UserAgent(), "/")
	if name == "" {
		return "unnamed"
	}
	return name
}
