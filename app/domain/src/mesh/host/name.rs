//! Host names with wildcards. (`pkg/config/host` in istio.)

/// `*` or `*.suffix`.
pub(crate) fn wild(host: &str) -> bool {
    host.starts_with('*')
}

/// Whether two names overlap.
pub(crate) fn matches(a: &str, b: &str) -> bool {
    subset_of(a, b) || subset_of(b, a)
}

/// Whether all that `a` names is named by `b`.
pub(crate) fn subset_of(a: &str, b: &str) -> bool {
    match (a.strip_prefix('*'), b.strip_prefix('*')) {
        (Some(a), Some(b)) => a.len() >= b.len() && a.ends_with(b),
        (None, Some(b)) => a.ends_with(b),
        (Some(_), None) => false,
        (None, None) => a == b,
    }
}

/// The name among `wildcards` that says most about `host`: the longest.
pub(crate) fn most_specific<'a>(host: &str, wildcards: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let needle = host.strip_prefix('*').unwrap_or(host);
    wildcards
        .filter(|it| {
            it.strip_prefix('*')
                .is_some_and(|suffix| needle.ends_with(suffix))
        })
        .max_by(|a, b| a.len().cmp(&b.len()).then_with(|| b.cmp(a)))
}

#[cfg(test)]
mod tests {
    use super::{matches, most_specific, subset_of};

    #[test]
    fn names_overlap_by_suffix() {
        for (a, b, overlap, within) in [
            ("foo.com", "foo.com", true, true),
            ("foo.com", "bar.com", false, false),
            ("foo.com", "*.com", true, true),
            ("*.com", "foo.com", true, false),
            ("*.foo.com", "foo.com", false, false),
            ("*.foo.com", "*.com", true, true),
            ("*.com", "*.foo.com", true, false),
            ("*", "*.com", true, false),
            ("*.com", "*", true, true),
        ] {
            assert_eq!((matches(a, b), subset_of(a, b)), (overlap, within), "{a} {b}");
        }
    }

    #[test]
    fn the_longest_wildcard_says_most() {
        let all = ["*", "*.com", "*.b.com", "*.c.com"];
        assert_eq!(most_specific("a.b.com", all.into_iter()), Some("*.b.com"));
        assert_eq!(most_specific("a.com", all.into_iter()), Some("*.com"));
        assert_eq!(most_specific("a.org", all.into_iter()), Some("*"));
        assert_eq!(most_specific("a.org", ["*.com"].into_iter()), None);
        assert_eq!(most_specific("*.b.com", all.into_iter()), Some("*.b.com"));
    }
}
