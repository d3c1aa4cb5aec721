package main

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func peerOn(t *testing.T) string {
	t.Helper()
	certificate, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{counts: newCounts(), namespace: "n", tls: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go p.listen(l)
	return l.Addr().String()
}

func sawBy(t *testing.T, g got) seen {
	t.Helper()
	var s seen
	if err := json.Unmarshal([]byte(g.Body), &s); err != nil {
		t.Fatalf("%v: %+v", err, g)
	}
	return s
}

func TestOnePortTakesWhateverComes(t *testing.T) {
	address := peerOn(t)
	for _, it := range []struct{ protocol, sni, saw string }{
		{"http", "", "HTTP/1.1"}, {"https", "a.example", "HTTP/1.1"}, {"tcp", "", "text"}, {"tls", "b.example", "text"},
	} {
		g := callOnce(wanted{Address: address, Protocol: it.protocol, Host: "h", SNI: it.sni, Path: "/x?y=1", Headers: map[string]string{"A": "b"}})
		s := sawBy(t, g)
		if s.Protocol != it.saw || s.SNI != it.sni || s.Namespace != "n" {
			t.Errorf("%s: %+v", it.protocol, s)
		}
		if it.saw != "text" && (s.Path != "/x?y=1" || s.Host != "h" || s.Headers["a"] != "b") {
			t.Errorf("%s: %+v", it.protocol, s)
		}
	}
}

func TestHTTP2IsTakenWithoutTLS(t *testing.T) {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	res, err := client.Get("http://" + peerOn(t) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var s seen
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil || s.Protocol != "HTTP/2.0" {
		t.Fatalf("%v %+v", err, s)
	}
}

func TestAServerFailsWhenAsked(t *testing.T) {
	g := callOnce(wanted{Address: peerOn(t), Protocol: "http", Headers: map[string]string{"Answer": "503"}})
	if g.Status != http.StatusServiceUnavailable {
		t.Fatalf("%+v", g)
	}
}

func TestHowNoAnswerCameIsTold(t *testing.T) {
	closing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := closing.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	at := closing.Addr().String()
	for _, protocol := range []string{"http", "https", "tcp", "tls"} {
		if g := callOnce(wanted{Address: at, Protocol: protocol}); g.Failed != "closed" {
			t.Errorf("%s: %+v", protocol, g)
		}
	}
	closing.Close()
	if g := callOnce(wanted{Address: at, Protocol: "http"}); g.Failed != "refused" {
		t.Errorf("%+v", g)
	}
}

func TestACallIsSentAsOftenAsAsked(t *testing.T) {
	body := `{"address": "` + peerOn(t) + `", "protocol": "http", "n": 3}`
	w := httptest.NewRecorder()
	handleCall(w, httptest.NewRequest("POST", "/call", strings.NewReader(body)))
	var answers []got
	if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil || len(answers) != 3 || answers[2].Status != 200 {
		t.Fatalf("%v %s", err, w.Body)
	}
	w = httptest.NewRecorder()
	handleCall(w, httptest.NewRequest("POST", "/call", strings.NewReader("nonsense")))
	if w.Code != http.StatusBadRequest {
		t.Fatalf("got %d", w.Code)
	}
}
