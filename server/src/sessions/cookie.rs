//! Cookies of this console: `__Host-` ones (RFC 6265bis, 4.1.3.2), which no other host, path or unencrypted page can set.

use axum::http::{HeaderMap, HeaderValue, header};

/// Who is signed in.
pub const SESSION: &str = "__Host-naru-session";
/// What a sign-in on its way to the provider and back is called by, followed by the beginning of its state. Each has a cookie of its own:
/// pages that are opened at once all come back.
const LOGIN: &str = "__Host-naru-login-";
/// Characters of a state that tell the sign-ins of one browser apart.
const STATE: usize = 8;
/// Sign-ins that one browser may be on at once. Beyond it they are given up: who has come back from none of them does not come any more.
pub const LOGINS: usize = 8;
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

/// The name of the cookie of the sign-in with this state; None for what is no state of ours.
pub fn login(state: &str) -> Option<String> {
    let begins = state.get(..STATE)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    begins.bytes().all(plain).then(|| format!("{LOGIN}{begins}"))
}

/// The names of the cookies of all sign-ins that this browser is on.
pub fn logins(headers: &HeaderMap) -> Vec<String> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| login(pair.trim().split_once('=')?.0.strip_prefix(LOGIN)?))
        .collect()
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
    use super::{LIMIT, SESSION, login, logins, read, remove, set};
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
    fn each_sign_in_has_a_cookie_of_its_own() {
        let name = login("aB3-_xyzQQQQ").unwrap();
        assert_eq!(name, "__Host-naru-login-aB3-_xyz");
        for state in ["", "short", "a=b;c d,", "a\r\nb: cde", "일이삼사오육칠팔"] {
            assert_eq!(login(state), None, "{state:?}");
        }
        let (session, one) = (format!("{SESSION}=a"), format!("{name}=a"));
        let lines = [
            &*format!("{session}; {one}"),
            "__Host-naru-login-12345678=b; __Host-naru-login-=c",
        ];
        assert_eq!(logins(&headers(&lines)), [&*name, "__Host-naru-login-12345678"]);
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
