package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Object is one of Kubernetes, as JSON.
type Object = map[string]any

// writers is how many objects are on their way at once.
const writers = 16

// populate writes the mesh into an API server that has no controllers: each object with the status that they would give it.
func populate(ctx context.Context, mesh *Mesh, kubeconfig string) error {
	cluster, err := OpenCluster(kubeconfig)
	if err != nil {
		return err
	}
	begun := time.Now()
	for _, kind := range []string{"VirtualService", "DestinationRule"} {
		if _, err := cluster.create(ctx, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(kind)); err != nil {
			return err
		}
	}
	for at := range mesh.Size.Namespaces {
		meta := Object{"name": namespace(at), "labels": Object{"istio-injection": "enabled"}}
		if _, err := cluster.create(ctx, "/api/v1/namespaces", Object{"apiVersion": "v1", "kind": "Namespace", "metadata": meta}); err != nil {
			return err
		}
		account := Object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": Object{"name": "default"}}
		if _, err := cluster.create(ctx, "/api/v1/namespaces/"+namespace(at)+"/serviceaccounts", account); err != nil {
			return err
		}
	}
	pods, err := eachAtOnce(mesh.Services, func(number int, service *Service) (int, error) {
		return cluster.service(ctx, service, number, mesh.Size.Pods)
	})
	fmt.Printf("%d services, %d pods in %.0f s\n", len(mesh.Services), pods, time.Since(begun).Seconds())
	return err
}

// eachAtOnce does all of them, several at once, and adds up what they return; the first error ends it.
func eachAtOnce[T any](all []T, do func(int, T) (int, error)) (int, error) {
	var (
		lock  sync.Mutex
		group sync.WaitGroup
		sum   int
		first error
		next  = make(chan int)
	)
	for range writers {
		group.Go(func() {
			for number := range next {
				made, err := do(number, all[number])
				lock.Lock()
				sum += made
				if first == nil {
					first = err
				}
				lock.Unlock()
			}
		})
	}
	for number := range all {
		lock.Lock()
		failed := first != nil
		lock.Unlock()
		if failed {
			break
		}
		next <- number
	}
	close(next)
	group.Wait()
	return sum, first
}

func definition(kind string) Object {
	plural := map[string]string{"VirtualService": "virtualservices", "DestinationRule": "destinationrules"}[kind]
	schema := Object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	return Object{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": Object{"name": plural + ".networking.istio.io"},
		"spec": Object{"group": "networking.istio.io", "scope": "Namespaced", "names": Object{"kind": kind, "plural": plural},
			"versions": []Object{{"name": "v1", "served": true, "storage": true, "schema": Object{"openAPIV3Schema": schema}}}}}
}

// service writes a service with everything behind it; where it has two versions, their weights too. Returns how many pods it wrote.
func (c *Cluster) service(ctx context.Context, service *Service, number, replicas int) (int, error) {
	core, name := "/api/v1/namespaces/"+service.Namespace, service.Name
	port := Object{"name": string(service.Protocol), "port": 8080, "targetPort": 8080}
	meta := func(name string, labels Object) Object { return Object{"name": name, "labels": labels} }
	_, err := c.create(ctx, core+"/services", Object{"apiVersion": "v1", "kind": "Service", "metadata": meta(name, Object{"app": name}),
		"spec": Object{"selector": Object{"app": name}, "ports": []Object{port}}})
	if err != nil {
		return 0, err
	}
	var endpoints []Object
	for version, workload := range service.Workloads {
		addresses, err := c.workload(ctx, workload, number*2+version, replicas)
		if err != nil {
			return len(endpoints), err
		}
		endpoints = append(endpoints, addresses...)
	}
	slice := Object{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
		"metadata": meta(name+"-x", Object{"kubernetes.io/service-name": name}), "endpoints": endpoints,
		"ports": []Object{{"name": string(service.Protocol), "port": 8080, "protocol": "TCP"}}}
	if _, err := c.create(ctx, "/apis/discovery.k8s.io/v1/namespaces/"+service.Namespace+"/endpointslices", slice); err != nil {
		return len(endpoints), err
	}
	if len(service.Workloads) > 1 {
		err = c.weights(ctx, service)
	}
	return len(endpoints), err
}

// weights splits a service's requests between its versions.
func (c *Cluster) weights(ctx context.Context, service *Service) error {
	var subsets, route []Object
	for _, workload := range service.Workloads {
		subsets = append(subsets, Object{"name": workload.Version, "labels": Object{"version": workload.Version}})
		route = append(route, Object{"destination": Object{"host": service.Name, "subset": workload.Version}, "weight": int(workload.Share*100 + 0.5)})
	}
	istio := "/apis/networking.istio.io/v1/namespaces/" + service.Namespace
	rule := Object{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": Object{"name": service.Name},
		"spec": Object{"host": service.Name, "subsets": subsets}}
	if _, err := c.create(ctx, istio+"/destinationrules", rule); err != nil {
		return err
	}
	_, err := c.create(ctx, istio+"/virtualservices", Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": Object{"name": service.Name}, "spec": Object{"hosts": []string{service.Name}, "http": []Object{{"route": route}}}})
	return err
}

// workload writes a Deployment with its ReplicaSet and pods, and returns their addresses.
func (c *Cluster) workload(ctx context.Context, workload Workload, number, replicas int) ([]Object, error) {
	core, apps := "/api/v1/namespaces/"+workload.Namespace, "/apis/apps/v1/namespaces/"+workload.Namespace
	hash := fmt.Sprintf("%08x", number*2_654_435_761%(1<<32))
	labels := Object{"app": workload.App, "version": workload.Version}
	hashed := Object{"app": workload.App, "version": workload.Version, "pod-template-hash": hash}
	counts := Object{"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}
	spec := func(labels Object) Object {
		return Object{"replicas": replicas, "selector": Object{"matchLabels": labels},
			"template": Object{"metadata": Object{"labels": labels}, "spec": podSpec()}}
	}
	deployment, err := c.create(ctx, apps+"/deployments", Object{"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": Object{"name": workload.Name, "labels": labels}, "spec": spec(labels), "status": counts})
	if err != nil {
		return nil, err
	}
	set, err := c.create(ctx, apps+"/replicasets", Object{"apiVersion": "apps/v1", "kind": "ReplicaSet",
		"metadata": Object{"name": workload.Name + "-" + hash, "labels": hashed, "ownerReferences": owner("Deployment", deployment)},
		"spec":     spec(hashed), "status": counts})
	if err != nil {
		return nil, err
	}
	var endpoints []Object
	for replica := range replicas {
		name := fmt.Sprintf("%s-%s-%05d", workload.Name, hash, replica)
		ip := fmt.Sprintf("10.%d.%d.%d", 64+number/250, number%250, replica+2)
		pod := Object{"apiVersion": "v1", "kind": "Pod",
			"metadata": Object{"name": name, "labels": hashed, "ownerReferences": owner("ReplicaSet", set),
				"annotations": Object{"sidecar.istio.io/status": `{"containers":["istio-proxy"],"revision":"default"}`}},
			"spec":   podSpec(),
			"status": podStatus(ip)}
		if _, err := c.create(ctx, core+"/pods", pod); err != nil {
			return nil, err
		}
		endpoints = append(endpoints, Object{"addresses": []string{ip}, "conditions": Object{"ready": true},
			"targetRef": Object{"kind": "Pod", "name": name, "namespace": workload.Namespace}})
	}
	return endpoints, nil
}

func owner(kind string, of Object) []Object {
	meta := of["metadata"].(Object)
	return []Object{{"apiVersion": "apps/v1", "kind": kind, "name": meta["name"], "uid": meta["uid"], "controller": true}}
}

// podSpec is about as long as a real one with an ordinary sidecar: what it costs to read is the point.
func podSpec() Object {
	variables := []Object{}
	for number := range 12 {
		variables = append(variables, Object{"name": fmt.Sprintf("SETTING_%02d", number), "value": "http://otel-collector.observability.svc:4317/v1/traces"})
	}
	container := func(name string, port int) Object {
		return Object{"name": name, "image": "registry.example/" + name + ":1", "env": variables,
			"ports":          []Object{{"containerPort": port, "name": "p" + fmt.Sprint(port)}},
			"readinessProbe": Object{"httpGet": Object{"path": "/healthz", "port": port}, "periodSeconds": 5},
			"resources":      Object{"requests": Object{"cpu": "10m", "memory": "32Mi"}}}
	}
	return Object{"serviceAccountName": "default", "automountServiceAccountToken": false, "nodeName": "node-1",
		"containers": []Object{container("app", 8080), container("istio-proxy", 15090)}}
}

func podStatus(ip string) Object {
	now := time.Now().UTC().Format(time.RFC3339)
	container := func(name string) Object {
		return Object{"name": name, "ready": true, "image": "registry.example/" + name + ":1", "imageID": "sha256:" + name, "restartCount": 0,
			"state": Object{"running": Object{"startedAt": now}}}
	}
	return Object{"phase": "Running", "podIP": ip, "podIPs": []Object{{"ip": ip}}, "startTime": now,
		"conditions":        []Object{{"type": "Ready", "status": "True"}},
		"containerStatuses": []Object{container("app"), container("istio-proxy")}}
}
