package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLinesOfNginxAreCountedByHostAndService(t *testing.T) {
	e := &edge{namespace: "istio-system", service: "gw", ingress: "i", series: map[string]*edgeSeries{}}
	for _, line := range []string{
		`<190>Nov 29 21:00:00 pod nginx: {"host":"a.example","method":"GET","status":200,"seconds":0.010,"upstream":"10.0.0.1:80"}`,
		`<190>Nov 29 21:00:00 pod nginx: {"host":"a.example","method":"GET","status":200,"seconds":0.030,"upstream":"10.0.0.1:80"}`,
		`<190>Nov 29 21:00:00 pod nginx: {"host":"a.example","method":"GET","status":413,"seconds":0,"upstream":""}`,
		`no log line`, `{"host":`,
	} {
		e.take([]byte(line))
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`nginx_ingress_controller_requests{host="a.example",ingress="i",method="GET",namespace="istio-system",service="gw",status="200"} 2`,
		`nginx_ingress_controller_requests{host="a.example",ingress="i",method="GET",namespace="istio-system",service="",status="413"} 1`,
		`nginx_ingress_controller_request_duration_seconds_sum{host="a.example",ingress="i",method="GET",namespace="istio-system",service="gw",status="200"} 0.04`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("missing %s in\n%s", want, w.Body.String())
		}
	}
}
