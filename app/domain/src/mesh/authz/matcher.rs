//! What a value in a rule matches (istio's `pilot/pkg/security/authz/matcher` and `model/generator.go`).

use std::net::IpAddr;

/// What Istio writes before a principal.
pub(super) const SPIFFE: &str = "spiffe://";

/// `*` anything but nothing, `*x` a suffix, `x*` a prefix, else exactly. A star elsewhere is a star.
pub(super) fn text(pattern: &str, value: &str) -> bool {
    if pattern == "*" {
        !value.is_empty()
    } else if let Some(suffix) = pattern.strip_prefix('*') {
        value.ends_with(suffix)
    } else if let Some(prefix) = pattern.strip_suffix('*') {
        value.starts_with(prefix)
    } else {
        value == pattern
    }
}

/// As [`text`], but `*` takes an empty value too: the header is there.
pub(super) fn header(pattern: &str, value: &str) -> bool {
    pattern == "*" || text(pattern, value)
}

/// As [`header`], whatever the case.
pub(super) fn host(pattern: &str, value: &str) -> bool {
    header(&pattern.to_ascii_lowercase(), &value.to_ascii_lowercase())
}

/// As [`text`] for a peer's URI, where the pattern leaves `spiffe://` out.
pub(super) fn principal(pattern: &str, uri: &str) -> bool {
    if pattern == "*" {
        return !uri.is_empty();
    }
    uri.strip_prefix(SPIFFE).is_some_and(|rest| text(pattern, rest))
}

/// The namespace in a peer's URI; a star stands for anything, also across slashes.
pub(super) fn namespace(pattern: &str, uri: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let last = parts.len() - 1;
    let mut from = 0;
    for (index, part) in parts.iter().enumerate() {
        let start = if index == 0 { "/ns/" } else { "" };
        let end = if index == last { "/" } else { "" };
        let piece = format!("{start}{part}{end}");
        match uri.get(from..).and_then(|rest| rest.find(&piece)) {
            Some(at) => from += at + piece.len(),
            None => return false,
        }
    }
    true
}

/// `account` (of the policy's namespace) or `namespace/account` in a peer's URI; segments may stand before and after the account.
pub(super) fn service_account(pattern: &str, policy_namespace: &str, uri: &str) -> bool {
    let (namespace, account) = pattern.split_once('/').unwrap_or((policy_namespace, pattern));
    let Some(rest) = uri.strip_prefix(SPIFFE) else {
        return false;
    };
    let (ns, sa) = (format!("/ns/{namespace}/"), format!("sa/{account}"));
    rest.match_indices(&ns).filter(|(at, _)| *at > 0).any(|(at, _)| {
        let rest = &rest[at + ns.len()..];
        rest.match_indices(&sa).any(|(at, _)| {
            let (before, after) = (&rest[..at], &rest[at + sa.len()..]);
            let begins = before.is_empty() || (before.len() > 1 && before.ends_with('/'));
            begins && (after.is_empty() || (after.len() > 1 && after.starts_with('/')))
        })
    })
}

/// The trust domain in a peer's URI; a star stands for anything but a slash.
pub(super) fn trust_domain(pattern: &str, uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix(SPIFFE) else {
        return false;
    };
    if pattern == "*" {
        return true;
    }
    let Some((domain, _)) = rest.split_once('/') else {
        return false;
    };
    match pattern.split_once('*') {
        None => domain == pattern,
        Some((start, end)) => {
            domain.len() >= start.len() + end.len() && domain.starts_with(start) && domain.ends_with(end)
        }
    }
}

/// `issuer/subject`, divided at the last slash (`requestPrincipalGenerator`). A claim that is missing matches nothing.
pub(super) fn request_principal(pattern: &str, issuer: Option<&str>, subject: Option<&str>) -> bool {
    let some = |value: &str| !value.is_empty();
    let divided = pattern.rsplit_once('/');
    let (Some(iss), Some(sub)) = (issuer, subject) else {
        return false;
    };
    if pattern == "*" {
        return some(iss) && some(sub);
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        return match divided {
            Some(("*", subject)) => some(iss) && sub == subject,
            Some((issuer, subject)) => iss.ends_with(&issuer[1..]) && sub == subject,
            None => some(iss) && sub.ends_with(rest),
        };
    }
    if let Some(rest) = pattern.strip_suffix('*') {
        return match divided {
            Some((issuer, "*")) => iss == issuer && some(sub),
            Some((issuer, subject)) => iss == issuer && sub.starts_with(&subject[..subject.len() - 1]),
            None => iss.starts_with(rest) && some(sub),
        };
    }
    let (issuer, subject) = divided.unwrap_or((pattern, ""));
    iss == issuer && sub == subject
}

/// An address, or a range in CIDR notation; host bits count for nothing.
pub(super) fn block(text: &str) -> Option<(IpAddr, u8)> {
    let Some((address, bits)) = text.split_once('/') else {
        let address: IpAddr = text.parse().ok()?;
        return Some((address, if address.is_ipv4() { 32 } else { 128 }));
    };
    let address: IpAddr = address.parse().ok()?;
    let plain = bits.bytes().all(|it| it.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
    let bits: u8 = bits.parse().ok()?;
    (plain && bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// Whether the address lies in the block. The families never mix.
pub(super) fn within((start, bits): (IpAddr, u8), address: IpAddr) -> bool {
    match (start, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            (u32::from(a) ^ u32::from(b)) & mask == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            (u128::from(a) ^ u128::from(b)) & mask == 0
        }
        _ => false,
    }
}

/// A port's number.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::{
        block, header, host, namespace, port, principal, request_principal, service_account, text,
        trust_domain, within,
    };

    const URI: &str = "spiffe://cluster.local/ns/shop/sa/cart";

    #[test]
    fn a_star_is_a_prefix_a_suffix_or_presence() {
        for (pattern, value, expected) in [
            ("*", "a", true),
            ("*", "", false),
            ("*b", "ab", true),
            ("*b", "ba", false),
            ("a*", "ab", true),
            ("a*", "ba", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "ab", false),
            ("a*c", "abc", false),
            ("a*c", "a*c", true),
            ("*a*", "xa*", true),
            ("*a*", "xay", false),
            ("", "", true),
        ] {
            assert_eq!(text(pattern, value), expected, "{pattern} {value}");
        }
        assert!(header("*", "") && !header("x*", ""));
        assert!(host("A.example", "a.EXAMPLE") && host("*.EXAMPLE", "a.example") && host("A.*", "a.b"));
        assert!(!host("a.example", "a.example:8080"));
    }

    #[test]
    fn principals_leave_the_scheme_out() {
        for (pattern, expected) in [
            ("*", true),
            ("cluster.local/ns/shop/sa/cart", true),
            ("cluster.local/ns/shop/*", true),
            ("*/sa/cart", true),
            ("*/sa/car", false),
            ("spiffe://*", false),
            ("cluster.local/ns/shop/sa/car", false),
        ] {
            assert_eq!(principal(pattern, URI), expected, "{pattern}");
            assert!(!principal(pattern, ""), "{pattern}");
        }
    }

    #[test]
    fn namespaces_are_whole_segments_with_stars() {
        for (pattern, expected) in [
            ("shop", true),
            ("sho", false),
            ("hop", false),
            ("s*", true),
            ("*op", true),
            ("*", true),
            ("s*p", true),
            ("s*x", false),
            ("x*", false),
            ("shop*sa", true),
            ("*hop*op", false),
        ] {
            assert_eq!(namespace(pattern, URI), expected, "{pattern}");
        }
        assert!(!namespace("shop", "spiffe://cluster.local/ns/shop"));
        assert!(!namespace("*", ""));
    }

    #[test]
    fn service_accounts_are_of_the_policys_namespace_unless_they_name_one() {
        for (pattern, home, uri, expected) in [
            ("cart", "shop", URI, true),
            ("cart", "other", URI, false),
            ("shop/cart", "other", URI, true),
            ("shop/car", "other", URI, false),
            ("shop/art", "other", URI, false),
            ("shop/cart", "x", "spiffe://td/ns/shop/x/y/sa/cart", true),
            ("shop/cart", "x", "spiffe://td/ns/shop/xsa/cart", false),
            ("shop/cart", "x", "spiffe://td/ns/shop//sa/cart", false),
            ("shop/cart", "x", "spiffe://td/ns/shop/sa/cart/z", true),
            ("shop/cart", "x", "spiffe://td/ns/shop/sa/cart/", false),
            ("shop/cart", "x", "spiffe:///ns/shop/sa/cart", false),
            ("shop/cart", "x", "td/ns/shop/sa/cart", false),
        ] {
            assert_eq!(
                service_account(pattern, home, uri),
                expected,
                "{pattern} {home} {uri}"
            );
        }
    }

    #[test]
    fn trust_domains_end_at_the_first_slash() {
        for (pattern, expected) in [
            ("*", true),
            ("cluster.local", true),
            ("cluster", false),
            ("cluster.*", true),
            ("*.local", true),
            ("*.loca", false),
            ("x*", false),
            ("cluster.lo*local", false),
            ("*ns", false),
        ] {
            assert_eq!(trust_domain(pattern, URI), expected, "{pattern}");
            assert!(!trust_domain(pattern, ""), "{pattern}");
        }
        assert!(!trust_domain("td", "spiffe://td"));
        // Start and end may not share letters.
        assert!(!trust_domain("aa*a", "spiffe://aa/ns/n/sa/s"));
    }

    #[test]
    fn request_principals_are_divided_at_the_last_slash() {
        let of = |pattern: &str| request_principal(pattern, Some("https://i.example/x"), Some("me"));
        for (pattern, expected) in [
            ("*", true),
            ("https://i.example/x/me", true),
            ("https://i.example/x/you", false),
            ("https://i.example/x/*", true),
            ("https://i.example/x/m*", true),
            ("https://i.example/x/y*", false),
            ("https://i.example/*", false),
            ("*/me", true),
            ("*/you", false),
            ("*/x/me", true),
            ("*/y/me", false),
            ("*e", true),
            ("*you", false),
            ("i*", false),
            ("https://i.example/x", false),
            ("me", false),
        ] {
            assert_eq!(of(pattern), expected, "{pattern}");
        }
        assert!(request_principal("iss*", Some("issuer"), Some("me")));
        assert!(!request_principal("iss*", Some("issuer"), Some("")));
        assert!(!request_principal("*", Some("issuer"), None) && !request_principal("*", None, Some("me")));
        assert!(
            !request_principal("*", Some(""), Some("me")) && !request_principal("*", Some("i"), Some(""))
        );
        assert!(!request_principal("*/me", Some(""), Some("me")));
        assert!(!request_principal("*me", Some(""), Some("me")));
        assert!(!request_principal("i/*", Some("i"), Some("")));
        assert!(request_principal("issuer", Some("issuer"), Some("")));
    }

    #[test]
    fn blocks_cut_host_bits_and_families_never_mix() {
        let holds = |range: &str, address: &str| within(block(range).unwrap(), address.parse().unwrap());
        assert!(holds("10.1.2.3/8", "10.9.9.9") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.0.0.1", "10.0.0.1") && !holds("10.0.0.1", "10.0.0.0"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("fd00::/8", "fd12::1") && !holds("fd00::/8", "fe00::1") && holds("::/0", "::1"));
        assert!(holds("::1", "::1") && !holds("::1", "::2") && !holds("::/0", "1.2.3.4"));
        for bad in [
            "",
            "a",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0/8",
            "10.0.0.0/-1",
        ] {
            assert_eq!(block(bad), None, "{bad}");
        }
        assert!(block("10.0.0.0/32").is_some() && block("::/128").is_some() && block("10.0.0.0/0").is_some());
    }

    #[test]
    fn ports_are_numbers() {
        assert_eq!(
            (port("80"), port("080"), port("65535")),
            (Some(80), Some(80), Some(65535))
        );
        for bad in ["", "+80", "-1", "65536", "http", "8 0"] {
            assert_eq!(port(bad), None, "{bad}");
        }
    }
}
