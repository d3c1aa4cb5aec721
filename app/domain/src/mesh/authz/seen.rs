//! A request prepared for a policy's questions.

use super::{Request, matcher::SPIFFE, path, tri::Tri};
use crate::{Name, Why, mesh::MeshConfig};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Who the peer is, by its certificate.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Peer {
    /// No certificate, so no rule about identity matches.
    Plaintext,
    /// The URI in its certificate.
    Uri(String),
    /// Only its namespace is known.
    Namespace(Name),
    /// It has a certificate of someone.
    Unknown,
}

/// The token that rules see.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// None, or nobody has looked at it.
    None,
    /// The claims, as Envoy keeps them.
    Claims(Map<String, Value>),
    /// There may be one.
    Unknown(BTreeSet<Why>),
}

impl Token {
    pub(super) fn asked(&self, ask: impl FnOnce(&Map<String, Value>) -> bool) -> Tri {
        match self {
            Self::None => Tri::No,
            Self::Claims(claims) => Tri::of(ask(claims)),
            Self::Unknown(whys) => Tri::Unknown(whys.clone()),
        }
    }
}

/// What rules see.
#[derive(Clone, Debug)]
pub(super) struct Seen<'a> {
    pub(super) request: &'a Request,
    pub(super) peer: Peer,
    /// As they may be after normalization, with the query; empty: not known.
    pub(super) paths: BTreeSet<String>,
    pub(super) token: Token,
    /// Headers that the token's check sets or removes.
    pub(super) touched: BTreeSet<Name>,
    /// The policy that asks lies here.
    pub(super) policy_namespace: &'a str,
}

impl<'a> Seen<'a> {
    /// As it arrives, before any filter.
    pub(super) fn of(config: &MeshConfig, request: &'a Request) -> Self {
        let peer = if !request.mtls {
            Peer::Plaintext
        } else if !request.principal.is_empty() {
            Peer::Uri(format!("{SPIFFE}{}", request.principal))
        } else if !request.namespace.is_empty() {
            Peer::Namespace(request.namespace.clone())
        } else {
            Peer::Unknown
        };
        Self {
            request,
            peer,
            paths: path::candidates(&config.json, &request.path),
            token: Token::None,
            touched: BTreeSet::new(),
            policy_namespace: "",
        }
    }
}
