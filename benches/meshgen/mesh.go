package main

import (
	"fmt"
	"math"
	"math/rand"
)

const (
	systemNamespace = "istio-system"
	gatewayName     = "istio-ingressgateway"
)

var words = []string{
	"billing", "orders", "catalog", "search", "identity", "payments", "ledger", "notify", "quotes", "claims",
	"risk", "reports", "files", "audit", "pricing", "stock", "shipping", "users", "loyalty", "media",
}

// Size says how large a mesh is.
type Size struct{ Namespaces, Services, Pods int }

func (s Size) check() error {
	if s.Namespaces < 1 || s.Services < 5 || s.Pods < 1 {
		return fmt.Errorf("at least one namespace, five services in each (a caller calls up to four others) and one pod")
	}
	return nil
}

// Protocol as Istio's request_protocol says it.
type Protocol string

// The protocols that occur.
const (
	HTTP Protocol = "http"
	GRPC Protocol = "grpc"
	TCP  Protocol = "tcp"
)

// Workload is one Deployment: an app at a version.
type Workload struct {
	Namespace, App, Version, Name string
	// Share of its service's requests.
	Share float64
}

// Service is a Kubernetes service in front of one or two workloads.
type Service struct {
	Namespace, Name string
	Protocol        Protocol
	Workloads       []Workload
}

// Edge is a workload that calls a workload, or something that is none.
type Edge struct {
	Source   Workload
	Service  *Service
	Target   *Workload // nil: nothing was reached, or it is outside
	External string    // PassthroughCluster, or empty
	Protocol Protocol
	PerS     float64 // requests per second
	Failing  float64 // of these, 0 to 1
	Flags    string  // of the failing ones
	MTLS     bool
	MedianMs float64
}

// Mesh is all of it.
type Mesh struct {
	Size     Size
	Services []*Service
	Edges    []Edge
}

// Build makes the mesh of a size and a seed. Every tenth service has a canary with a tenth of the requests, the last of each namespace is
// a database, one in eight speaks gRPC, one edge in twenty fails sometimes, one in twenty is plaintext.
func Build(size Size, seed int64) *Mesh {
	mesh := &Mesh{Size: size}
	for at := range size.Namespaces {
		random := rand.New(rand.NewSource(seed*1_000_003 + int64(at)))
		for number := range size.Services {
			mesh.Services = append(mesh.Services, newService(random, at, number, number == size.Services-1))
		}
	}
	wiring := &wiring{mesh, rand.New(rand.NewSource(seed*7919 + int64(size.Namespaces)*31 + int64(size.Services)))}
	wiring.all()
	return mesh
}

func namespace(at int) string { return fmt.Sprintf("ns-%03d", at) }

func newService(random *rand.Rand, at, number int, database bool) *Service {
	name := fmt.Sprintf("%s-%d", words[(at*7+number)%len(words)], number)
	service := &Service{Namespace: namespace(at), Name: name, Protocol: HTTP}
	shares := []float64{1}
	if random.Float64() < 0.10 {
		shares = []float64{0.9, 0.1}
	}
	for at, share := range shares {
		version := fmt.Sprintf("v%d", at+1)
		service.Workloads = append(service.Workloads, Workload{service.Namespace, name, version, name + "-" + version, share})
	}
	switch grpc := random.Float64() < 0.12; {
	case database:
		service.Protocol = TCP
	case grpc:
		service.Protocol = GRPC
	}
	return service
}

// wiring draws who calls whom.
type wiring struct {
	mesh   *Mesh
	random *rand.Rand
}

func (w *wiring) all() {
	size := w.mesh.Size
	gateway := Workload{systemNamespace, gatewayName, "latest", gatewayName, 1}
	for at := range size.Namespaces {
		w.calls(gateway, w.mesh.Services[at*size.Services])
	}
	for at := range size.Namespaces {
		for number := range size.Services {
			w.service(at, w.mesh.Services[at*size.Services+number])
		}
		// A call that leaves the mesh, and here and there a service without endpoints.
		caller := w.mesh.Services[at*size.Services+1]
		outside := &Service{Name: "PassthroughCluster"}
		w.mesh.Edges = append(w.mesh.Edges, Edge{Source: caller.Workloads[0], Service: outside, External: "api.partner.example",
			Protocol: HTTP, PerS: 0.5, MedianMs: 80})
		if at%10 == 3 {
			gone := &Service{Namespace: namespace(at), Name: "gone-0"}
			w.mesh.Edges = append(w.mesh.Edges, Edge{Source: gateway, Service: gone, Protocol: HTTP, PerS: 0.2, Failing: 1,
				Flags: "UH", MedianMs: 1})
		}
	}
}

// service draws two to four services for a service's workloads to call: mostly of its namespace, else of the next few or the first.
func (w *wiring) service(at int, caller *Service) {
	if caller.Protocol == TCP {
		return // a database calls nobody
	}
	size := w.mesh.Size
	wanted := 2 + w.random.Intn(3)
	var called []*Service
	seen := map[*Service]bool{caller: true}
	for len(called) < wanted {
		in := at
		if size.Namespaces > 1 && w.random.Float64() > 0.7 {
			in = (at + 1 + w.random.Intn(min(6, size.Namespaces-1))) % size.Namespaces
			if w.random.Float64() < 0.2 {
				in = 0
			}
		}
		if service := w.mesh.Services[in*size.Services+w.random.Intn(size.Services)]; !seen[service] {
			seen[service] = true
			called = append(called, service)
		}
	}
	for _, workload := range caller.Workloads {
		for _, service := range called {
			w.calls(workload, service)
		}
	}
}

// calls adds the edges from a workload to all workloads of a service.
func (w *wiring) calls(source Workload, service *Service) {
	edge := Edge{Source: source, Service: service, Protocol: service.Protocol}
	perS := math.Exp(w.random.NormFloat64()*1.2+1.2) * source.Share
	if w.random.Float64() < 0.05 {
		edge.Failing = 0.01 + w.random.Float64()*0.2
		edge.Flags = []string{"-", "-", "URX", "UT", "DC"}[w.random.Intn(5)]
	}
	edge.MTLS = w.random.Float64() > 0.05
	edge.MedianMs = math.Exp(w.random.NormFloat64()*0.9 + 3)
	for at := range service.Workloads {
		edge.Target = &service.Workloads[at]
		edge.PerS = perS * edge.Target.Share
		w.mesh.Edges = append(w.mesh.Edges, edge)
	}
}
