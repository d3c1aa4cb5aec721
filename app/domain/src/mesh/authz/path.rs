//! The path that rules see, and path templates.

use serde_json::Value;
use std::collections::BTreeSet;

/// The paths, with the query, that rules may see of `raw`, by `meshConfig.pathNormalization` (BASE unless said otherwise). They are several
/// where versions of Envoy differ (in whether `%41` becomes `A`), or where `defaultConfig.connectionSettings` may have a say; none where the
/// setting is not one of Istio's.
pub(super) fn candidates(mesh_config: &Value, raw: &str) -> BTreeSet<String> {
    let mode = mesh_config.pointer("/pathNormalization/normalization");
    let (normalize, merge, unescape) = match mode.map_or(Some("DEFAULT"), Value::as_str) {
        Some("NONE") => (false, false, false),
        Some("DEFAULT" | "BASE") => (true, false, false),
        Some("MERGE_SLASHES") => (true, true, false),
        Some("DECODE_AND_MERGE_SLASHES") => (true, true, true),
        _ => return BTreeSet::new(),
    };
    let settings = mesh_config.pointer("/defaultConfig/connectionSettings");
    let open = settings.is_some_and(|it| !it.is_null());
    let either = |value: bool| if open { vec![true, false] } else { vec![value] };
    let mut all = BTreeSet::new();
    for merge in either(merge) {
        for unescape in either(unescape) {
            for decode in [true, false] {
                all.insert(normalized(raw, normalize, merge, unescape, decode));
            }
        }
    }
    all
}

fn normalized(raw: &str, normalize: bool, merge: bool, unescape: bool, decode: bool) -> String {
    if !raw.starts_with('/') {
        return raw.into();
    }
    let at = raw.find('?').unwrap_or(raw.len());
    let (path, query) = raw.split_at(at);
    let mut path = path.to_owned();
    if unescape {
        for (escaped, plain) in [("%2F", "/"), ("%2f", "/"), ("%5C", "\\"), ("%5c", "\\")] {
            path = path.replace(escaped, plain);
        }
    }
    if normalize {
        path = canonical(path.as_bytes(), decode);
    }
    while merge && path.contains("//") {
        path = path.replace("//", "/");
    }
    path + query
}

/// Dot segments resolved, backslashes turned, what may not stand in a path escaped, as the URL library that Envoy uses does it.
fn canonical(path: &[u8], decode: bool) -> String {
    let slash = |at: usize| path.get(at).is_none_or(|it| matches!(it, b'/' | b'\\'));
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = path.get(at) {
        if let Some(length) = dot(path, at) {
            let after = at + length;
            if out.last() == Some(&b'/') {
                if slash(after) {
                    at = after + 1;
                    continue;
                }
                if let Some(length) = dot(path, after)
                    && slash(after + length)
                {
                    back_up(&mut out);
                    at = after + length + 1;
                    continue;
                }
            }
            out.push(b'.');
            at = after;
            continue;
        }
        match byte {
            b'\\' => out.push(b'/'),
            b'%' => match escaped(path, at) {
                Some(value) if decode && unreserved(value) => {
                    out.push(value);
                    at += 2;
                }
                _ => out.push(b'%'),
            },
            0..=b' ' | b'"' | b'#' | b'<' | b'>' | b'?' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x7f.. => {
                out.extend(format!("%{byte:02X}").bytes());
            }
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap_or_default()
}

fn dot(path: &[u8], at: usize) -> Option<usize> {
    match path.get(at)? {
        b'.' => Some(1),
        b'%' => (escaped(path, at) == Some(b'.')).then_some(3),
        _ => None,
    }
}

fn escaped(path: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*path.get(at)?).to_digit(16);
    u8::try_from(digit(at + 1)? * 16 + digit(at + 2)?).ok()
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')
}

/// From `/a/b/` to `/a/`; the root stays.
fn back_up(out: &mut Vec<u8>) {
    let end = out.len().saturating_sub(1);
    if let Some(at) = out[..end].iter().rposition(|&it| it == b'/') {
        out.truncate(at + 1);
    }
}

/// The path without query and fragment.
pub(super) fn alone(path: &str) -> &str {
    path.find(['?', '#']).map_or(path, |at| &path[..at])
}

/// Whether a value is a path template.
pub(super) fn is_template(value: &str) -> bool {
    value.contains("{*}") || value.contains("{**}")
}

/// Whether a template matches a path; None if Envoy or Istio's validation would not take it. `{*}` is one segment that is not empty, `{**}`
/// anything, also nothing. (`CheckValidPathTemplate` in istio's `pkg/config/security`; Envoy's `uri_template_lib`.)
pub(super) fn template(pattern: &str, path: &str) -> Option<bool> {
    let segments: Vec<&str> = pattern.strip_prefix('/')?.split('/').collect();
    let any = segments
        .iter()
        .position(|&it| it == "{**}")
        .unwrap_or(segments.len());
    for (index, &segment) in segments.iter().enumerate() {
        let glob = matches!(segment, "{*}" | "{**}");
        let trailing = segment.is_empty() && index + 1 == segments.len();
        let fits = if glob {
            index <= any
        } else {
            trailing || literal(segment)
        };
        if !fits {
            return None;
        }
    }
    Some(matches(&segments, path))
}

fn literal(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(in_segment)
}

/// What Envoy lets a glob take.
fn in_segment(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@".contains(&byte)
}

fn matches(segments: &[&str], path: &str) -> bool {
    let Some((first, rest)) = segments.split_first() else {
        return path.is_empty();
    };
    let Some(path) = path.strip_prefix('/') else {
        return false;
    };
    match *first {
        "{*}" => {
            let end = path.bytes().take_while(|&it| in_segment(it)).count();
            end > 0 && matches(rest, &path[end..])
        }
        "{**}" => {
            let most = path
                .bytes()
                .take_while(|&it| it == b'/' || in_segment(it))
                .count();
            (0..=most).any(|end| matches(rest, &path[end..]))
        }
        text => path.strip_prefix(text).is_some_and(|path| matches(rest, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::{alone, candidates, template};
    use serde_json::{Value, json};

    fn seen(mode: &str, raw: &str) -> Vec<String> {
        let config = json!({"pathNormalization": {"normalization": mode}});
        candidates(&config, raw).into_iter().collect()
    }

    #[test]
    fn paths_are_normalized_by_the_meshs_setting() {
        for (mode, raw, expected) in [
            ("NONE", "/a/../b", "/a/../b"),
            ("BASE", "/a/../b", "/b"),
            ("DEFAULT", "/a/./b", "/a/b"),
            ("BASE", "/a/b/..", "/a/"),
            ("BASE", "/a/b/.", "/a/b/"),
            ("BASE", "/../a", "/a"),
            ("BASE", "/a/%2e%2E/b", "/b"),
            ("BASE", "/a/.%2e/b", "/b"),
            ("BASE", "/a\\b", "/a/b"),
            ("BASE", "/a\\..\\b", "/b"),
            ("BASE", "/a/..b", "/a/..b"),
            ("BASE", "/a/.b", "/a/.b"),
            ("BASE", "/a../b", "/a../b"),
            ("BASE", "/a//b", "/a//b"),
            ("BASE", "/a//../b", "/a/b"),
            ("BASE", "/a%2Fb", "/a%2Fb"),
            ("BASE", "/a%2fb", "/a%2fb"),
            ("BASE", "/a%zzb", "/a%zzb"),
            ("BASE", "/a%", "/a%"),
            ("BASE", "/a b", "/a%20b"),
            ("BASE", "/ü", "/%C3%BC"),
            ("BASE", "/a?x=/../b", "/a?x=/../b"),
            ("BASE", "*", "*"),
            ("BASE", "", ""),
            ("MERGE_SLASHES", "/a//b///c", "/a/b/c"),
            ("MERGE_SLASHES", "/a//b?x=//", "/a/b?x=//"),
            ("MERGE_SLASHES", "/a%2F/b", "/a%2F/b"),
            ("DECODE_AND_MERGE_SLASHES", "/a%2f%5C/b", "/a/b"),
            ("DECODE_AND_MERGE_SLASHES", "/a%2F..%2fb", "/b"),
        ] {
            assert_eq!(seen(mode, raw), [expected], "{mode} {raw}");
        }
        assert_eq!(
            candidates(&Value::Null, "/a/../b")
                .into_iter()
                .collect::<Vec<_>>(),
            ["/b"]
        );
    }

    #[test]
    fn where_versions_or_settings_differ_several_are_possible() {
        assert_eq!(seen("BASE", "/%41"), ["/%41", "/A"]);
        assert_eq!(seen("NONE", "/%41"), ["/%41"]);
        assert!(seen("ODD", "/").is_empty());
        assert!(candidates(&json!({"pathNormalization": {"normalization": 3}}), "/").is_empty());
        let open = json!({"defaultConfig": {"connectionSettings": {}}});
        assert_eq!(candidates(&open, "/a//b").len(), 2);
        assert_eq!(candidates(&open, "/a/b").len(), 1);
        assert_eq!(
            candidates(&json!({"defaultConfig": {"connectionSettings": null}}), "/a//b").len(),
            1
        );
    }

    #[test]
    fn templates_match_segments() {
        for (pattern, path, expected) in [
            ("/a/{*}", "/a/b", true),
            ("/a/{*}", "/a/", false),
            ("/a/{*}", "/a", false),
            ("/a/{*}", "/a/b/c", false),
            ("/a/{*}", "/a/b/", false),
            ("/a/{*}/", "/a/b/", true),
            ("/a/{*}/", "/a/b", false),
            ("/{*}/c", "/b/c", true),
            ("/{*}/c", "/b/d", false),
            ("/a/{**}", "/a/", true),
            ("/a/{**}", "/a/b/c", true),
            ("/a/{**}", "/a", false),
            ("/a/{**}", "/ab", false),
            ("/{**}/c", "/a/b/c", true),
            ("/{**}/c", "/c", false),
            ("/{**}/c", "//c", true),
            ("/{**}/c", "/a/c/d", false),
            ("/{*}/x/{**}", "/a/x/y/z", true),
            ("/a/{*}", "/a/b=c", false),
            ("/{*}", "b", false),
        ] {
            assert_eq!(template(pattern, path), Some(expected), "{pattern} {path}");
        }
    }

    #[test]
    fn templates_that_would_be_refused_are_not_judged() {
        for pattern in [
            "a/{*}",
            "/{**}/{*}",
            "/{**}/{**}",
            "/a//{*}",
            "/{*}.txt",
            "/a{**}",
            "/{x}/{*}",
            "/a=b/{*}",
            "/*/{*}",
            "//{*}",
        ] {
            assert_eq!(template(pattern, "/a/b"), None, "{pattern}");
        }
    }

    #[test]
    fn query_and_fragment_are_left_out() {
        assert_eq!(
            (alone("/a?b#c"), alone("/a#b?c"), alone("/a")),
            ("/a", "/a", "/a")
        );
    }
}
