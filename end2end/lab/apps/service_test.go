package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestFaultsHitTheExactShare(t *testing.T) {
	f := &faults{}
	f.set(httptest.NewRecorder(), httptest.NewRequest("POST", "/fault?percent=7&status=500", nil))
	bad := 0
	for range 1000 {
		if f.apply() == http.StatusInternalServerError {
			bad++
		}
	}
	if bad != 70 {
		t.Fatalf("7 %% of 1000 is not %d", bad)
	}
	f.set(httptest.NewRecorder(), httptest.NewRequest("POST", "/fault?percent=0", nil))
	if f.apply() != http.StatusOK {
		t.Fatal("a healed service still fails")
	}
}

func TestAFaultThatIsNoNumberIsRefused(t *testing.T) {
	w := httptest.NewRecorder()
	(&faults{}).set(w, httptest.NewRequest("POST", "/fault?percent=lots", nil))
	if w.Code != http.StatusBadRequest {
		t.Fatalf("got %d", w.Code)
	}
}

func TestRouteOfIsTheFirstPart(t *testing.T) {
	for path, want := range map[string]string{"/users/7/orders": "/users/", "/users": "/users/", "/": "/"} {
		if got := routeOf(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
