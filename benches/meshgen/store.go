package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Span is when samples are taken.
type Span struct {
	From, To time.Time
	Step     time.Duration
}

// batch is how many samples are committed at once: more would only take memory.
const batch = 20_000

// store writes the mesh into a Prometheus data folder, where it lies in the head as if it had just been scraped.
func store(ctx context.Context, mesh *Mesh, folder string, span Span) error {
	if folder == "" {
		return fmt.Errorf("-out is missing")
	}
	options := tsdb.DefaultOptions()
	options.WALCompression = true
	db, err := tsdb.Open(folder, nil, nil, options, nil)
	if err != nil {
		return err
	}
	if err := fill(ctx, db, mesh, span); err != nil {
		db.Close()
		return err
	}
	return db.Close()
}

func fill(ctx context.Context, db *tsdb.DB, mesh *Mesh, span Span) error {
	type counter struct {
		Series
		labels labels.Labels
		ref    storage.SeriesRef
	}
	var all []counter
	mesh.Each(func(s Series) { all = append(all, counter{Series: s, labels: labels.FromStrings(s.Labels...)}) })
	fmt.Fprintf(os.Stderr, "%d series with %d samples each\n", len(all), span.To.Sub(span.From)/span.Step+1)
	for at := span.From; !at.After(span.To); at = at.Add(span.Step) {
		for start := 0; start < len(all); start += batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			appender := db.Appender(ctx)
			for i := start; i < min(start+batch, len(all)); i++ {
				it := &all[i]
				ref, err := appender.Append(it.ref, it.labels, at.UnixMilli(), it.At(at.Sub(span.From)))
				if err != nil {
					return err
				}
				it.ref = ref
			}
			if err := appender.Commit(); err != nil {
				return err
			}
		}
	}
	return nil
}
