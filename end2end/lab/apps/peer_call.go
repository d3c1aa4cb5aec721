package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// wanted is a request as a case wants it sent: N times, each on a connection of its own.
type wanted struct {
	Address  string            `json:"address"`  // host:port to connect to
	Protocol string            `json:"protocol"` // http, https, tls (a line inside TLS) or tcp (a line)
	Host     string            `json:"host"`
	SNI      string            `json:"sni"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
	N        int               `json:"n"`
}

// got is what came back. Failed is empty, or says how no answer came: refused, closed (no byte of an answer), late, tls, name.
type got struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Issuer  string            `json:"issuer"` // of the certificate that the other end of TLS showed
	Failed  string            `json:"failed"`
	Millis  int64             `json:"millis"`
}

func handleCall(w http.ResponseWriter, r *http.Request) {
	var it wanted
	if err := json.NewDecoder(r.Body).Decode(&it); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answers := []got{}
	for range max(it.N, 1) {
		begun := time.Now()
		answer := callOnce(it)
		answer.Millis = time.Since(begun).Milliseconds()
		answers = append(answers, answer)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answers)
}

func callOnce(it wanted) (g got) {
	conn, err := net.DialTimeout("tcp", it.Address, patience)
	if err != nil {
		g.Failed = failure(err)
		return g
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if it.Protocol == "https" || it.Protocol == "tls" {
		// Nobody is trusted here: where a connection ends is what is asked.
		inside := tls.Client(conn, &tls.Config{ServerName: it.SNI, InsecureSkipVerify: true})
		if err := inside.Handshake(); err != nil {
			g.Failed = failure(err)
			return g
		}
		g.Issuer = inside.ConnectionState().PeerCertificates[0].Issuer.CommonName
		conn = inside
	}
	if it.Protocol == "tcp" || it.Protocol == "tls" {
		return line(conn, g)
	}
	return exchange(conn, it, g)
}

func line(conn net.Conn, g got) got {
	_, err := conn.Write([]byte("a line of the case\n"))
	var body []byte
	if err == nil {
		body, err = io.ReadAll(conn)
	}
	g.Body = string(body)
	switch {
	case len(body) == 0 && err == nil:
		g.Failed = "closed"
	case len(body) == 0:
		g.Failed = failure(err)
	case strings.HasPrefix(g.Body, "HTTP/1.1 4"):
		// The proxy took it for HTTP.
		g.Failed = "closed"
	}
	return g
}

func exchange(conn net.Conn, it wanted, g got) got {
	scheme := map[bool]string{true: "https", false: "http"}[it.Protocol == "https"]
	req, err := http.NewRequest(orElse(it.Method, http.MethodGet), scheme+"://case"+orElse(it.Path, "/"), nil)
	if err != nil {
		g.Failed = err.Error()
		return g
	}
	req.Host, req.Close = it.Host, true
	for name, value := range it.Headers {
		req.Header.Set(name, value)
	}
	if err := req.Write(conn); err != nil {
		g.Failed = failure(err)
		return g
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		g.Failed = failure(err)
		return g
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.Failed = failure(err)
	}
	g.Status, g.Body, g.Headers = res.StatusCode, string(body), map[string]string{}
	for name, values := range res.Header {
		g.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return g
}

func failure(err error) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return "name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "late"
	}
	return err.Error()
}

func orElse(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}
