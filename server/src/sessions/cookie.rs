//! Cookies of this console: `__Host-` ones (RFC 6265bis, 4.1.3.2), which no other host, path or unencrypted page can set.

use axum::http::{HeaderMap, HeaderValue, header};

/// Who is signed in.
pub const SESSION: &str = "__Host-naru-session";
/// A sign-in on its way to the provider and back.
pub const LOGIN: &str = "__Host-naru-login";
/// The provider would not renew the session without asking: it is not asked again for this session. Only ever keeps its own viewer from being
/// sent there and back, so it carries nothing.
pub const ASKED: &str = "__Host-naru-asked";

/// Bytes of all cookies of a request. Ours have less than 5 kB; beyond this something else is going on.
const LIMIT: usize = 32 << 10;

/// The value of the one cookie of this name. None if there is none, or several, or too much of everything.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE);
    if all.iter().map(HeaderValue::len).sum::<usize>() > LIMIT {
        return None;
    }
    let mut values = all
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    values.next().filter(|_| values.next().is_none())
}

/// `Set-Cookie` for this value. Lax, because the way back from the provider is a navigation from another site.
pub fn set(name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).ok()
}

/// `Set-Cookie` that removes it.
pub fn remove(name: &str) -> Option<HeaderValue> {
    set(name, "", 0)
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, SESSION, read, remove, set};
    use axum::http::{HeaderMap, header};

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_counts_if_it_is_the_only_one_of_its_name() {
        let ours = format!("{SESSION}=abc");
        assert_eq!(read(&headers(&[&ours]), SESSION), Some("abc"));
        assert_eq!(
            read(&headers(&[&format!("lang=ko; {ours}; theme=dark")]), SESSION),
            Some("abc")
        );
        assert_eq!(read(&headers(&["lang=ko", &ours]), SESSION), Some("abc"));
        for other in [
            vec![],
            vec!["naru-session=abc".to_owned()],
            vec![format!("{SESSION}x=abc")],
            vec![format!("{ours}; {ours}")],
            vec![ours.clone(), format!("{SESSION}=other")],
            vec![ours.clone(), "x".repeat(LIMIT)],
        ] {
            let lines: Vec<&str> = other.iter().map(String::as_str).collect();
            assert_eq!(read(&headers(&lines), SESSION), None, "{lines:?}");
        }
    }

    #[test]
    fn what_is_set_is_for_this_host_alone() {
        let value = set(SESSION, "abc", 900).unwrap();
        assert_eq!(
            value,
            "__Host-naru-session=abc; Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(remove(SESSION).unwrap().to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(set(SESSION, "a\r\nb", 1), None);
    }
}
