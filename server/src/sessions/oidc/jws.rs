//! A signed token, taken apart (RFC 7515, compact serialisation; RFC 7519).

use super::Unfit;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

/// Bytes of a token. Ours are asked for without groups of thousands; Keycloak's id_tokens have 1 to 3 kB.
const LIMIT: usize = 32 << 10;

/// Characters of a key's name.
const KID: usize = 256;

/// The signatures that are accepted: asymmetric ones that ring verifies. `none` and HMAC are not among them, so that no public key is ever
/// taken for a shared secret (RFC 8725, 3.1). Each is called as RFC 7518 and RFC 8037 call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token whose signature is still to be verified.
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    typ: String,
    /// What is signed.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    /// What it says. Not to be believed before the signature is verified.
    pub(super) claims: Value,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Unfit> {
        if token.len() > LIMIT {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it is no JWS")?;
        let (header, claims) = signed.split_once('.').ok_or("it is no JWS")?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is no base64url");
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| "its header names no algorithm that is accepted")?;
        // RFC 7515, 4.1.11: an extension that is not understood must not be passed over.
        if header.crit.is_some() {
            return Err("its header has extensions");
        }
        if header.kid.as_ref().is_some_and(|kid| kid.len() > KID) {
            return Err("its kid is too long");
        }
        let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| "its claims are no JSON")?;
        if !claims.is_object() {
            return Err("its claims are no object");
        }
        Ok(Self {
            algorithm: header.alg,
            kid: header.kid,
            typ: header.typ.unwrap_or_default().to_ascii_lowercase(),
            signed,
            signature: decode(signature)?,
            claims,
        })
    }

    /// Whether `typ` is this, in small letters; an empty one stands for none. `application/` may stand before it (RFC 7515, 4.1.9).
    pub(super) fn is_a(&self, typ: &str) -> bool {
        self.typ.strip_prefix("application/").unwrap_or(&self.typ) == typ
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Jws, URL_SAFE_NO_PAD};
    use base64::Engine as _;

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(header), encode(claims), encode("signature"))
    }

    #[test]
    fn a_token_names_an_algorithm_that_is_accepted() {
        for (alg, algorithm) in [
            ("RS256", Algorithm::Rs256),
            ("ES384", Algorithm::Es384),
            ("EdDSA", Algorithm::EdDsa),
        ] {
            let text = token(
                &format!(r#"{{"alg":"{alg}","typ":"application/Logout+JWT"}}"#),
                "{}",
            );
            let jws = Jws::parse(&text).unwrap();
            assert_eq!(jws.algorithm, algorithm);
            assert!(jws.is_a("logout+jwt") && !jws.is_a("jwt") && !jws.is_a(""));
        }
        for alg in [
            "none", "None", "", "HS256", "HS512", "rs256", "RSA1_5", "ES256K", "ES512",
        ] {
            assert!(
                Jws::parse(&token(&format!(r#"{{"alg":"{alg}"}}"#), "{}")).is_err(),
                "{alg}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_not_looked_into() {
        let good = r#"{"alg":"RS256"}"#;
        let signed = token(good, "{}");
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            &token("{}", "{}"),
            &token("[]", "{}"),
            &token(good, "[]"),
            &token(good, "x"),
            &token(r#"{"alg":"RS256","crit":["exp"]}"#, "{}"),
            &token(r#"{"alg":"RS256","kid":3}"#, "{}"),
            &token(&format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(300)), "{}"),
            &format!("{signed}="),
            &format!("{signed}.e30"),
            &token(good, &format!("{{\"a\":\"{}\"}}", "a".repeat(33_000))),
        ] {
            assert!(Jws::parse(text).is_err(), "{}", &text[..text.len().min(60)]);
        }
    }
}
