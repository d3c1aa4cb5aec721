package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// image says what an image name stands for on this host.
type image struct {
	Command []string          `json:"command"`
	Env     map[string]string `json:"env"`
	Mounts  map[string]string `json:"mounts"` // host path to path in the container
	UID     *int64            `json:"uid"`
}

func readImages(path string) (map[string]image, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the list of images: %w", err)
	}
	var images map[string]image
	if err := json.Unmarshal(b, &images); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return images, nil
}

// image finds the longest listed name that the image's name begins with, so tags and digests need no entries.
func (n *node) image(name string) (image, error) {
	best := ""
	for listed := range n.images {
		if strings.HasPrefix(name, listed) && len(listed) > len(best) {
			best = listed
		}
	}
	if best == "" {
		return image{}, fmt.Errorf("image %q stands for no program; add it to lib/images.sh", name)
	}
	return n.images[best], nil
}
