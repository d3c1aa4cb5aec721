package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// More than this the lab's two cores do not carry through five proxies, and the figure would mean nothing.
const fastest = 2000

// pace is how many requests a second are begun. It can be changed while it runs.
type pace struct{ microRPS atomic.Int64 }

func (p *pace) rps() float64 { return float64(p.microRPS.Load()) / 1e6 }

func (p *pace) set(text string) error {
	rps, err := strconv.ParseFloat(text, 64)
	if err != nil || rps < 0 || rps > fastest {
		return fmt.Errorf("rps wants a number from 0 to %d, not %q", fastest, text)
	}
	p.microRPS.Store(int64(rps * 1e6))
	return nil
}

// handle lets the pace be set: ?rps=300.
func (p *pace) handle(mux *http.ServeMux, pattern string) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := p.set(r.URL.Query().Get("rps")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "rps=%g\n", p.rps())
	})
}

// run begins requests at the pace, taking the paths in turn. It looks a hundred times a second how many are due: a
// ticker per request is not exact at some hundreds a second.
func (p *pace) run(t *tally, work chan<- string) {
	due, last := 0.0, time.Now()
	next := 0
	for now := range time.Tick(10 * time.Millisecond) {
		due += p.rps() * now.Sub(last).Seconds()
		last = now
		for ; due >= 1; due-- {
			path := t.paths[next%len(t.paths)]
			next++
			t.begin(path)
			select {
			case work <- path:
			default:
				t.late(path)
				work <- path
			}
		}
	}
}
