package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// stream is a long conversation: numbered messages one way, the same numbers back.
type stream interface {
	send(n int64) error
	// receive gives the next number that came back; io.EOF when the server has ended the stream in order, any other error when it was cut.
	receive() (int64, error)
	// version is the version that took the stream.
	version() string
	close()
}

// streamSums counts conversations and their messages. At any moment sent = answered + lost + waiting for an answer, and
// opened = open + ended + cut + closed.
//
// A message whose stream ends before its answer came is sent again on the next one, as a client must that wants each message answered:
// `resent` counts these. It is lost when no stream has answered it within `patience`. The generator never opens a stream again behind
// a caller's back: each opening is counted, and each that failed too.
type streamSums struct {
	Wanted    int              `json:"wanted"`
	Open      map[string]int64 `json:"open"` // by the version at the other end
	Opened    int64            `json:"opened"`
	Refused   int64            `json:"refused"` // openings that failed
	Ended     int64            `json:"ended"`   // by the server, in order
	Cut       int64            `json:"cut"`     // in any other way
	Closed    int64            `json:"closed"`  // by the generator itself, when fewer are wanted
	Sent      int64            `json:"sent"`
	Resent    int64            `json:"resent"`
	Answered  int64            `json:"answered"`
	Lost      int64            `json:"lost"`
	ByVersion map[string]int64 `json:"by_version"` // answers
	LastError string           `json:"last_error"`
}

// streams keeps as many conversations going as are wanted, each with a message a second.
type streams struct {
	open     func() (stream, error)
	patience time.Duration

	mu   sync.Mutex
	sums streamSums
	stop []context.CancelFunc
}

func newStreams(open func() (stream, error)) *streams {
	return &streams{open: open, patience: patience, sums: streamSums{Open: map[string]int64{}, ByVersion: map[string]int64{}}}
}

// More than this says nothing more, and the lab's two cores have other work.
const mostStreams = 200

func (s *streams) want(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > mostStreams {
		return fmt.Errorf("open wants a whole number from 0 to %d, not %q", mostStreams, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.stop) > n {
		s.stop[len(s.stop)-1]()
		s.stop = s.stop[:len(s.stop)-1]
	}
	for len(s.stop) < n {
		ctx, cancel := context.WithCancel(context.Background())
		s.stop = append(s.stop, cancel)
		go s.keep(ctx)
	}
	s.sums.Wanted = n
	return nil
}

func (s *streams) count(f func(*streamSums)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.sums)
}

// message is one that waits for its answer.
type message struct {
	n     int64
	since time.Time
}

// keep has one conversation, on one stream after the other, until it is no longer wanted.
func (s *streams) keep(ctx context.Context) {
	k := &keeper{streams: s, tick: time.NewTicker(time.Second)}
	defer k.tick.Stop()
	for ctx.Err() == nil {
		it, err := s.open()
		if err != nil {
			s.count(func(c *streamSums) { c.Refused++; c.LastError = err.Error() })
			log.Print("stream refused: ", err)
			k.forget(time.Now())
			time.Sleep(200 * time.Millisecond)
			continue
		}
		k.talk(ctx, it)
	}
	k.forget(time.Time{})
}

type keeper struct {
	*streams
	tick    *time.Ticker
	last    int64
	waiting []message
}

// forget gives up what has waited for longer than patience; at no time at all, whatever waits.
func (k *keeper) forget(now time.Time) {
	for len(k.waiting) > 0 && (now.IsZero() || now.Sub(k.waiting[0].since) > k.patience) {
		log.Printf("message %d lost after %s", k.waiting[0].n, time.Since(k.waiting[0].since).Round(time.Millisecond))
		k.waiting = k.waiting[1:]
		k.count(func(c *streamSums) { c.Lost++ })
	}
}

type echo struct {
	n   int64
	err error
}

func (k *keeper) talk(ctx context.Context, it stream) {
	k.count(func(c *streamSums) { c.Opened++; c.Open[it.version()]++ })
	over := make(chan struct{})
	defer close(over)
	defer k.count(func(c *streamSums) { c.Open[it.version()]-- })
	defer it.close()
	echoes := make(chan echo)
	go func() {
		for {
			n, err := it.receive()
			select {
			case echoes <- echo{n, err}:
			case <-over:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for _, m := range k.waiting {
		k.count(func(c *streamSums) { c.Resent++ })
		if err := it.send(m.n); err != nil {
			break // the reader will say why
		}
	}
	done, grace := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case e := <-echoes:
			if e.err != nil {
				k.over(e.err)
				return
			}
			k.answered(e.n, it.version())
			if done == nil && len(k.waiting) == 0 {
				k.count(func(c *streamSums) { c.Closed++ })
				return
			}
		case <-k.tick.C:
			k.forget(time.Now())
			if done == nil {
				continue
			}
			k.last++
			k.waiting = append(k.waiting, message{k.last, time.Now()})
			k.count(func(c *streamSums) { c.Sent++ })
			_ = it.send(k.last) // the reader will say why
		case <-done:
			done, grace = nil, time.After(k.patience)
			if len(k.waiting) == 0 {
				grace = time.After(0)
			}
		case <-grace:
			k.count(func(c *streamSums) { c.Closed++ })
			return
		}
	}
}

func (k *keeper) over(err error) {
	k.count(func(c *streamSums) {
		if err == io.EOF {
			c.Ended++
			return
		}
		c.Cut++
		c.LastError = err.Error()
		log.Print("stream cut: ", err)
	})
}

func (k *keeper) answered(n int64, version string) {
	if len(k.waiting) == 0 || k.waiting[0].n != n {
		log.Printf("an answer to %d, which nobody waits for", n)
		return
	}
	k.waiting = k.waiting[1:]
	k.count(func(c *streamSums) { c.Answered++; c.ByVersion[version]++ })
}

// handle adds GET /streams and POST /streams?open=20.
func (s *streams) handle(mux *http.ServeMux) {
	mux.HandleFunc("GET /streams", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		body, err := json.MarshalIndent(s.sums, "", "  ")
		s.mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body, '\n'))
	})
	mux.HandleFunc("POST /streams", func(w http.ResponseWriter, r *http.Request) {
		if err := s.want(r.URL.Query().Get("open")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}
