// Command kubelet runs the pods of one node as plain processes of this machine, so that a whole mesh fits on one
// bare Linux host without a container engine.
//
// A pod is a network namespace on a bridge. A container is a process in it with its own mount, pid, uts and ipc
// namespaces, whose file system is an overlay of the host's root with the pod's volumes bound over it. Nothing is
// pulled: a list (images.go) says which host program an image name stands for. This is a laboratory and no isolation.
//
//	kubelet run       register the node and run its pods until SIGTERM
//	kubelet container (internal) become a container
//	kubelet cleanup   remove what a killed kubelet left behind
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
)

type options struct {
	kubeconfig, node, bridge, address, serviceCIDR, dir, images, targets string
}

func parse(args []string) options {
	var o options
	f := flag.NewFlagSet("kubelet", flag.ExitOnError)
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of a cluster admin")
	f.StringVar(&o.node, "node", "naru-node", "name of the node")
	f.StringVar(&o.bridge, "bridge", "naru0", "bridge to make; its name also marks this lab's network namespaces")
	f.StringVar(&o.address, "address", "10.99.0.1/16", "address of the bridge, with the pods' prefix length")
	f.StringVar(&o.serviceCIDR, "services", "10.96.0.0/16", "range of the Services' addresses")
	f.StringVar(&o.dir, "dir", "", "directory for the pods' volumes and logs")
	f.StringVar(&o.images, "images", "", "list of the images (JSON)")
	f.StringVar(&o.targets, "targets", "", "Prometheus file_sd list to keep")
	_ = f.Parse(args)
	return o
}

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if len(os.Args) < 2 {
		fatal(fmt.Errorf("usage: kubelet run|container|cleanup [flags]"))
	}
	switch args := os.Args[2:]; os.Args[1] {
	case "container":
		becomeContainer(args[0])
	case "cleanup":
		removeLeftovers(parse(args).bridge)
	case "run":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		fatal(runNode(ctx, parse(args)))
	default:
		fatal(fmt.Errorf("kubelet has no command %q", os.Args[1]))
	}
}

func runNode(ctx context.Context, o options) error {
	n, err := newNode(o)
	if err != nil {
		return err
	}
	// Pods of a kubelet that was killed still run; they are started again from the API's view of them.
	removeLeftovers(o.bridge)
	if err := makeBridge(o.bridge, o.address); err != nil {
		return err
	}
	defer removeLeftovers(o.bridge)
	if err := n.register(ctx); err != nil {
		return fmt.Errorf("registering the node: %w", err)
	}
	if err := n.watchServices(ctx); err != nil {
		return err
	}
	listeners := []func() error{n.serveDNS, n.forwardAPI, n.serveStreams}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- l() }()
	}
	go n.heartbeat(ctx)
	go n.trimLogs(ctx)
	if err := n.watchPods(ctx); err != nil {
		return err
	}
	log.Printf("node %s is ready on %s %s", o.node, o.bridge, o.address)
	defer n.cancelPods()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func prefixLength(subnet *net.IPNet) int {
	ones, _ := subnet.Mask.Size()
	return ones
}
