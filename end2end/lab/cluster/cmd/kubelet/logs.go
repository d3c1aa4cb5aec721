package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A log past this size is emptied: a lab may run for a day, and nobody reads yesterday's access log.
const longestLog = 32 << 20

func (n *node) serveLogs(w http.ResponseWriter, r *http.Request) {
	p, err := n.podNamed(r.PathValue("namespace"), r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	f, err := os.Open(p.logPath(filepath.Base(r.PathValue("container"))))
	if err != nil {
		http.Error(w, "the container has not started yet", http.StatusNotFound)
		return
	}
	defer f.Close()
	if lines, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil {
		if err := writeTail(w, f, lines); err != nil {
			return
		}
	}
	for {
		size, err := io.Copy(w, f)
		if err != nil || r.URL.Query().Get("follow") != "true" {
			return
		}
		if flusher, ok := w.(http.Flusher); ok && size > 0 {
			flusher.Flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-p.ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func writeTail(w io.Writer, f io.Reader, lines int) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	all := strings.SplitAfter(string(b), "\n")
	if len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	_, err = io.WriteString(w, strings.Join(all[max(0, len(all)-lines):], ""))
	return err
}

func (n *node) trimLogs(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(30 * time.Second):
		}
		logs, _ := filepath.Glob(filepath.Join(n.dir, "*", "*.log"))
		for _, l := range logs {
			if st, err := os.Stat(l); err == nil && st.Size() > longestLog {
				_ = os.Truncate(l, 0) // writers append, so they go on at the new end
			}
		}
	}
}
