//! Sealed texts: what this console hands to a browser and takes back unread and unchanged.
//!
//! ChaCha20-Poly1305 (RFC 8439) under a key of its own for each purpose (HKDF, RFC 5869), the purpose bound in as well. Nonces are random:
//! with 96 bits a key is good for 2^32 seals (NIST SP 800-38D, 8.3), a seal a second for 136 years.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hkdf,
    rand::{SecureRandom, SystemRandom},
};
use std::{collections::BTreeSet, path::Path};

/// Bytes of a key at least.
const KEY: usize = 32;

/// Different bytes among the first 32 at least. Of 32 random ones about 30 differ; fewer than 20 never come by chance.
const DIFFERENT: usize = 20;

/// Longest sealed text that is opened, in characters. Browsers keep cookies of 4,096 bytes, name and attributes included.
pub const LIMIT: usize = 3_800;

/// The key of the README's example, as everybody knows it.
const EXAMPLE: &str = "bmFydSBleGFtcGxlIGtleSwgZG8gbm90IHVzZSBpdCE=";

/// What a sealed text is for. One is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Who is signed in.
    Session,
    /// A sign-in on its way to the provider and back.
    Login,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Session => b"naru session 1",
            Self::Login => b"naru login 1",
        }
    }
}

/// What is wrong with a key file. Never says anything of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not one or two lines of base64.
    #[error("it is not one or two lines of base64")]
    NotKeys,
    /// Fewer than 32 bytes.
    #[error("a key in it has fewer than 32 bytes")]
    Short,
    /// Repeated bytes, text, or the example: somebody could guess it.
    #[error("a key in it is not random")]
    Guessable,
    /// Both lines are one key.
    #[error("both keys in it are the same")]
    Same,
}

/// One or two keys: the first seals, both open, so that keys can be changed without signing anybody out.
pub struct Keys {
    each: Vec<[LessSafeKey; 2]>,
    random: SystemRandom,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads a file of one or two lines, each 32 random bytes or more in base64 (`openssl rand -base64 32`).
    pub fn read(path: &Path) -> std::io::Result<Result<Self, KeyError>> {
        std::fs::read_to_string(path).map(|text| Self::parse(&text))
    }

    /// The same from the file's text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        if !(1..=2).contains(&lines.len()) {
            return Err(KeyError::NotKeys);
        }
        let keys = lines.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if let [one, other] = &keys[..]
            && one == other
        {
            return Err(KeyError::Same);
        }
        keys.iter()
            .map(|key| derived(key))
            .collect::<Option<_>>()
            .map(Self::of)
            .ok_or(KeyError::NotKeys)
    }

    /// A key of this process alone; None if the system gives no random bytes.
    pub fn random() -> Option<Self> {
        let mut key = [0; KEY];
        SystemRandom::new().fill(&mut key).ok()?;
        Some(Self::of(vec![derived(&key)?]))
    }

    fn of(each: Vec<[LessSafeKey; 2]>) -> Self {
        Self {
            each,
            random: SystemRandom::new(),
        }
    }

    /// Seals a text; None if the system gives no random bytes, or the sealed text would be longer than [`LIMIT`].
    pub fn seal(&self, purpose: Purpose, text: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut body = text.to_vec();
        self.each
            .first()?
            .get(purpose as usize)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.name()),
                &mut body,
            )
            .ok()?;
        let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &body].concat());
        (sealed.len() <= LIMIT).then_some(sealed)
    }

    /// What was sealed for this purpose under one of the keys; None for anything else.
    pub fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>> {
        if sealed.len() > LIMIT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, body) = bytes.split_at_checked(NONCE_LEN)?;
        self.each.iter().find_map(|keys| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut body = body.to_vec();
            let open = keys.get(purpose as usize)?;
            Some(
                open.open_in_place(nonce, Aad::from(purpose.name()), &mut body)
                    .ok()?
                    .to_vec(),
            )
        })
    }
}

/// 128 random bits as text; None if the system gives none.
pub fn random_text() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// SHA-256 of several texts, as text. Each is preceded by its length, so that no two lists of texts are one.
pub fn fingerprint(texts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in texts {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

/// Whether two texts are equal, in a time that depends on their lengths alone.
pub fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

fn key(line: &str) -> Result<Vec<u8>, KeyError> {
    let padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = [STANDARD, URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, padding).decode(line).ok())
        .ok_or(KeyError::NotKeys)?;
    if bytes.len() < KEY {
        return Err(KeyError::Short);
    }
    let different: BTreeSet<u8> = bytes[..KEY].iter().copied().collect();
    let text = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if different.len() < DIFFERENT || text || line == EXAMPLE {
        return Err(KeyError::Guessable);
    }
    Ok(bytes)
}

fn derived(key: &[u8]) -> Option<[LessSafeKey; 2]> {
    let whole = hkdf::Salt::new(hkdf::HKDF_SHA256, b"naru cookies 1").extract(key);
    let for_purpose = |purpose: Purpose| {
        let info = [purpose.name()];
        let okm = whole.expand(&info, &CHACHA20_POLY1305).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(okm)))
    };
    Some([for_purpose(Purpose::Session)?, for_purpose(Purpose::Login)?])
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLE, KeyError, Keys, LIMIT, Purpose, fingerprint, random_text, same};
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    fn fresh() -> String {
        let bytes: Vec<u8> = (0..2).flat_map(|_| random_text().unwrap().into_bytes()).collect();
        // Random text is no random key: its bits are spread by hashing.
        let hashed = ring::digest::digest(&ring::digest::SHA256, &bytes);
        STANDARD.encode(hashed.as_ref())
    }

    #[test]
    fn only_what_was_sealed_here_for_this_purpose_opens() {
        let keys = Keys::parse(&fresh()).unwrap();
        let sealed = keys.seal(Purpose::Session, b"who").unwrap();
        assert_eq!(keys.open(Purpose::Session, &sealed).unwrap(), b"who");
        assert_eq!(keys.open(Purpose::Login, &sealed), None);
        assert_eq!(
            Keys::parse(&fresh()).unwrap().open(Purpose::Session, &sealed),
            None
        );
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            // The last character of unpadded base64 may carry bits that stand for nothing; those are refused too.
            assert_eq!(keys.open(Purpose::Session, &other), None, "{at}");
        }
        for garbled in ["", "A", "????", "한국", &sealed[..20], &"A".repeat(LIMIT + 1)] {
            assert_eq!(keys.open(Purpose::Session, garbled), None);
        }
        assert_ne!(
            sealed,
            keys.seal(Purpose::Session, b"who").unwrap(),
            "no nonce twice"
        );
        assert_eq!(
            keys.seal(Purpose::Session, &[0; LIMIT]),
            None,
            "too long for a cookie"
        );
    }

    #[test]
    fn the_second_key_opens_and_never_seals() {
        let (old, new) = (fresh(), fresh());
        let before = Keys::parse(&old).unwrap();
        let during = Keys::parse(&format!("{new}\n{old}\n")).unwrap();
        let after = Keys::parse(&new).unwrap();
        let sealed = before.seal(Purpose::Session, b"a").unwrap();
        assert!(during.open(Purpose::Session, &sealed).is_some());
        assert!(after.open(Purpose::Session, &sealed).is_none());
        let sealed = during.seal(Purpose::Session, b"a").unwrap();
        assert!(after.open(Purpose::Session, &sealed).is_some());
        assert!(before.open(Purpose::Session, &sealed).is_none());
    }

    #[test]
    fn keys_that_could_be_guessed_are_refused() {
        let good = fresh();
        for (text, error) in [
            ("", KeyError::NotKeys),
            ("\n\n", KeyError::NotKeys),
            ("not base64!", KeyError::NotKeys),
            (&*format!("{good}\n{}\n{}", fresh(), fresh()), KeyError::NotKeys),
            (&*STANDARD.encode([7; 31]), KeyError::Short),
            ("c2hvcnQ=", KeyError::Short),
            (&*STANDARD.encode([0; 32]), KeyError::Guessable),
            (&*STANDARD.encode([0xab; 64]), KeyError::Guessable),
            (&*STANDARD.encode([1, 2, 3, 4].repeat(8)), KeyError::Guessable),
            (
                &*STANDARD.encode("correct horse battery staple, quite long"),
                KeyError::Guessable,
            ),
            (EXAMPLE, KeyError::Guessable),
            (&*format!("{good}\n{good}"), KeyError::Same),
            (&*format!("{good}\n{EXAMPLE}"), KeyError::Guessable),
        ] {
            assert_eq!(Keys::parse(text).unwrap_err(), error, "{text}");
        }
        assert!(Keys::parse(&good.replace('+', "-").replace('/', "_")).is_ok());
        assert!(Keys::parse(good.trim_end_matches('=')).is_ok());
    }

    #[test]
    fn fingerprints_tell_lists_apart() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&["ab", "c"]), fingerprint(&["ab", "c"]));
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab") && same("", ""));
    }
}
