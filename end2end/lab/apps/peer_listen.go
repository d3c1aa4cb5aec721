package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"
)

// peeked is a connection of which something was read already.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

type connKey struct{}

// one hands a single connection to an HTTP server, which wants a listener.
type one struct {
	conns chan net.Conn
	addr  net.Addr
}

func (o *one) Accept() (net.Conn, error) {
	c, ok := <-o.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (o *one) Close() error   { return nil }
func (o *one) Addr() net.Addr { return o.addr }

// listen takes what comes, by its first bytes.
func (p *peer) listen(l net.Listener) {
	o := &one{conns: make(chan net.Conn), addr: l.Addr()}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: p, Protocols: protocols, ReadHeaderTimeout: patience,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	go func() {
		if err := server.Serve(o); !errors.Is(err, http.ErrServerClosed) {
			log.Print("peer: ", err)
		}
	}()
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Print("peer: ", err)
			return
		}
		go p.take(conn, o.conns)
	}
}

func (p *peer) take(conn net.Conn, web chan<- net.Conn) {
	reader := bufio.NewReader(conn)
	first, err := reader.Peek(1)
	if err != nil {
		conn.Close()
		return
	}
	read := &peeked{conn, reader}
	if first[0] == 0x16 { // a TLS handshake
		inside := tls.Server(read, p.tls)
		if inside.Handshake() != nil {
			conn.Close()
			return
		}
		p.take(inside, web)
		return
	}
	if start, err := reader.Peek(4); err == nil && isHTTP(string(start)) {
		web <- read
		return
	}
	line, _ := reader.ReadString('\n')
	p.text(read, strings.TrimSpace(line))
}

func isHTTP(start string) bool {
	for _, method := range []string{"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "PRI "} {
		if start == method {
			return true
		}
	}
	return false
}

// selfSigned is a certificate that nobody need trust: cases ask where a connection ends, not who is there.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour), DNSNames: []string{"*"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
