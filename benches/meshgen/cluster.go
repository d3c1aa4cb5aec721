package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"time"
)

// Cluster is an API server, spoken to as an administrator.
type Cluster struct {
	server string
	client *http.Client
}

// OpenCluster reads a kubeconfig of one cluster and one user whose certificates are in it, as the lab writes them.
func OpenCluster(path string) (*Cluster, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	field := func(name string) string {
		found := regexp.MustCompile(name + `:\s*"?([^"\s,}]+)`).FindSubmatch(text)
		if found == nil {
			return ""
		}
		return string(found[1])
	}
	decoded := func(name string) []byte {
		data, _ := base64.StdEncoding.DecodeString(field(name))
		return data
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(decoded("certificate-authority-data"))
	own, err := tls.X509KeyPair(decoded("client-certificate-data"), decoded("client-key-data"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
		ForceAttemptHTTP2: true,
	}
	return &Cluster{field("server"), &http.Client{Transport: transport, Timeout: time.Minute}}, nil
}

// send sends an object and returns the stored one. What is there already is left as it is.
func (c *Cluster) send(ctx context.Context, method, path string, object Object) (Object, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 && response.StatusCode != http.StatusConflict {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, path, response.StatusCode, answer)
	}
	var stored Object
	return stored, json.Unmarshal(answer, &stored)
}

// create stores an object, and its status where it has one: the API server drops the status of what it creates.
func (c *Cluster) create(ctx context.Context, collection string, object Object) (Object, error) {
	stored, err := c.send(ctx, http.MethodPost, collection, object)
	status, has := object["status"]
	if err != nil || !has || stored["kind"] == "Status" {
		return stored, err
	}
	stored["status"] = status
	name := stored["metadata"].(Object)["name"].(string)
	return c.send(ctx, http.MethodPut, collection+"/"+name+"/status", stored)
}
