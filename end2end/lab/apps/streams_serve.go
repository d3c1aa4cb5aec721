package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// talks answers conversations, and ends them in order when the program is to end: what was received is answered, nothing more is
// taken, and the other end is told (a WebSocket by close 1001, an HTTP/2 stream by its end).
type talks struct {
	counts  *counts
	leaving context.Context
	going   sync.WaitGroup
}

func (t *talks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.going.Add(1)
	defer t.going.Done()
	headers := http.Header{"X-App-Version": {t.counts.who.Version}}
	switch {
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		if ws, err := wsTake(w, r, headers); err == nil {
			t.webSocket(ws)
		}
	case r.ProtoMajor == 2:
		t.h2(w, r, headers)
	default:
		http.Error(w, "neither a WebSocket nor HTTP/2", http.StatusBadRequest)
	}
}

func (t *talks) webSocket(ws *wsConn) {
	defer ws.Close()
	t.counts.note("streams", "websocket")
	// What interrupts the reading is the deadline: a message is read whole or not at all, as it comes in one piece.
	defer context.AfterFunc(t.leaving, func() { _ = ws.SetReadDeadline(time.Now()) })()
	for {
		text, err := ws.read()
		if err != nil {
			break
		}
		t.counts.note("messages", "websocket")
		if ws.write(wsText, []byte(text)) != nil {
			return
		}
	}
	_ = ws.close(wsGoingAway)
	// The close is followed by the other end's: whoever closes first with something unread makes TCP forget what was sent.
	_ = ws.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, ws.reader)
}

func (t *talks) h2(w http.ResponseWriter, r *http.Request, headers http.Header) {
	t.counts.note("streams", "h2")
	for name, values := range headers {
		w.Header()[name] = values
	}
	control := http.NewResponseController(w)
	if control.Flush() != nil {
		return
	}
	defer context.AfterFunc(t.leaving, func() { _ = control.SetReadDeadline(time.Now()) })()
	lines := bufio.NewReader(r.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		t.counts.note("messages", "h2")
		if _, err := fmt.Fprint(w, line); err != nil || control.Flush() != nil {
			return
		}
	}
}
