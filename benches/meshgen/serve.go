package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

// serve exposes the counters until the context ends. A large mesh is hundreds of megabytes a scrape: for that, store.
func serve(ctx context.Context, mesh *Mesh, address string) error {
	type counter struct {
		Series
		head string
	}
	var all []counter
	mesh.Each(func(s Series) { all = append(all, counter{s, head(s.Labels)}) })
	start := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		out := bufio.NewWriterSize(w, 1<<20)
		after := time.Since(start)
		for _, it := range all {
			fmt.Fprintf(out, "%s %.0f\n", it.head, it.At(after))
		}
		_ = out.Flush() // the scraper may have gone away
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	fmt.Fprintf(os.Stderr, "%d series on http://%s/metrics\n", len(all), address)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// head is a sample in the exposition format, without its value.
func head(labels []string) string {
	var text strings.Builder
	text.WriteString(labels[1])
	for i := 2; i < len(labels); i += 2 {
		text.WriteString(map[bool]string{true: "{", false: ","}[i == 2])
		text.WriteString(labels[i] + "=" + strconv.Quote(labels[i+1]))
	}
	text.WriteByte('}')
	return text.String()
}

// count prints how many series each metric has.
func count(mesh *Mesh) {
	metrics, total := map[string]int{}, 0
	mesh.Each(func(s Series) { metrics[s.Labels[1]]++; total++ })
	fmt.Printf("services %d, edges between workloads %d, series %d\n", len(mesh.Services), len(mesh.Edges), total)
	names := make([]string, 0, len(metrics))
	for name := range metrics {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("  %-48s %d\n", name, metrics[name])
	}
}
