package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// sums counts requests. At any moment sent = answered + lost + in flight.
type sums struct {
	Sent      int64            `json:"sent"`
	Answered  int64            `json:"answered"`
	Lost      int64            `json:"lost"`
	Late      int64            `json:"late"`
	ByCode    map[string]int64 `json:"by_code"`
	ByVersion map[string]int64 `json:"by_version"`
}

func newSums() *sums { return &sums{ByCode: map[string]int64{}, ByVersion: map[string]int64{}} }

// tally is what the load generator saw, in all and for each path.
type tally struct {
	mu      sync.Mutex
	paths   []string
	all     *sums
	by      map[string]*sums
	lastErr string
	since   time.Time
	recent  []float64 // the last latencies in milliseconds, a ring
	at      int
	canary  int // percent of the requests that carry `canary: true`
	turns   map[string]int
}

func newTally(paths []string) *tally {
	t := &tally{paths: paths, turns: map[string]int{}}
	t.reset()
	return t
}

func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all, t.by, t.since, t.lastErr = newSums(), map[string]*sums{}, time.Now(), ""
	t.recent, t.at = nil, 0
	for _, p := range t.paths {
		t.by[p] = newSums()
	}
}

func (t *tally) both(path string, f func(*sums)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t.all)
	f(t.by[path])
}

func (t *tally) begin(path string) { t.both(path, func(s *sums) { s.Sent++ }) }
func (t *tally) late(path string)  { t.both(path, func(s *sums) { s.Late++ }) }

// record counts the end of a request: answered whatever the code, or lost when no whole answer came.
func (t *tally) record(path string, a answer, err error, took time.Duration) {
	version := a.version
	if version == "" {
		version = "none"
	}
	t.both(path, func(s *sums) {
		if err != nil {
			s.Lost++
			return
		}
		s.Answered++
		s.ByCode[code(a.code)]++
		s.ByVersion[version]++
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.lastErr = fmt.Sprintf("%s %s: %v", time.Now().Format(time.RFC3339), path, err)
		log.Print("lost: ", t.lastErr)
		return
	}
	if len(t.recent) < 2000 {
		t.recent = append(t.recent, 0)
	}
	t.recent[t.at%len(t.recent)] = float64(took.Microseconds()) / 1000
	t.at = (t.at + 1) % 2000
}

// header is what one request for a path carries; the canary share is spread evenly over each path, not drawn.
func (t *tally) header(path string) http.Header {
	h := http.Header{"User-Agent": {"naru-lab-load/1"}}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turns[path]++
	if turn := t.turns[path]; turn*t.canary/100 != (turn-1)*t.canary/100 {
		h.Set("Canary", "true")
	}
	return h
}

func (t *tally) setCanary(text string) error {
	percent, err := strconv.Atoi(text)
	if err != nil || percent < 0 || percent > 100 {
		return fmt.Errorf("percent wants a whole number from 0 to 100, not %q", text)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.canary, t.turns = percent, map[string]int{}
	return nil
}

func (t *tally) handler(p *pace) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		t.mu.Lock()
		sorted := slices.Sorted(slices.Values(t.recent))
		body, err := json.MarshalIndent(map[string]any{
			"rps": p.rps(), "since": t.since.UTC(), "canary_percent": t.canary, "total": t.all, "paths": t.by,
			"in_flight": t.all.Sent - t.all.Answered - t.all.Lost, "last_error": t.lastErr,
			"latency_ms": map[string]float64{"p50": at(sorted, .5), "p99": at(sorted, .99), "max": at(sorted, 1)},
		}, "", "  ")
		t.mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, '\n'))
	}
}

func at(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
