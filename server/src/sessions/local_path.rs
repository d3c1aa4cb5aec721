//! Where somebody wanted to go before they were asked who they are: a page of ours, and nothing else.

/// Bytes of a path. It travels in a cookie; filters and selections of our longest pages take a few hundred.
const LIMIT: usize = 1_500;

/// The path with its query if it leads to a page of this console; `/` otherwise. A browser reads `//host`, `/\host` and paths with control
/// characters as another site's address (<https://url.spec.whatwg.org/#url-parsing>), so anything but plain visible ASCII is refused, as are
/// empty and dot segments. The pages of signing in and out lead nowhere.
pub fn local(path: &str) -> &str {
    if is_local(path) { path } else { "/" }
}

fn is_local(path: &str) -> bool {
    let plain = path.len() <= LIMIT
        && path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    let before_query = path.split('?').next().unwrap_or("");
    let mut segments = before_query.split('/').skip(1).peekable();
    let first = segments.peek().copied().unwrap_or("");
    let walk = segments.collect::<Vec<_>>();
    let whole = walk.iter().enumerate().all(|(at, segment)| {
        !matches!(*segment, "." | "..") && (!segment.is_empty() || at + 1 == walk.len())
    });
    plain && whole && !matches!(first, "login" | "logout" | "api" | "live" | "pkg")
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, local};

    #[test]
    fn pages_of_ours_are_kept() {
        for path in [
            "/",
            "/topology",
            "/topology?ns=a,b&find=%25error%20%3E%201",
            "/canary/user-service/main",
            "/canary/",
            "/why?url=http://a/b//c",
        ] {
            assert_eq!(local(path), path);
        }
    }

    #[test]
    fn what_leads_elsewhere_leads_home() {
        let long = format!("/{}", "a".repeat(LIMIT));
        for path in [
            "",
            "evil.example",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/a\0",
            " /a",
            "/a b",
            "/한국",
            "/a//evil.example",
            "/..//evil.example",
            "/./a",
            "/a/../b",
            "/a#b",
            "/a\"><script>",
            "javascript:alert(1)",
            "/login",
            "/login/start?to=/",
            "/logout",
            "/api/plan_weights",
            "/live",
            &long,
        ] {
            assert_eq!(local(path), "/", "{path:?}");
        }
    }
}
