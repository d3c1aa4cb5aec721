// Command meshgen makes the metrics of an Istio mesh that does not exist: the same mesh for the same seed.
//
//	meshgen store -out FOLDER   writes a Prometheus data folder
//	meshgen serve               exposes the counters, for a Prometheus to scrape with honor_labels
//	meshgen cluster             writes its objects into an API server without controllers
//	meshgen count               says how much of everything there is
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "meshgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: meshgen store|serve|cluster|count [flags]")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	size := Size{}
	flags.IntVar(&size.Namespaces, "namespaces", 50, "namespaces")
	flags.IntVar(&size.Services, "services", 10, "services in each namespace")
	flags.IntVar(&size.Pods, "pods", 2, "pods behind each workload")
	seed := flags.Int64("seed", 1, "another seed, another mesh of the same size")
	out := flags.String("out", "", "store: data folder")
	past := flags.Duration("past", 10*time.Minute, "store: samples before now")
	ahead := flags.Duration("ahead", 30*time.Minute, "store: samples after now, so that queries for `now` find some for as long")
	interval := flags.Duration("interval", 15*time.Second, "store: between two samples")
	kubeconfig := flags.String("kubeconfig", "", "cluster: an administrator's, with its certificates in it")
	listen := flags.String("listen", "127.0.0.1:19101", "serve: address and port")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if err := size.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	mesh := Build(size, *seed)
	switch args[0] {
	case "store":
		now := time.Now()
		return store(ctx, mesh, *out, Span{From: now.Add(-*past), To: now.Add(*ahead), Step: *interval})
	case "serve":
		return serve(ctx, mesh, *listen)
	case "cluster":
		return populate(ctx, mesh, *kubeconfig)
	case "count":
		count(mesh)
		return nil
	}
	return fmt.Errorf("unknown command %q: store, serve, cluster or count", args[0])
}
