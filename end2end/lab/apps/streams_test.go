package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The example of RFC 6455, 1.3.
func TestTheUpgradeIsProvedAsTheRFCSays(t *testing.T) {
	if got := wsAccept("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatal(got)
	}
}

type onlyWrites struct {
	net.Conn
	all bytes.Buffer
}

func (w *onlyWrites) Write(b []byte) (int, error) { return w.all.Write(b) }

// The example of RFC 6455, 5.7: an unmasked "Hello".
func TestFramesAreThoseOfTheRFC(t *testing.T) {
	w := &onlyWrites{}
	if err := (&wsConn{Conn: w}).write(wsText, []byte("Hello")); err != nil || w.all.String() != "\x81\x05Hello" {
		t.Fatalf("%q, %v", w.all.String(), err)
	}
	read := func(frames string, client bool) (string, error) {
		return (&wsConn{reader: bufio.NewReader(strings.NewReader(frames)), client: client}).read()
	}
	if text, err := read("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", false); text != "Hello" || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := read("\x88\x02\x03\xe9", true); err != io.EOF {
		t.Fatalf("a close is the end: %v", err)
	}
	for _, bad := range []string{"", "\x81", "\x81\x05Hel", "\x01\x05Hello", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"} {
		if _, err := read(bad, true); err == nil || err == io.EOF {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Masked by the client, and longer than what fits into the first two bytes.
func TestLongMessagesCross(t *testing.T) {
	long := strings.Repeat("long ", 10_000)
	w := &onlyWrites{}
	if err := (&wsConn{Conn: w, client: true}).write(wsText, []byte(long)); err != nil {
		t.Fatal(err)
	}
	if text, err := (&wsConn{reader: bufio.NewReader(&w.all)}).read(); text != long || err != nil {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
}

// talking is a service that talks, and how to open a stream to it of either kind.
func talking(t *testing.T) (opens map[string]func() (stream, error), leave func(), cut func()) {
	t.Helper()
	leaving, leave := context.WithCancel(context.Background())
	c := newCounts()
	c.who.Version = "v2"
	it := &talks{counts: c, leaving: leaving}
	overTLS := httptest.NewTLSServer(it)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: overTLS.Certificate().Raw})
	d, err := newDoor(overTLS.URL, "example.com", ca)
	if err != nil {
		t.Fatal(err)
	}
	plain := httptest.NewUnstartedServer(it)
	plain.Config.Protocols = &http.Protocols{}
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(func() { leave(); overTLS.Close(); plain.Close() })
	conns := make(chan net.Conn, 10)
	h2 := newH2Client(plain.URL, "test")
	h2.client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		conn, err := net.Dial("tcp", plain.Listener.Addr().String())
		conns <- conn
		return conn, err
	}
	opens = map[string]func() (stream, error){"h2": h2.stream, "websocket": func() (stream, error) {
		s, err := d.webSocket()
		if err == nil {
			conns <- s.(*wsStream).Conn.(*tls.Conn).NetConn()
		}
		return s, err
	}}
	return opens, leave, func() { (<-conns).Close() }
}

func until(t *testing.T, s *streams, what string, is func(streamSums) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		now := s.sums
		ok := is(now)
		s.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s: %+v", what, now)
		}
	}
}

func TestMessagesAreAnsweredUntilTheServerLeaves(t *testing.T) {
	opens, leave, _ := talking(t)
	all := map[string]*streams{}
	for kind, open := range opens {
		s := newStreams(open)
		all[kind] = s
		if err := s.want("3"); err != nil {
			t.Fatal(err)
		}
		until(t, s, kind+" answered", func(c streamSums) bool { return c.ByVersion["v2"] >= 6 && c.Open["v2"] == 3 })
	}
	leave()
	for kind, s := range all {
		until(t, s, kind+" ended in order", func(c streamSums) bool { return c.Ended >= 3 })
		if err := s.want("0"); err != nil {
			t.Fatal(err)
		}
		until(t, s, kind+" at an end", func(c streamSums) bool {
			return c.Sent == c.Answered+c.Lost && c.Opened == c.Ended+c.Cut+c.Closed && c.Open["v2"] == 0
		})
		if s.sums.Cut != 0 {
			t.Errorf("%s: %+v", kind, s.sums)
		}
	}
}

func TestACutStreamIsOpenedAgainAndItsMessageSentAgain(t *testing.T) {
	opens, _, cut := talking(t)
	for kind, open := range opens {
		s := newStreams(open)
		if err := s.want("1"); err != nil {
			t.Fatal(err)
		}
		until(t, s, kind+" answered", func(c streamSums) bool { return c.Answered >= 1 })
		cut()
		until(t, s, kind+" answered again", func(c streamSums) bool { return c.Cut == 1 && c.Opened == 2 && c.Answered >= 2 })
		if err := s.want("0"); err != nil {
			t.Fatal(err)
		}
		until(t, s, kind+" closed", func(c streamSums) bool { return c.Closed == 1 })
		if s.sums.Lost != 0 || s.sums.Ended != 0 {
			t.Errorf("%s: %+v", kind, s.sums)
		}
		cut() // the second connection of this kind: the next kind's is the one after it
	}
}

type deaf struct{ over chan struct{} }

func (d *deaf) send(int64) error        { return nil }
func (d *deaf) receive() (int64, error) { <-d.over; return 0, errors.New("over") }
func (d *deaf) version() string         { return "v1" }
func (d *deaf) close()                  {}

// A message that two streams have not answered is sent on each, and counts once.
func TestWhatNobodyAnswersIsSentAgainAndThenLost(t *testing.T) {
	first, second := &deaf{make(chan struct{})}, &deaf{make(chan struct{})}
	opened := make(chan stream, 2)
	opened <- first
	opened <- second
	s := newStreams(func() (stream, error) { return <-opened, nil })
	s.patience = 2 * time.Second
	if err := s.want("1"); err != nil {
		t.Fatal(err)
	}
	until(t, s, "sent", func(c streamSums) bool { return c.Sent == 1 })
	close(first.over)
	until(t, s, "sent again", func(c streamSums) bool { return c.Resent == 1 && c.Cut == 1 })
	until(t, s, "lost", func(c streamSums) bool { return c.Lost >= 1 && c.Answered == 0 })
}

func TestHowManyStreamsIsBounded(t *testing.T) {
	s := newStreams(func() (stream, error) { return nil, errors.New("nobody there") })
	for _, bad := range []string{"-1", "201", "many", ""} {
		if s.want(bad) == nil {
			t.Errorf("%q is taken for a number of streams", bad)
		}
	}
	mux := http.NewServeMux()
	s.handle(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("POST", "/streams?open=1", nil))
	until(t, s, "refused", func(c streamSums) bool { return c.Refused > 0 && c.Wanted == 1 })
	_ = s.want("0")
}

func TestShortRequestsShareTheConnection(t *testing.T) {
	conns := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App-Version", "v1")
		w.WriteHeader(http.StatusTeapot)
	}))
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns++
		}
	}
	server.Start()
	defer server.Close()
	client := newH2Client(server.URL, "test")
	for range 5 {
		if a, err := client.ask("/users/h2", nil); err != nil || a.code != http.StatusTeapot || a.version != "v1" {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if conns != 1 {
		t.Errorf("%d connections", conns)
	}
}
