package main

import (
	"io"
	"log"
	"net/http"
	"strconv"
	"time"
)

// runBatch is the job that everybody forgot: it calls TARGET in plaintext, RPS times a second, from a pod without a
// sidecar. The mesh sees an unknown caller until somebody asks this pod.
func runBatch() error {
	rps, err := strconv.ParseFloat(env("RPS", "5"), 64)
	if err != nil {
		return err
	}
	c, target := newCounts(), env("TARGET", "")
	client := &http.Client{Timeout: 5 * time.Second}
	go func() {
		// A job starts when what it needs is there: the service's first seconds are no losses.
		for call(client, target, c.who) != "200" {
			time.Sleep(200 * time.Millisecond)
		}
		for range time.Tick(time.Duration(float64(time.Second) / rps)) {
			c.add("code", call(client, target, c.who))
		}
	}()
	app := http.NewServeMux()
	app.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return serve(app, adminMux(c))
}

func call(client *http.Client, target string, who identity) string {
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return "error"
	}
	req.Header.Set("User-Agent", who.Service+"/"+who.Version)
	res, err := client.Do(req)
	if err != nil {
		log.Print(err)
		return "error"
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return "error"
	}
	return code(res.StatusCode)
}
