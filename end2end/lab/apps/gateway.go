package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// runGateway is the stand-in for the Spring Cloud gateway: it passes requests on by the first part of the path.
// ROUTES is a list "prefix=URL" separated by blanks. Everything that a caller sends is forwarded (trace headers and
// `canary` with it, and the upgrade to a WebSocket), as a header canary holds only while every hop forwards the header.
func runGateway() error {
	c := newCounts()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, ResponseHeaderTimeout: 15 * time.Second}
	app := http.NewServeMux()
	app.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	for _, route := range strings.Fields(env("ROUTES", "")) {
		prefix, target, _ := strings.Cut(route, "=")
		to, err := url.Parse(target)
		if err != nil {
			return err
		}
		app.Handle(prefix, &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.SetXForwarded()
				r.Out.Header.Set("User-Agent", c.who.Service+"/"+c.who.Version)
			},
			ModifyResponse: func(r *http.Response) error {
				c.add("code", code(r.StatusCode), "path", prefix, "upstream_version", r.Header.Get("X-App-Version"))
				return nil
			},
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				log.Printf("%s -> %s: %v", r.URL.Path, to.Host, err)
				c.add("code", "502", "path", prefix, "upstream_version", "none")
				w.WriteHeader(http.StatusBadGateway)
			},
		})
	}
	admin := adminMux(c)
	if target := env("H2_TARGET", ""); target != "" {
		speakH2(newH2Client(target, c.who.Service+"/"+c.who.Version), admin)
	}
	return serve(app, admin)
}

// speakH2 lets the gateway also call a service by itself, as a gRPC client does: one connection, with short requests (POST /h2?rps=20)
// and long streams (POST /streams?open=20) on it, none before it is asked for.
func speakH2(client *h2Client, admin *http.ServeMux) {
	t, p, work := newTally([]string{"/users/h2"}), &pace{}, make(chan string, 20)
	for range 20 {
		go worker(client.ask, work, t)
	}
	go p.run(t, work)
	admin.Handle("GET /h2", t.handler(p))
	p.handle(admin, "POST /h2")
	newStreams(client.stream).handle(admin)
}
