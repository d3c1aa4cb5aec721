// Command apps is every program of the system under migration, and the load on it, in one binary without
// dependencies: a service (user-service, product-service), the API gateway in front of them, the batch job that
// nobody put into the mesh, what counts nginx's log lines, the load generator outside, and the peers of the cases. The first argument picks one.
package main

import (
	"fmt"
	"log"
	"os"
)

var programs = map[string]func() error{
	"service": runService,
	"gateway": runGateway,
	"batch":   runBatch,
	"edge":    runEdge,
	"load":    runLoad,
	"peer":    runPeer,
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if len(os.Args) == 2 && programs[os.Args[1]] != nil {
		if err := programs[os.Args[1]](); err != nil {
			log.Fatalf("%s: %v", os.Args[1], err)
		}
		return
	}
	fmt.Fprintln(os.Stderr, "usage: apps service|gateway|batch|edge|load|peer   (settings come from the environment)")
	os.Exit(2)
}

func env(key, otherwise string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return otherwise
}
