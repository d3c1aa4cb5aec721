package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// seen is what a peer saw of a request or a connection: what its own and the caller's proxy made of it.
type seen struct {
	Service   string            `json:"service"`
	Namespace string            `json:"namespace"`
	Version   string            `json:"version"`
	Pod       string            `json:"pod"`
	Port      string            `json:"port"`
	Protocol  string            `json:"protocol"`
	Method    string            `json:"method,omitempty"`
	Path      string            `json:"path,omitempty"`
	Host      string            `json:"host,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	SNI       string            `json:"sni,omitempty"`
	Text      string            `json:"text,omitempty"`
}

// runPeer is both ends of a case of the mesh model. On every port of PORTS it takes HTTP/1.1, HTTP/2, TLS around either, or
// a line of text, whichever comes, and answers with what it saw. On the admin port it sends what it is asked to send
// (POST /call, through its own proxy like any app) and passes on what its proxy says of itself (GET /envoy/…).
func runPeer() error {
	c := newCounts()
	p := &peer{counts: c, namespace: env("POD_NAMESPACE", "")}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	p.tls = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
	for _, port := range strings.Fields(env("PORTS", "")) {
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			return err
		}
		go p.listen(l)
	}
	admin := adminMux(c)
	admin.HandleFunc("POST /call", handleCall)
	admin.HandleFunc("GET /envoy/", passEnvoy)
	return serve(http.NotFoundHandler(), admin)
}

type peer struct {
	counts    *counts
	namespace string
	tls       *tls.Config
}

func (p *peer) saw(conn net.Conn) seen {
	_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
	who := p.counts.who
	s := seen{Service: who.Service, Namespace: p.namespace, Version: who.Version, Pod: who.Pod, Port: port}
	if inside, ok := conn.(*peeked); ok {
		conn = inside.Conn
	}
	if t, ok := conn.(*tls.Conn); ok {
		s.SNI = t.ConnectionState().ServerName
	}
	return s
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := p.saw(r.Context().Value(connKey{}).(net.Conn))
	s.Protocol, s.Method, s.Path, s.Host, s.Headers = r.Proto, r.Method, r.RequestURI, r.Host, map[string]string{}
	for name, values := range r.Header {
		s.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	// "mark" tells apart what one case sent, mirrors and retries too.
	p.counts.add("mark", r.Header.Get("Mark"))
	w.Header().Set("Content-Type", "application/json")
	if status := statusWanted(r); status != 0 {
		w.WriteHeader(status)
	}
	_ = json.NewEncoder(w).Encode(s)
}

// statusWanted lets a case make a server fail: header `answer: 503`.
func statusWanted(r *http.Request) int {
	switch r.Header.Get("Answer") {
	case "500":
		return http.StatusInternalServerError
	case "503":
		return http.StatusServiceUnavailable
	}
	return 0
}

// text answers one line that is no HTTP.
func (p *peer) text(conn net.Conn, line string) {
	s := p.saw(conn)
	s.Protocol, s.Text = "text", line
	p.counts.add("mark", line)
	_ = json.NewEncoder(conn).Encode(s)
	conn.Close()
}

// passEnvoy hands on what the proxy beside it says on its own admin port, which listens on loopback only.
func passEnvoy(w http.ResponseWriter, r *http.Request) {
	client := &http.Client{Timeout: 10 * time.Second}
	res, err := client.Get("http://127.0.0.1:15000/" + strings.TrimPrefix(r.URL.RequestURI(), "/envoy/"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	w.WriteHeader(res.StatusCode)
	if _, err := io.Copy(w, res.Body); err != nil {
		log.New(os.Stderr, "", 0).Print("envoy: ", err)
	}
}
