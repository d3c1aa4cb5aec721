//! What a request says about language, colours, and whom somebody plays: the URL first, then the cookie, then the browser's own wish.

use crate::{lang::Lang, theme::Theme};
use http::{HeaderMap, HeaderName, header, request::Parts};
use leptos::prelude::use_context;
use naru_view::rehearsal::Persona;

/// A viewer's choices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language.
    pub lang: Lang,
    /// The colours.
    pub theme: Theme,
    /// Whom somebody plays, which only a rehearsal asks.
    pub persona: Persona,
    /// Which of them the URL named, in this order: these are to be remembered in a cookie.
    pub named: (bool, bool, bool),
}

impl Preferences {
    /// Reads them from a request.
    pub fn of(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or("");
        let lang = pair(query.split('&'), "lang").and_then(Lang::from_tag);
        let theme = pair(query.split('&'), "theme").and_then(Theme::from_tag);
        let persona = pair(query.split('&'), "persona").and_then(Persona::from_tag);
        let cookies = text(&parts.headers, &header::COOKIE);
        let cookie = |name| pair(cookies.split(';').map(str::trim), name);
        Self {
            lang: lang
                .or_else(|| cookie("lang").and_then(Lang::from_tag))
                .unwrap_or_else(|| Lang::accepted(text(&parts.headers, &header::ACCEPT_LANGUAGE))),
            theme: theme
                .or_else(|| cookie("theme").and_then(Theme::from_tag))
                .unwrap_or_default(),
            persona: persona
                .or_else(|| cookie("persona").and_then(Persona::from_tag))
                .unwrap_or_default(),
            named: (lang.is_some(), theme.is_some(), persona.is_some()),
        }
    }

    /// `Set-Cookie` values that remember what the URL named, for a year. Readable by scripts: the theme button writes it too.
    pub fn cookies(self) -> Vec<String> {
        let cookie = |name, value| format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax");
        let lang = self.named.0.then(|| cookie("lang", self.lang.tag()));
        let theme = self.named.1.then(|| cookie("theme", self.theme.tag()));
        let persona = self.named.2.then(|| cookie("persona", self.persona.tag()));
        lang.into_iter().chain(theme).chain(persona).collect()
    }
}

/// Those of the request being answered; the defaults where there is none.
pub fn preferences() -> Preferences {
    use_context::<Parts>()
        .map(|parts| Preferences::of(&parts))
        .unwrap_or_default()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

fn pair<'a>(mut pairs: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::{Lang, Preferences, Theme};

    fn of(uri: &str, cookie: &str, accept: &str) -> Preferences {
        let request = http::Request::get(uri)
            .header("cookie", cookie)
            .header("accept-language", accept)
            .body(());
        Preferences::of(&request.unwrap().into_parts().0)
    }

    #[test]
    fn the_url_beats_the_cookie_and_the_cookie_the_browser() {
        assert_eq!(of("/", "", "ko").lang, Lang::Ko);
        assert_eq!(of("/", "a=b; lang=en", "ko").lang, Lang::En);
        assert_eq!(of("/?x=1&lang=ko", "lang=en", "en").lang, Lang::Ko);
        assert_eq!(of("/?lang=xx", "lang=yy; theme=zz", "ko").lang, Lang::Ko);
        assert_eq!(of("/?theme=dark", "theme=light", "").theme, Theme::Dark);
    }

    #[test]
    fn only_what_the_url_named_is_remembered() {
        assert!(of("/", "lang=ko; theme=dark", "").cookies().is_empty());
        let cookies = of("/?lang=ko", "theme=dark", "").cookies();
        assert_eq!(cookies, ["lang=ko; Path=/; Max-Age=31536000; SameSite=Lax"]);
    }
}
