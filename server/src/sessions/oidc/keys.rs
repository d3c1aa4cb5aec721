//! The provider's keys (RFC 7517), and signatures under them.

use super::{
    Trouble,
    fetch::Fetch,
    jws::{Algorithm, Jws},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_ports::Clock;
use naru_view::Millis;
use reqwest::Url;
use ring::{rsa::PublicKeyComponents, signature};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Mutex;

/// How long keys are believed without being asked for again: what a provider withdraws is gone after an hour.
const HOLDS: Millis = 60 * 60_000;

/// The least time between two requests for keys, whoever sends tokens with whatever key names.
const PACE: Millis = 5_000;

/// Keys of one provider.
const KEYS: usize = 64;

/// Names of keys that the provider does not have, remembered until its keys are read again.
const MISSED: usize = 64;

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

struct Key {
    kid: Option<String>,
    alg: Option<String>,
    material: Material,
}

/// Reads one key; None for what is not for signatures, or of a kind that is not known.
fn key(jwk: &Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    // An uncompressed point (SEC 1, 2.3.3).
    let point = |size: usize| {
        let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
        (x.len() == size && y.len() == size).then(|| [&[4][..], &x, &y].concat())
    };
    let material = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", _) => Material::Rsa {
            n: bytes(&jwk.n)?,
            e: bytes(&jwk.e)?,
        },
        ("EC", Some("P-256")) => Material::P256(point(32)?),
        ("EC", Some("P-384")) => Material::P384(point(48)?),
        ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(&jwk.x)?),
        _ => return None,
    };
    Some(Key {
        kid: jwk.kid,
        alg: jwk.alg,
        material,
    })
}

impl Key {
    /// Whether tokens of this algorithm may be signed under it: a key is for one kind of signature (RFC 8725, 3.1).
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let kind = matches!(
            (&self.material, algorithm),
            (
                Material::Rsa { .. },
                Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512
            ) | (Material::P256(_), Es256)
                | (Material::P384(_), Es384)
                | (Material::Ed25519(_), EdDsa)
        );
        let declared = self.alg.as_ref().is_none_or(|alg| {
            serde_json::from_value::<Algorithm>(Value::String(alg.clone())).is_ok_and(|it| it == algorithm)
        });
        kind && declared
    }

    /// ring refuses RSA keys of fewer than 2,048 or more than 8,192 bits.
    fn verifies(&self, token: &Jws<'_>) -> bool {
        let (message, signed) = (token.signed.as_bytes(), &token.signature);
        match &self.material {
            Material::Rsa { n, e } => {
                let parameters = match token.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return false,
                };
                PublicKeyComponents { n, e }
                    .verify(parameters, message, signed)
                    .is_ok()
            }
            Material::P256(point) => unparsed(&signature::ECDSA_P256_SHA256_FIXED, point, message, signed),
            Material::P384(point) => unparsed(&signature::ECDSA_P384_SHA384_FIXED, point, message, signed),
            Material::Ed25519(point) => unparsed(&signature::ED25519, point, message, signed),
        }
    }
}

fn unparsed(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signed: &[u8],
) -> bool {
    signature::UnparsedPublicKey::new(algorithm, key)
        .verify(message, signed)
        .is_ok()
}

#[derive(Default)]
struct Held {
    keys: Vec<Key>,
    /// When they were read; None before the first time.
    read: Option<Millis>,
    /// When they were last asked for.
    asked: Option<Millis>,
    missed: BTreeSet<Option<String>>,
}

/// The keys, read when a token needs them.
pub(super) struct KeyRing {
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

impl KeyRing {
    pub(super) fn new(fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetch,
            clock,
            held: Mutex::default(),
        }
    }

    /// Whether one of the provider's keys has signed this. A key that is not known is looked for once; the provider is asked at most once in
    /// [`PACE`], since anybody can send tokens with any key's name.
    pub(super) async fn verify(&self, from: &Url, token: &Jws<'_>) -> Result<(), Trouble> {
        let mut held = self.held.lock().await;
        let now = self.clock.now().as_millisecond();
        let fresh = held.read.is_some_and(|read| (0..HOLDS).contains(&(now - read)));
        let known = |held: &Held| held.keys.iter().any(|key| named(key, token));
        if !fresh || (!known(&held) && !held.missed.contains(&token.kid)) {
            let waits = held.asked.is_some_and(|asked| (0..PACE).contains(&(now - asked)));
            if !waits {
                held.asked = Some(now);
                let keys = self.read(from).await?;
                *held = Held {
                    keys,
                    read: Some(now),
                    asked: Some(now),
                    missed: BTreeSet::new(),
                };
            } else if !fresh {
                return Err(Trouble::Away("its keys could not be read".into()));
            }
            // What was asked for in the last seconds may have come just afterwards: it is not counted as missed.
            if !waits && !known(&held) && held.missed.len() < MISSED {
                held.missed.insert(token.kid.clone());
            }
        }
        let mut fitting = held.keys.iter().filter(|key| named(key, token));
        let (first, second) = (fitting.next(), fitting.next());
        match (first, second, &token.kid) {
            (None, ..) => Err(Trouble::Unfit("no key of the provider fits")),
            // Without a name there must be no choice.
            (Some(_), Some(_), None) => Err(Trouble::Unfit("it names no key, and several fit")),
            (Some(first), second, _)
                if first.verifies(token) || second.is_some_and(|key| key.verifies(token)) =>
            {
                Ok(())
            }
            _ => Err(Trouble::Unfit("its signature is wrong")),
        }
    }

    async fn read(&self, from: &Url) -> Result<Vec<Key>, Trouble> {
        let document = self.fetch.json(from).await?;
        let all = document.get("keys").and_then(Value::as_array);
        let all = all.ok_or_else(|| Trouble::Away("its keys are no JWK set".into()))?;
        Ok(all.iter().take(KEYS).filter_map(key).collect())
    }
}

fn named(key: &Key, token: &Jws<'_>) -> bool {
    key.fits(token.algorithm) && (token.kid.is_none() || key.kid == token.kid)
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, key};
    use serde_json::json;

    #[test]
    fn a_key_is_for_one_kind_of_signature() {
        let rsa =
            key(&json!({"kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig", "n": "AQAB", "e": "AQAB"}))
                .unwrap();
        assert!(rsa.fits(Algorithm::Rs256));
        assert!(!rsa.fits(Algorithm::Ps256) && !rsa.fits(Algorithm::Rs512) && !rsa.fits(Algorithm::Es256));
        let any = key(&json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})).unwrap();
        assert!(any.fits(Algorithm::Rs256) && any.fits(Algorithm::Ps384) && !any.fits(Algorithm::EdDsa));
        let odd = key(&json!({"kty": "RSA", "alg": "HS256", "n": "AQAB", "e": "AQAB"})).unwrap();
        assert!(!odd.fits(Algorithm::Rs256));
    }

    #[test]
    fn what_is_no_signing_key_is_passed_over() {
        for jwk in [
            json!({"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({"kty": "RSA", "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"}),
            json!({"kty": "EC", "crv": "secp256k1", "x": "AQAB", "y": "AQAB"}),
            json!("key"),
        ] {
            assert!(key(&jwk).is_none(), "{jwk}");
        }
    }
}
