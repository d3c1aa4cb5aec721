package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// A request may take this long, handshake included, before it counts as lost.
const patience = 10 * time.Second

// door is where the system is entered from outside.
type door struct {
	address string
	host    string
	tls     *tls.Config
}

func newDoor(front, host string, ca []byte) (*door, error) {
	u, err := url.Parse(front)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA file holds no certificate")
	}
	return &door{u.Host, host, &tls.Config{RootCAs: pool, ServerName: host}}, nil
}

// conn is one keep-alive connection. It is written by hand because Go's http.Transport quietly sends a request a
// second time when a kept connection turns out to be closed, and a generator that retries cannot count losses.
type conn struct {
	door   *door
	tcp    net.Conn
	reader *bufio.Reader
}

type answer struct {
	code    int
	version string
}

func (c *conn) get(path string, header http.Header) (answer, error) {
	if c.tcp == nil {
		if err := c.open(); err != nil {
			return answer{}, err
		}
	}
	a, keep, err := c.exchange(path, header)
	if err != nil || !keep {
		c.tcp.Close()
		c.tcp = nil
	}
	return a, err
}

func (c *conn) open() error {
	tcp, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", c.door.address, c.door.tls)
	if err != nil {
		return err
	}
	c.tcp, c.reader = tcp, bufio.NewReader(tcp)
	return nil
}

func (c *conn) exchange(path string, header http.Header) (a answer, keep bool, err error) {
	req, err := http.NewRequest(http.MethodGet, "https://"+c.door.host+path, nil)
	if err != nil {
		return a, false, err
	}
	req.Header = header
	_ = c.tcp.SetDeadline(time.Now().Add(patience))
	if err := req.Write(c.tcp); err != nil {
		return a, false, err
	}
	res, err := http.ReadResponse(c.reader, req)
	if err != nil {
		return a, false, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return a, false, err
	}
	// An answer that says "close" is honoured: the next request opens a new connection instead of racing the close.
	return answer{res.StatusCode, res.Header.Get("X-App-Version")}, !res.Close, nil
}
