//! Host names with wildcards, as Istio and Envoy compare them.

use crate::{Name, mesh::DOMAIN, object::Object};

/// Whether all names of `a` are names of `b`. A wildcard is a suffix, not a label: `*.com` covers `a.b.com`, and `*.a.com` does not cover
/// `a.com`. (`Name.SubsetOf` in istio's `pkg/config/host`.)
pub fn subset_of(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (Some(a), Some(b)) => a.ends_with(b),
        (Some(_), None) => false,
        (None, Some(b)) => a.ends_with(b),
        (None, None) => a == b,
    }
}

/// Whether the two have a name in common as Istio sees it: one covers the other. (`Name.Matches` there.)
pub fn overlap(a: &str, b: &str) -> bool {
    subset_of(a, b) || subset_of(b, a)
}

/// Names that both lists cover, in order, each once. (`Names.Intersection` there.)
pub fn intersection(ours: &[Name], theirs: &[Name]) -> Vec<Name> {
    let mut both: Vec<Name> = Vec::new();
    for our in ours {
        for their in theirs {
            let narrow = if subset_of(our, their) {
                our
            } else if subset_of(their, our) {
                their
            } else {
                continue;
            };
            if !both.contains(narrow) {
                both.push(narrow.clone());
            }
        }
    }
    both
}

/// A Gateway's hosts that VirtualServices of this namespace may use, without the namespace before the slash.
/// (`NamesForNamespace` there; Istio reference, `Server.hosts`.)
pub fn for_namespace(hosts: &[Name], namespace: &str) -> Vec<Name> {
    let named = hosts.iter().filter_map(|host| match host.split_once('/') {
        None => Some(host.clone()),
        Some((whose, name)) => (whose == namespace || whose == "*").then(|| name.into()),
    });
    named.collect()
}

/// The host among `hosts` that Envoy takes for a Host header: the exact one, then the longest wildcard, then `*`; case and the header's
/// port do not matter (`ignore_port_in_host_matching`, which Istio sets at gateways). None for an empty header.
pub fn envoy_host<'a>(header: &str, hosts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = without_port(header).to_ascii_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let rank = |host: &str| match host.strip_prefix('*') {
        None => (host == wanted).then_some((2, host.len())),
        Some("") => Some((0, 0)),
        Some(suffix) => {
            (wanted.len() > suffix.len() && wanted.ends_with(suffix)).then_some((1, suffix.len()))
        }
    };
    hosts
        .filter_map(|host| Some((rank(host)?, host)))
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, host)| host)
}

/// A Host header without its port; brackets of an IPv6 address stay.
pub fn without_port(header: &str) -> &str {
    match header.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|it| it.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => header,
    }
}

/// A VirtualService's hosts as Istio reads them: short names completed with its own namespace.
pub fn hosts(virtual_service: &Object) -> Vec<Name> {
    let namespace = &virtual_service.key().namespace;
    let complete = |host: Name| -> Name {
        if host.contains('.') || &*host == "*" || host.contains(':') {
            host
        } else {
            format!("{host}.{namespace}.svc.{DOMAIN}").into()
        }
    };
    super::super::route::hosts(virtual_service)
        .into_iter()
        .map(complete)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{envoy_host, for_namespace, intersection, overlap, subset_of, without_port};
    use crate::{Name, mesh::route::matching::gateway};

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|&it| it.into()).collect()
    }

    #[test]
    fn a_wildcard_is_a_suffix_and_not_the_name_itself() {
        assert!(subset_of("a.b.com", "*.com") && subset_of("*.b.com", "*.com") && subset_of("*", "*"));
        assert!(
            !subset_of("b.com", "*.b.com") && !subset_of("*.com", "*.b.com") && !subset_of("*.com", "a.com")
        );
        assert!(subset_of("a", "a") && !subset_of("a", "b"));
        assert!(overlap("*.com", "*.b.com") && overlap("*.com", "a.com") && !overlap("a.com", "b.com"));
    }

    #[test]
    fn the_narrower_host_of_both_is_served() {
        let both = |a: &[&str], b: &[&str]| intersection(&names(a), &names(b));
        assert_eq!(both(&["*.com"], &["a.com", "b.org"]), names(&["a.com"]));
        assert_eq!(both(&["a.com", "b.com"], &["*"]), names(&["a.com", "b.com"]));
        assert_eq!(both(&["*.com", "*"], &["*.b.com"]), names(&["*.b.com"]));
        assert_eq!(both(&["a.com"], &["b.com"]), names(&[]));
    }

    #[test]
    fn a_namespace_before_the_host_shuts_other_namespaces_out() {
        let hosts = names(&["n/a.com", "b.com", "*/c.com"]);
        assert_eq!(for_namespace(&hosts, "n"), names(&["a.com", "b.com", "c.com"]));
        assert_eq!(for_namespace(&hosts, "m"), names(&["b.com", "c.com"]));
    }

    #[test]
    fn envoy_takes_the_exact_host_then_the_longest_wildcard() {
        let found = |header: &str, hosts: &[&'static str]| envoy_host(header, hosts.iter().copied());
        assert_eq!(found("A.com:8080", &["*", "*.com", "a.com"]), Some("a.com"));
        assert_eq!(
            found("x.a.com", &["*", "*.com", "*.a.com", "a.com"]),
            Some("*.a.com")
        );
        assert_eq!(found("a.com", &["*.a.com"]), None);
        assert_eq!(found("a.org", &["*.com", "*"]), Some("*"));
        assert_eq!(found("", &["*"]), None);
        assert_eq!(found(".a.com", &["*.a.com"]), None);
    }

    #[test]
    fn ports_of_hosts_are_cut_and_addresses_stay_whole() {
        for (header, host) in [
            ("a:80", "a"),
            ("a", "a"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(without_port(header), host);
        }
    }

    #[test]
    fn a_gateways_name_means_the_virtual_services_own_namespace() {
        for (name, full) in [
            ("mesh", "mesh"),
            ("g", "n/g"),
            ("m/g", "m/g"),
            ("./g", "n/g"),
            ("g.m", "m/g"),
            ("g.m.svc.cluster.local", "m/g"),
        ] {
            assert_eq!(&*gateway(name, "n"), full);
        }
    }
}
