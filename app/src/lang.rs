//! The languages, and every sentence in each of them.
//!
//! The sentences are in `locales/{en,ko}.json`; `build.rs` makes one method of [`Lang`] of each, `lang.group_name(…)`. This is our own
//! rather than leptos_i18n because the command line and the tests speak the same sentences without a reactive owner, a language is
//! then a plain `Copy` value, and what goes to the browser is the texts and nothing else.

use serde::{Deserialize, Serialize};

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

include!(concat!(env!("OUT_DIR"), "/sentences.rs"));

impl Lang {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The BCP 47 tag (RFC 5646), also the value of `?lang=` and of the cookie.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// Reads a tag; a region or script behind it is ignored (`ko-KR`).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or("");
        Self::ALL
            .into_iter()
            .find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The best of an `Accept-Language` header (RFC 9110, 12.5.4): highest `q` first, ties to the earlier, English if none fits.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0.0_f32, Self::En);
        for part in header.split(',') {
            let mut pieces = part.split(';');
            let Some(lang) = pieces.next().and_then(Self::from_tag) else {
                continue;
            };
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            if quality > best.0 {
                best = (quality, lang);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn the_best_accepted_language_wins() {
        for (header, lang) in [
            ("", Lang::En),
            ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", Lang::Ko),
            ("en-US,en;q=0.9,ko;q=0.8", Lang::En),
            ("fr, ko;q=0.3, en;q=0.2", Lang::Ko),
            ("fr;q=1, de", Lang::En),
            ("ko;q=0, en;q=0.1", Lang::En),
            ("ko;q=nonsense", Lang::En),
            (";;;,,,=", Lang::En),
        ] {
            assert_eq!(Lang::accepted(header), lang, "{header:?}");
        }
    }

    #[test]
    fn counted_sentences_agree_with_their_number() {
        assert_eq!(Lang::En.count_services(1), "1 service");
        assert_eq!(Lang::En.count_services(2), "2 services");
        assert_eq!(Lang::Ko.count_services(1), "서비스 1개");
    }
}
