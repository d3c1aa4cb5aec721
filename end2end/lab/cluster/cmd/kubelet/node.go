package main

import (
	"context"
	"log"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const streamPort = 10250

// node is the kubelet's view of the one node it is.
type node struct {
	options
	api      kubernetes.Interface
	apiHost  string // host:port of the API server, on the host's loopback
	caBundle []byte
	hostIP   net.IP
	subnet   *net.IPNet
	images   map[string]image

	services, slices cache.SharedIndexInformer

	targetsMu sync.Mutex

	mu        sync.Mutex
	pods      map[types.UID]*pod
	addresses map[string]bool
	lastHost  uint32
}

func newNode(o options) (*node, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, err
	}
	// The default of 5 requests a second would make the start of the lab wait for its own client.
	cfg.QPS, cfg.Burst = 200, 400
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	n := &node{options: o, api: api, pods: map[types.UID]*pod{}, addresses: map[string]bool{}, lastHost: 10}
	if n.hostIP, n.subnet, err = net.ParseCIDR(o.address); err != nil {
		return nil, err
	}
	if n.images, err = readImages(o.images); err != nil {
		return nil, err
	}
	server, err := url.Parse(cfg.Host)
	if err != nil {
		return nil, err
	}
	n.apiHost = server.Host
	n.caBundle, err = bundleOf(cfg)
	return n, err
}

func bundleOf(cfg *rest.Config) ([]byte, error) {
	if len(cfg.CAData) > 0 {
		return cfg.CAData, nil
	}
	return os.ReadFile(cfg.CAFile)
}

func (n *node) register(ctx context.Context) error {
	wanted := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.node, Labels: map[string]string{
		"kubernetes.io/hostname": n.node, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}}
	cur, err := n.api.CoreV1().Nodes().Create(ctx, wanted, metav1.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		cur, err = n.api.CoreV1().Nodes().Get(ctx, n.node, metav1.GetOptions{})
	}
	if err != nil {
		return err
	}
	// Limits are not enforced; the figures only keep the scheduler from refusing anything.
	room := corev1.ResourceList{"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"), "pods": resource.MustParse("500")}
	cur.Status.Capacity, cur.Status.Allocatable = room, room
	cur.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.hostIP.String()}}
	cur.Status.DaemonEndpoints.KubeletEndpoint.Port = streamPort
	cur.Status.NodeInfo.KubeletVersion = "v1.35.4-processes"
	cur.Status.NodeInfo.OperatingSystem, cur.Status.NodeInfo.Architecture = "linux", "amd64"
	cur.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "ProcessKubelet",
		LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}}
	_, err = n.api.CoreV1().Nodes().UpdateStatus(ctx, cur, metav1.UpdateOptions{})
	return err
}

// heartbeat renews the node's lease; without it the controllers take the node for dead and evict its pods.
func (n *node) heartbeat(ctx context.Context) {
	for {
		if err := n.renewLease(ctx); err != nil && ctx.Err() == nil {
			log.Print("node lease: ", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
	}
}

func (n *node) renewLease(ctx context.Context) error {
	leases := n.api.CoordinationV1().Leases("kube-node-lease")
	seconds, now := int32(40), metav1.NewMicroTime(time.Now())
	l, err := leases.Get(ctx, n.node, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		l = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: n.node},
			Spec: coordinationv1.LeaseSpec{HolderIdentity: &n.node, LeaseDurationSeconds: &seconds, RenewTime: &now}}
		_, err = leases.Create(ctx, l, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	l.Spec.RenewTime = &now
	_, err = leases.Update(ctx, l, metav1.UpdateOptions{})
	return err
}
