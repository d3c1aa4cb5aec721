package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tokens of pods live an hour at least; a lab may run for days.
const volumeRefresh = 10 * time.Minute

func (p *pod) volumeDir(name string) string { return filepath.Join(p.dir, "volumes", name) }

func (p *pod) fillVolumes() error {
	for _, v := range p.object().Spec.Volumes {
		dir := p.volumeDir(v.Name)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o777); err != nil { // the containers' users differ, and umask took bits away
			return err
		}
		if err := p.fillWithPatience(v, dir); err != nil {
			return fmt.Errorf("volume %s: %w", v.Name, err)
		}
	}
	return nil
}

// Config maps such as istio-ca-root-cert are made by a controller after the namespace, so a pod may be early.
func (p *pod) fillWithPatience(v corev1.Volume, dir string) error {
	for try := 0; ; try++ {
		err := p.fillVolume(v, dir)
		if err == nil || try > 100 || p.ctx.Err() != nil {
			return err
		}
		p.pause(200 * time.Millisecond)
	}
}

func (p *pod) refreshVolumes() {
	for p.pause(volumeRefresh); p.ctx.Err() == nil; p.pause(volumeRefresh) {
		for _, v := range p.object().Spec.Volumes {
			if err := p.fillVolume(v, p.volumeDir(v.Name)); err != nil {
				log.Printf("%s: refreshing volume %s: %v", p.name(), v.Name, err)
			}
		}
	}
}

// fillVolume writes what the volume is made of; an emptyDir and a kind unknown to the lab stay empty.
func (p *pod) fillVolume(v corev1.Volume, dir string) error {
	switch {
	case v.ConfigMap != nil:
		return p.fillConfigMap(dir, v.ConfigMap.Name, v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.Secret != nil:
		return p.fillSecret(dir, v.Secret.SecretName, v.Secret.Items, v.Secret.Optional)
	case v.DownwardAPI != nil:
		return p.fillDownward(dir, v.DownwardAPI.Items)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if err := p.fillProjected(dir, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pod) fillProjected(dir string, s corev1.VolumeProjection) error {
	switch {
	case s.ServiceAccountToken != nil:
		token, err := p.token(s.ServiceAccountToken)
		if err != nil {
			return err
		}
		return writeFile(filepath.Join(dir, s.ServiceAccountToken.Path), token)
	case s.ConfigMap != nil:
		return p.fillConfigMap(dir, s.ConfigMap.Name, s.ConfigMap.Items, s.ConfigMap.Optional)
	case s.Secret != nil:
		return p.fillSecret(dir, s.Secret.Name, s.Secret.Items, s.Secret.Optional)
	case s.DownwardAPI != nil:
		return p.fillDownward(dir, s.DownwardAPI.Items)
	}
	return nil
}

func (p *pod) fillConfigMap(dir, name string, items []corev1.KeyToPath, optional *bool) error {
	cm, err := p.node.api.CoreV1().ConfigMaps(p.object().Namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return unlessOptional(err, optional)
	}
	for key, value := range cm.Data {
		if err := writeKey(dir, items, key, []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

func (p *pod) fillSecret(dir, name string, items []corev1.KeyToPath, optional *bool) error {
	s, err := p.node.api.CoreV1().Secrets(p.object().Namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		return unlessOptional(err, optional)
	}
	for key, value := range s.Data {
		if err := writeKey(dir, items, key, value); err != nil {
			return err
		}
	}
	return nil
}

func (p *pod) fillDownward(dir string, items []corev1.DownwardAPIVolumeFile) error {
	for _, it := range items {
		if it.FieldRef == nil {
			continue
		}
		if err := writeFile(filepath.Join(dir, it.Path), []byte(p.field(it.FieldRef.FieldPath))); err != nil {
			return err
		}
	}
	return nil
}

func unlessOptional(err error, optional *bool) error {
	if optional != nil && *optional && errors.IsNotFound(err) {
		return nil
	}
	return err
}

// writeKey writes one key where `items` wants it; without items every key is a file of its own name.
func writeKey(dir string, items []corev1.KeyToPath, key string, value []byte) error {
	if len(items) == 0 {
		return writeFile(filepath.Join(dir, key), value)
	}
	for _, it := range items {
		if it.Key == key {
			return writeFile(filepath.Join(dir, it.Path), value)
		}
	}
	return nil
}

// token asks the API server for a real token, bound to the pod.
func (p *pod) token(want *corev1.ServiceAccountTokenProjection) ([]byte, error) {
	o := p.object()
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: want.ExpirationSeconds,
		BoundObjectRef: &authv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: o.Name, UID: o.UID}}}
	if want.Audience != "" {
		request.Spec.Audiences = []string{want.Audience}
	}
	account := orElse(o.Spec.ServiceAccountName, "default")
	answer, err := p.node.api.CoreV1().ServiceAccounts(o.Namespace).CreateToken(p.ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return []byte(answer.Status.Token), nil
}
