package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// serve answers on PORT with the app and on ADMIN_PORT with its counters and switches, until SIGTERM; then it
// finishes what it has begun. What would never finish by itself is told by `leave`. Where H2_PORT is set, the app is there too, for
// callers that speak HTTP/2 without TLS.
//
// The admin port is a port of its own so that the mesh can leave it alone (excludeInboundPorts): reading a pod's
// counter must not show up as traffic, and must still work when everything else demands mTLS.
func serve(app http.Handler, admin *http.ServeMux, leave ...func()) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	front := &http.Server{Addr: ":" + env("PORT", "8080"), Handler: app}
	back := &http.Server{Addr: ":" + env("ADMIN_PORT", "9090"), Handler: admin}
	failed := make(chan error, 2)
	servers := []*http.Server{front, back}
	if port := env("H2_PORT", ""); port != "" {
		servers = append(servers, h2Server(port, app))
	}
	for _, f := range leave {
		front.RegisterOnShutdown(f)
	}
	for _, s := range servers {
		go func() {
			if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	log.Printf("%s %s serves %s, admin %s", env("SERVICE", ""), env("VERSION", ""), front.Addr, back.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, s := range servers {
		all.Go(func() { errs[i] = s.Shutdown(grace) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func h2Server(port string, app http.Handler) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Addr: ":" + port, Handler: app, Protocols: protocols}
}

// adminMux has what every app's admin port has.
func adminMux(c *counts) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /counts", c)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}
