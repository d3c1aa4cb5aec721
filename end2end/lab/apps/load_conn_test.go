package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func doorTo(t *testing.T, h http.HandlerFunc) *conn {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	d, err := newDoor(s.URL, "example.com", ca) // httptest's certificate is for this name
	if err != nil {
		t.Fatal(err)
	}
	return &conn{door: d}
}

func TestAnswerCarriesCodeAndVersion(t *testing.T) {
	c := doorTo(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App-Version", "v2")
		w.WriteHeader(http.StatusTeapot)
	})
	a, err := c.get("/users/", http.Header{})
	if err != nil || a.code != http.StatusTeapot || a.version != "v2" {
		t.Fatalf("got %+v, %v", a, err)
	}
}

// A server that cuts the connection has been asked once: a second, silent try would hide the loss.
func TestNoRequestIsSentTwice(t *testing.T) {
	var asked atomic.Int64
	c := doorTo(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	if _, err := c.get("/", http.Header{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.get("/", http.Header{}); err == nil {
		t.Fatal("a cut answer counts as answered")
	}
	if n := asked.Load(); n != 2 {
		t.Fatalf("two requests were sent %d times", n)
	}
}

func TestConnectionIsKeptUntilTheServerSaysClose(t *testing.T) {
	closing := false
	c := doorTo(t, func(w http.ResponseWriter, r *http.Request) {
		if closing {
			w.Header().Set("Connection", "close")
		}
	})
	for _, closing = range []bool{false, true} {
		if _, err := c.get("/", http.Header{}); err != nil {
			t.Fatal(err)
		}
		if kept := c.tcp != nil; kept == closing {
			t.Fatalf("closing=%t, kept=%t", closing, kept)
		}
	}
}

func TestAnotherCAIsRefused(t *testing.T) {
	if _, err := newDoor("https://127.0.0.1:1", "x", []byte("nothing")); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Fatalf("got %v", err)
	}
}
