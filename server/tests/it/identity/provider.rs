//! An OpenID Connect provider on loopback: real HTTP, real signatures, and whatever misbehaviour a test asks of it.

use super::rsa;
use axum::{
    Form, Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use naru_ports::Clock;
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};
use tokio::net::TcpListener;

/// As whom it knows the console.
pub(crate) const CLIENT: &str = "naru-console";
/// Its event of the end of a session.
pub(crate) const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// RS256 by the provider's first key.
    First,
    /// RS256 by its second, which it does not publish at first.
    Second,
    /// ES256 by its third.
    Ecdsa,
    /// The first key's name, and another's signature.
    Forged,
    /// `alg: none`, without a signature.
    None,
    /// `alg: HS256`, with the published key as the secret.
    Confused,
}

/// Changes a token's claims before it is signed.
type Twist = Box<dyn Fn(&mut Value) + Send>;

pub(crate) struct Provider {
    pub(crate) url: String,
    clock: Arc<dyn Clock>,
    rsa: [RsaKeyPair; 2],
    ecdsa: EcdsaKeyPair,
    pub(crate) signing: Mutex<Signing>,
    twist: Mutex<Twist>,
    /// Names of the keys that it publishes.
    pub(crate) published: Mutex<Vec<&'static str>>,
    grants: Mutex<HashMap<String, Value>>,
    /// Nobody is signed in there: it would have to ask.
    pub(crate) would_ask: AtomicBool,
    /// It answers 503 to everything.
    pub(crate) down: AtomicBool,
    pub(crate) says_iss: AtomicBool,
    /// Longer answers than anybody wants.
    pub(crate) floods: AtomicBool,
    pub(crate) keys_asked: AtomicU32,
    pub(crate) tokens_asked: AtomicU32,
    count: AtomicU32,
}

impl Provider {
    pub(crate) async fn start(clock: Arc<dyn Clock>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let random = SystemRandom::new();
        let pair = |text: &str| RsaKeyPair::from_pkcs8(&STANDARD.decode(text).unwrap()).unwrap();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let provider = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            clock,
            rsa: [pair(rsa::FIRST), pair(rsa::SECOND)],
            ecdsa: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
                .unwrap(),
            signing: Mutex::new(Signing::First),
            twist: Mutex::new(Box::new(|_| {})),
            published: Mutex::new(vec!["first", "ecdsa"]),
            grants: Mutex::default(),
            would_ask: AtomicBool::new(false),
            down: AtomicBool::new(false),
            says_iss: AtomicBool::new(true),
            floods: AtomicBool::new(false),
            keys_asked: AtomicU32::new(0),
            tokens_asked: AtomicU32::new(0),
            count: AtomicU32::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// From now on every token is changed so.
    pub(crate) fn twist(&self, twist: impl Fn(&mut Value) + Send + 'static) {
        *self.twist.lock().unwrap() = Box::new(twist);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// What a browser does that is sent here and whose person is signed in: where it is sent back to, without the console's address.
    pub(crate) fn authorize(&self, url: &str) -> String {
        let url = reqwest::Url::parse(url).unwrap();
        assert_eq!(url.path(), "/authorize");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT));
        assert_eq!(
            (&*asked["code_challenge_method"], asked["code_challenge"].len()),
            ("S256", 43)
        );
        assert!(asked["scope"].split(' ').any(|it| it == "openid"));
        assert!(asked["state"].len() >= 22 && asked["nonce"].len() >= 22 && asked["state"] != asked["nonce"]);
        let back = asked["redirect_uri"]
            .strip_prefix("https://naru.example")
            .unwrap();
        let iss = if self.says_iss.load(Ordering::Relaxed) {
            format!("&iss={}", self.url.replace(':', "%3A").replace('/', "%2F"))
        } else {
            String::new()
        };
        if self.would_ask.load(Ordering::Relaxed) && asked.get("prompt").is_some_and(|it| it == "none") {
            return format!("{back}?error=login_required&state={}{iss}", asked["state"]);
        }
        let code = format!("code-{}", self.count.fetch_add(1, Ordering::Relaxed));
        self.grants.lock().unwrap().insert(code.clone(), json!(asked));
        format!("{back}?code={code}&state={}{iss}", asked["state"])
    }

    /// A token of these claims, signed as told.
    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        let signing = *self.signing.lock().unwrap();
        let (alg, kid) = match signing {
            Signing::First | Signing::Forged => ("RS256", "first"),
            Signing::Second => ("RS256", "second"),
            Signing::Ecdsa => ("ES256", "ecdsa"),
            Signing::None => ("none", "first"),
            Signing::Confused => ("HS256", "first"),
        };
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            encode(&json!({"alg": alg, "kid": kid, "typ": typ})),
            encode(claims)
        );
        let random = SystemRandom::new();
        let by = |pair: &RsaKeyPair| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
                .unwrap();
            signature
        };
        let signature = match signing {
            Signing::First => by(&self.rsa[0]),
            Signing::Second | Signing::Forged => by(&self.rsa[1]),
            Signing::Ecdsa => self
                .ecdsa
                .sign(&random, signed.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Signing::None => Vec::new(),
            Signing::Confused => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.rsa[0].public().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The claims of a good logout token for this session.
    pub(crate) fn logout(&self, jti: &str, sid: &str) -> Value {
        json!({"iss": self.url, "aud": CLIENT, "iat": self.now(), "exp": self.now() + 120, "jti": jti, "sid": sid,
            "events": {EVENT: {}}})
    }

    fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        if kid == "ecdsa" {
            let point = self.ecdsa.public_key().as_ref();
            return json!({"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256",
                "x": text(&point[1..33]), "y": text(&point[33..])});
        }
        let key = PublicKeyComponents::<Vec<u8>>::from(self.rsa[usize::from(kid == "second")].public());
        json!({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
            "n": text(&key.n), "e": text(&key.e)})
    }

    fn away(&self) -> Option<Response> {
        self.down
            .load(Ordering::Relaxed)
            .then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

async fn discovery(State(it): State<Arc<Provider>>) -> Response {
    let url = &it.url;
    let says_iss = it.says_iss.load(Ordering::Relaxed);
    it.away().unwrap_or_else(|| {
        Json(json!({"issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"), "end_session_endpoint": format!("{url}/end"),
            "authorization_response_iss_parameter_supported": says_iss, "code_challenge_methods_supported": ["plain", "S256"]}))
        .into_response()
    })
}

async fn keys(State(it): State<Arc<Provider>>) -> Response {
    it.keys_asked.fetch_add(1, Ordering::Relaxed);
    it.away().unwrap_or_else(|| {
        let mut keys: Vec<Value> = it
            .published
            .lock()
            .unwrap()
            .iter()
            .map(|kid| it.jwk(kid))
            .collect();
        keys.push(json!({"kty": "oct", "kid": "odd", "k": "AAAA"}));
        Json(json!({"keys": keys})).into_response()
    })
}

async fn token(State(it): State<Arc<Provider>>, Form(form): Form<HashMap<String, String>>) -> Response {
    it.tokens_asked.fetch_add(1, Ordering::Relaxed);
    if let Some(away) = it.away() {
        return away;
    }
    if it.floods.load(Ordering::Relaxed) {
        return "x".repeat(1 << 20).into_response();
    }
    let bad = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    // A code is good once.
    let Some(grant) = it.grants.lock().unwrap().remove(&form["code"]) else {
        return bad();
    };
    let challenge = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    let right = grant["code_challenge"] == URL_SAFE_NO_PAD.encode(challenge)
        && grant["redirect_uri"] == form["redirect_uri"]
        && form["client_id"] == CLIENT;
    if !right {
        return bad();
    }
    let mut claims = json!({"iss": it.url, "aud": CLIENT, "sub": "7f3c-91", "sid": "sso-1", "iat": it.now(), "exp": it.now() + 300,
        "nonce": grant["nonce"], "name": "김나루", "groups": ["naru:operator", "staff"]});
    it.twist.lock().unwrap()(&mut claims);
    let id_token = it.sign("JWT", &claims);
    Json(json!({"access_token": "a-secret-access-token", "token_type": "Bearer", "refresh_token": "a-secret-refresh-token",
        "id_token": id_token}))
    .into_response()
}
