//! Whom a bearer token of the cluster's own belongs to. What `--auth kubernetes` asks: the way in when the identity provider is down.

use crate::ClusterError;
use naru_domain::Name;
use std::sync::Arc;

/// A user of the cluster, as its API server knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUser {
    /// The user's name: `system:serviceaccount:naru:break-glass`, `alice@example`.
    pub name: Name,
    /// The user's uid; empty where the authenticator gives none.
    pub uid: Name,
    /// Naru's groups ([`naru_domain::actor::GROUPS`]) that they act in: those that they are in, and those that RBAC lets them
    /// impersonate. Never a group of Kubernetes' own.
    pub groups: Arc<[Name]>,
}

/// The API server's judgement of tokens.
#[async_trait::async_trait]
pub trait Tokens: Send + Sync {
    /// Whose token it is; None if the API server does not know it, or it was made for another audience. The token is neither kept nor
    /// logged, and no error repeats it.
    async fn review(&self, token: &str) -> Result<Option<TokenUser>, ClusterError>;
}
