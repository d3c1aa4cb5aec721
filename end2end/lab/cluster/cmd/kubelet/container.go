package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// becomeContainer runs inside the pod's network namespace and fresh mount, pid, uts and ipc namespaces. It builds
// the file system, then becomes the container's program; it never returns.
func becomeContainer(path string) {
	log.SetFlags(0)
	log.SetPrefix("kubelet: ")
	raw, err := os.ReadFile(path)
	fatal(err)
	var b box
	fatal(json.Unmarshal(raw, &b))
	root := makeRoot(filepath.Join(filepath.Dir(path), "fs"))
	fatal(os.Remove(root + "/etc/resolv.conf"))
	fatal(os.WriteFile(root+"/etc/resolv.conf", []byte(b.Resolver), 0o644))
	for _, m := range b.Mounts {
		bindInto(root, m)
	}
	fatal(syscall.Sethostname([]byte(b.Hostname)))
	fatal(syscall.Chroot(root))
	if b.Dir == "" {
		b.Dir = "/"
	}
	fatal(os.Chdir(b.Dir))
	for _, e := range b.Env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			os.Setenv("PATH", path)
		}
	}
	if len(b.Argv) == 0 {
		log.Fatal("the container has no command: neither its spec nor its image names one")
	}
	program, err := exec.LookPath(b.Argv[0])
	fatal(err)
	if b.UID != 0 {
		fatal(syscall.Setgroups([]int{b.GID}))
		fatal(syscall.Setgid(b.GID))
		fatal(syscall.Setuid(b.UID))
	}
	fatal(syscall.Exec(program, b.Argv, b.Env))
}

// makeRoot lays a writable overlay over the host's root. Its upper layer is in a tmpfs of its own, because overlayfs
// refuses an upper directory that lies below its lower one; it vanishes with this mount namespace.
func makeRoot(base string) string {
	mountOn("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	fatal(os.MkdirAll(base, 0o755))
	mountOn("tmpfs", base, "tmpfs", 0, "mode=755")
	for _, d := range []string{"upper", "work", "root"} {
		fatal(os.Mkdir(filepath.Join(base, d), 0o755))
	}
	root := filepath.Join(base, "root")
	mountOn("overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=/,upperdir=%s/upper,workdir=%s/work", base, base))
	mountOn("/dev", root+"/dev", "", syscall.MS_BIND|syscall.MS_REC, "")
	mountOn("proc", root+"/proc", "proc", 0, "")
	mountOn("sysfs", root+"/sys", "sysfs", 0, "")
	for _, scratch := range []string{"/tmp", "/run"} {
		mountOn("tmpfs", root+scratch, "tmpfs", 0, "mode=1777")
	}
	return root
}

func bindInto(root string, m mount) {
	// /var/run is a link to /run on the host, and a link would lead out of the new root.
	to := root + strings.Replace(m.To, "/var/run/", "/run/", 1)
	from, err := os.Stat(m.From)
	fatal(err)
	if from.IsDir() {
		fatal(os.MkdirAll(to, 0o755))
	} else {
		fatal(os.MkdirAll(filepath.Dir(to), 0o755))
		f, err := os.OpenFile(to, os.O_CREATE, 0o644)
		fatal(err)
		f.Close()
	}
	mountOn(m.From, to, "", syscall.MS_BIND, "")
}

func mountOn(what, where, kind string, flags uintptr, data string) {
	if err := syscall.Mount(what, where, kind, flags, data); err != nil {
		log.Fatalf("mounting %s on %s (%s %s): %v", what, where, kind, data, err)
	}
}
