package main

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"
)

func TestEveryRequestIsAnsweredLostOrInFlight(t *testing.T) {
	tl := newTally([]string{"/users/", "/products/"})
	for range 5 {
		tl.begin("/users/")
	}
	tl.record("/users/", answer{200, "v1"}, nil, time.Millisecond)
	tl.record("/users/", answer{503, ""}, nil, time.Millisecond)
	tl.record("/users/", answer{}, errors.New("cut"), time.Millisecond)
	w := httptest.NewRecorder()
	tl.handler(&pace{})(w, nil)
	var got struct {
		Total    sums
		InFlight int64 `json:"in_flight"`
		Paths    map[string]sums
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total.Sent != 5 || got.Total.Answered != 2 || got.Total.Lost != 1 || got.InFlight != 2 {
		t.Fatalf("got %+v, %d in flight", got.Total, got.InFlight)
	}
	users := got.Paths["/users/"]
	if users.ByVersion["v1"] != 1 || users.ByVersion["none"] != 1 || users.ByCode["503"] != 1 {
		t.Fatalf("got %+v", users)
	}
	if got.Paths["/products/"].Sent != 0 {
		t.Fatal("a path counts what was sent to another")
	}
}

func TestCanaryShareIsSpreadEvenly(t *testing.T) {
	tl := newTally([]string{"/", "/other"})
	if err := tl.setCanary("25"); err != nil {
		t.Fatal(err)
	}
	marked := 0
	for range 200 {
		if tl.header("/").Get("Canary") == "true" {
			marked++
		}
		tl.header("/other")
	}
	if marked != 50 {
		t.Fatalf("25 %% of 200 is not %d", marked)
	}
	if tl.setCanary("101") == nil || tl.setCanary("x") == nil {
		t.Fatal("a share outside 0 to 100 is taken")
	}
}

func TestPaceIsBounded(t *testing.T) {
	p := &pace{}
	for _, bad := range []string{"-1", "1e9", "many", ""} {
		if p.set(bad) == nil {
			t.Errorf("%q is taken for a pace", bad)
		}
	}
	if err := p.set("0.5"); err != nil || p.rps() != 0.5 {
		t.Fatalf("got %g, %v", p.rps(), err)
	}
}
