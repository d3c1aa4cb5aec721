//! Whose a bearer token is: TokenReviews, and which of Naru's groups its user may act in.

use crate::{rights, wire::Wire};
use futures::{StreamExt as _, TryStreamExt as _};
use naru_domain::{
    Name,
    actor::{GROUPS, reserved},
};
use naru_ports::{ClusterError, TokenUser, Tokens};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of a token. ServiceAccount tokens have about 1 kB; providers that put every group into theirs reach a few.
const TOKEN_LIMIT: usize = 16 << 10;

/// Groups in Naru's name space that one user may be in.
const OWN_GROUPS: usize = 16;

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

/// Asks the API server about tokens that were made for one audience.
#[derive(Clone)]
pub struct KubeTokens {
    wire: Wire,
    audience: Name,
}

impl KubeTokens {
    pub(crate) fn new(wire: Wire, audience: Name) -> Self {
        Self { wire, audience }
    }

    /// The groups that this user is in or may impersonate, in order of name. Whoever RBAC lets act as `naru:operator` by
    /// `kubectl --as-group` may act as such here.
    async fn groups(&self, user: &Value) -> Result<Arc<[Name]>, ClusterError> {
        let own = list(user, "groups");
        let own = own
            .filter(|group| group.starts_with("naru:") && !reserved(group))
            .take(OWN_GROUPS);
        let mut groups: Vec<Name> = own.map(Name::from).collect();
        let questions: Vec<_> = GROUPS
            .iter()
            .filter(|group| !groups.iter().any(|own| &**own == **group))
            .map(|group| async move {
                let may = rights::one(&self.wire, may_act_in(user, group)).await?;
                Ok::<_, ClusterError>(may.then(|| Name::from(*group)))
            })
            .collect();
        let granted: Vec<Option<Name>> = futures::stream::iter(questions)
            .buffered(GROUPS.len())
            .try_collect()
            .await?;
        groups.extend(granted.into_iter().flatten());
        groups.sort();
        groups.dedup();
        Ok(groups.into())
    }
}

fn list<'a>(user: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let all = user.get(field).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation>: the right to act in a group is the verb
/// `impersonate` on it.
fn may_act_in(user: &Value, group: &str) -> Value {
    let of = |field: &str| user.get(field).cloned().unwrap_or(Value::Null);
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": of("username"), "uid": of("uid"), "groups": of("groups"), "extra": of("extra"),
            "resourceAttributes": {"verb": "impersonate", "group": "", "version": "v1", "resource": "groups", "name": group},
        }
    })
}

#[async_trait::async_trait]
impl Tokens for KubeTokens {
    async fn review(&self, token: &str) -> Result<Option<TokenUser>, ClusterError> {
        let fits =
            (1..=TOKEN_LIMIT).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Ok(None);
        }
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": token, "audiences": [&self.audience]},
        });
        let answer = rights::ask(&self.wire, REVIEWS, &review).await?;
        let status = answer
            .get("status")
            .ok_or_else(|| ClusterError::Unreachable("the answer is no TokenReview".into()))?;
        // Without our audience in the answer the token is good for the API server, and nobody has said that it is meant for us.
        let ours = list(status, "audiences").any(|audience| audience == &*self.audience);
        let user = status.get("user").unwrap_or(&Value::Null);
        let name = user.get("username").and_then(Value::as_str).unwrap_or("");
        if status.get("authenticated").and_then(Value::as_bool) != Some(true) || !ours || name.is_empty() {
            return Ok(None);
        }
        Ok(Some(TokenUser {
            name: name.into(),
            uid: user.get("uid").and_then(Value::as_str).unwrap_or("").into(),
            groups: self.groups(user).await?,
        }))
    }
}
