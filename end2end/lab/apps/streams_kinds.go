package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// streamPath is where a service talks, over either protocol.
const streamPath = "/users/talk"

// wsStream is a conversation over a WebSocket, through the front door.
type wsStream struct {
	*wsConn
	by string
}

func (d *door) webSocket() (stream, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", d.address, d.tls)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodGet, "https://"+d.host+streamPath, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "naru-lab-load/1")
	_ = conn.SetDeadline(time.Now().Add(patience))
	ws, res, err := wsDial(conn, req)
	if err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &wsStream{ws, res.Header.Get("X-App-Version")}, nil
}

func (s *wsStream) version() string { return s.by }

func (s *wsStream) send(n int64) error {
	_ = s.SetWriteDeadline(time.Now().Add(patience))
	return s.write(wsText, strconv.AppendInt(nil, n, 10))
}

func (s *wsStream) receive() (int64, error) {
	text, err := s.read()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

func (s *wsStream) close() {
	_ = s.wsConn.close(wsNormal)
	_ = s.Conn.Close()
}

// h2Client speaks HTTP/2 without TLS (its own proxy adds that) on one connection for all, as a gRPC client does.
type h2Client struct {
	client *http.Client
	target string
	agent  string
}

func newH2Client(target, agent string) *h2Client {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	return &h2Client{&http.Client{Transport: &http.Transport{Protocols: protocols}}, strings.TrimSuffix(target, "/"), agent}
}

// post sends a body that Go cannot read a second time, so that it does not try a second time.
func (c *h2Client) post(path string, body io.ReadCloser) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, c.target+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.agent)
	return c.client.Do(req)
}

// ask is one short request among the streams of the connection.
func (c *h2Client) ask(path string, _ http.Header) (answer, error) {
	type ended struct {
		answer
		err error
	}
	got := make(chan ended, 1)
	go func() {
		res, err := c.post(path, io.NopCloser(strings.NewReader("?")))
		if err != nil {
			got <- ended{err: err}
			return
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		got <- ended{answer{res.StatusCode, res.Header.Get("X-App-Version")}, err}
	}()
	select {
	case it := <-got:
		return it.answer, it.err
	case <-time.After(patience):
		return answer{}, fmt.Errorf("no answer within %s", patience)
	}
}

// h2Stream is a conversation over one stream of the connection: a number a line, both ways.
type h2Stream struct {
	to   *io.PipeWriter
	from *bufio.Reader
	res  *http.Response
}

func (c *h2Client) stream() (stream, error) {
	body, to := io.Pipe()
	res, err := c.post(streamPath, body)
	if err != nil {
		to.Close()
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		to.Close()
		res.Body.Close()
		return nil, fmt.Errorf("%s: %s", streamPath, res.Status)
	}
	return &h2Stream{to, bufio.NewReader(res.Body), res}, nil
}

func (s *h2Stream) version() string { return s.res.Header.Get("X-App-Version") }

func (s *h2Stream) send(n int64) error {
	_, err := fmt.Fprintln(s.to, n)
	return err
}

func (s *h2Stream) receive() (int64, error) {
	line, err := s.from.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSuffix(line, "\n"), 10, 64)
}

func (s *h2Stream) close() {
	_ = s.to.Close()
	_ = s.res.Body.Close()
}
