package main

import (
	"fmt"
	"hash/fnv"
	"testing"
	"time"
)

// digest of everything a mesh says after a time.
func digest(mesh *Mesh, after time.Duration) (uint64, int) {
	h, n := fnv.New64a(), 0
	mesh.Each(func(s Series) {
		fmt.Fprintln(h, s.Labels, s.At(after))
		n++
	})
	return h.Sum64(), n
}

func TestTheSameSeedIsTheSameMesh(t *testing.T) {
	size := Size{Namespaces: 11, Services: 6, Pods: 2}
	first, n := digest(Build(size, 1), time.Minute)
	again, _ := digest(Build(size, 1), time.Minute)
	other, _ := digest(Build(size, 2), time.Minute)
	if first != again || first == other || n < 5000 {
		t.Fatalf("%x %x %x, %d series", first, again, other, n)
	}
}

func TestNoTwoCountersAreOneSeries(t *testing.T) {
	seen := map[string]bool{}
	Build(Size{Namespaces: 50, Services: 10, Pods: 2}, 1).Each(func(s Series) {
		key := fmt.Sprint(s.Labels)
		if seen[key] {
			t.Fatalf("twice: %s", key)
		}
		seen[key] = true
	})
}

func TestCountersNeverFall(t *testing.T) {
	it := Series{PerS: 3.7}
	for second := range 600 {
		if it.At(time.Duration(second+1)*time.Second) < it.At(time.Duration(second)*time.Second) {
			t.Fatalf("falls after %d s", second)
		}
	}
}
