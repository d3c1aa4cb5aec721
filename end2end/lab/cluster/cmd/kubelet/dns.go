package main

import (
	"fmt"
	"log"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
)

// serveDNS answers A questions for Services on the bridge address: a ClusterIP, or the ready endpoints of a headless
// Service. Every other name does not exist: pods of the lab have no way to the outside.
func (n *node) serveDNS() error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: n.hostIP, Port: 53})
	if err != nil {
		return fmt.Errorf("the pods' DNS: %w", err)
	}
	buf := make([]byte, 4096)
	for {
		size, from, err := conn.ReadFromUDP(buf)
		if err != nil {
			return fmt.Errorf("the pods' DNS: %w", err)
		}
		var question dnsmessage.Message
		if question.Unpack(buf[:size]) != nil || len(question.Questions) != 1 {
			continue
		}
		answer := n.answer(question)
		out, err := answer.Pack()
		if err != nil {
			log.Print("dns: ", err)
			continue
		}
		_, _ = conn.WriteToUDP(out, from)
	}
}

func (n *node) answer(m dnsmessage.Message) dnsmessage.Message {
	q := m.Questions[0]
	a := dnsmessage.Message{Questions: m.Questions, Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true,
		RecursionDesired: m.RecursionDesired, RecursionAvailable: true}}
	addresses, known := n.resolve(strings.TrimSuffix(q.Name.String(), "."))
	if !known {
		a.RCode = dnsmessage.RCodeNameError
	}
	if q.Type != dnsmessage.TypeA {
		return a
	}
	for _, text := range addresses {
		if v4 := net.ParseIP(text).To4(); v4 != nil {
			a.Answers = append(a.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 2},
				Body:   &dnsmessage.AResource{A: [4]byte(v4)}})
		}
	}
	return a
}

func (n *node) resolve(name string) (addresses []string, known bool) {
	parts := strings.SplitN(strings.ToLower(name), ".", 4)
	if len(parts) < 3 || parts[2] != "svc" || len(parts) == 4 && parts[3] != "cluster.local" {
		return nil, false
	}
	o, ok, err := n.services.GetStore().GetByKey(parts[1] + "/" + parts[0])
	if err != nil || !ok {
		return nil, false
	}
	svc := o.(*corev1.Service)
	if svc.Spec.ClusterIP != corev1.ClusterIPNone {
		return []string{svc.Spec.ClusterIP}, true
	}
	for _, s := range n.slicesOf(svc) {
		for _, e := range s.Endpoints {
			if isReady(e) {
				addresses = append(addresses, e.Addresses...)
			}
		}
	}
	return addresses, true
}
