package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
)

// counts is what an app itself saw, apart from the mesh and from Prometheus: the ground truth that tests hold
// the mesh's figures against. Keys of a dimension are few (paths are route prefixes, never whole paths).
type counts struct {
	mu  sync.Mutex
	who identity
	n   map[string]map[string]int64
}

type identity struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Pod     string `json:"pod"`
}

func newCounts() *counts {
	return &counts{
		who: identity{env("SERVICE", "unnamed"), env("VERSION", "v1"), env("HOSTNAME", "")},
		n:   map[string]map[string]int64{},
	}
}

// add counts one event, in each dimension given as name, value pairs.
func (c *counts) add(pairs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 0; i+1 < len(pairs); i += 2 {
		if c.n[pairs[i]] == nil {
			c.n[pairs[i]] = map[string]int64{}
		}
		c.n[pairs[i]][pairs[i+1]]++
	}
	if c.n["total"] == nil {
		c.n["total"] = map[string]int64{}
	}
	c.n["total"]["requests"]++
}

// note counts one event in a dimension of its own, which is no request.
func (c *counts) note(dimension, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[dimension] == nil {
		c.n[dimension] = map[string]int64{}
	}
	c.n[dimension][value]++
}

func (c *counts) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	body, err := json.MarshalIndent(struct {
		identity
		Requests int64                       `json:"requests"`
		By       map[string]map[string]int64 `json:"by"`
	}{c.who, c.n["total"]["requests"], c.n}, "", "  ")
	c.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

func code(status int) string { return strconv.Itoa(status) }
