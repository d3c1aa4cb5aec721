package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// runLoad sends a steady stream of requests through the front door as a browser outside would: TLS, keep-alive, a
// fixed pace whatever the answers are, and no retry of any kind, so that a lost request is seen as lost.
//
// FRONT is the address to dial, HOST the name in SNI and Host, CA the file of the certificate to trust, PATHS the
// mix (repeat one to weigh it), RPS the pace, LISTEN where the counters are. WebSockets are opened only when asked for.
func runLoad() error {
	ca, err := os.ReadFile(env("CA", ""))
	if err != nil {
		return fmt.Errorf("the front door's CA: %w", err)
	}
	door, err := newDoor(env("FRONT", ""), env("HOST", ""), ca)
	if err != nil {
		return err
	}
	t := newTally(strings.Fields(env("PATHS", "/users/ /products/")))
	p := &pace{}
	if err := p.set(env("RPS", "60")); err != nil {
		return err
	}
	// Enough workers for 500 requests a second that take 200 ms each; fewer would quietly turn the fixed pace into
	// the pace of the answers. What finds no free worker is counted as `late`, never dropped silently.
	work := make(chan string, 100)
	for range 100 {
		go worker((&conn{door: door}).get, work, t)
	}
	go p.run(t, work)
	mux := http.NewServeMux()
	mux.Handle("GET /", t.handler(p))
	p.handle(mux, "POST /rate")
	newStreams(door.webSocket).handle(mux)
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		t.reset()
		fmt.Fprintln(w, "counters are zero")
	})
	mux.HandleFunc("POST /canary", func(w http.ResponseWriter, r *http.Request) {
		if err := t.setCanary(r.URL.Query().Get("percent")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return http.ListenAndServe(env("LISTEN", "127.0.0.1:16445"), mux)
}

func worker(get func(path string, header http.Header) (answer, error), work <-chan string, t *tally) {
	for path := range work {
		header := t.header(path)
		begun := time.Now()
		answer, err := get(path, header)
		t.record(path, answer, err, time.Since(begun))
	}
}
