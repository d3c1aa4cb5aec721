package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

// serve answers on PORT with the app and on ADMIN_PORT with its counters and switches, until SIGTERM; then it
// finishes what it has begun.
//
// The admin port is a port of its own so that the mesh can leave it alone (excludeInboundPorts): reading a pod's
// counter must not show up as traffic, and must still work when everything else demands mTLS.
func serve(app http.Handler, admin *http.ServeMux) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	front := &http.Server{Addr: ":" + env("PORT", "8080"), Handler: app}
	back := &http.Server{Addr: ":" + env("ADMIN_PORT", "9090"), Handler: admin}
	failed := make(chan error, 2)
	for _, s := range []*http.Server{front, back} {
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
	err := front.Shutdown(grace)
	return errors.Join(err, back.Shutdown(grace))
}

// adminMux has what every app's admin port has.
func adminMux(c *counts) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /counts", c)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}
