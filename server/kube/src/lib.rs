//! The Kubernetes adapter: watch, convert, submit, leases; all of kube stays in here.
