//! CUSTOM policies: an external authorizer is asked about what their rules take (`buildHTTP` and `buildTCP` in istio's
//! `pilot/pkg/security/authz/builder`).

use super::{Kind, Policy, Protocol, decide::Stage, seen::Seen, tri::Tri};
use crate::{
    Name, Why,
    mesh::{Mesh, host, unjudged},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the CUSTOM policies do with the request. Without the provider, and with more providers than one, Istio makes the rules refuse.
pub(super) fn stage(mesh: &Mesh<'_>, policies: &[Policy<'_>], seen: &Seen<'_>) -> Stage {
    let providers: BTreeSet<Name> = policies.iter().map(|it| it.provider.clone()).collect();
    let mut stage = Stage::Pass;
    for policy in policies {
        let known = mesh.config.authorizers.contains(&policy.provider);
        let refuses = providers.len() > 1 || !known;
        if policy.dry_run && refuses {
            continue;
        }
        if !refuses && seen.request.protocol == Protocol::Tcp && asks_http_only(mesh, &policy.provider) {
            continue;
        }
        let (taken, Some(decider)) = policy.takes(seen) else {
            continue;
        };
        let kind = if providers.len() > 1 {
            Kind::ManyProviders(providers.iter().cloned().collect())
        } else if known {
            Kind::Custom {
                provider: policy.provider.clone(),
            }
        } else {
            Kind::MissingProvider {
                provider: policy.provider.clone(),
            }
        };
        let next = match taken {
            Tri::No => continue,
            Tri::Yes if refuses => return Stage::Deny(decider, kind),
            Tri::Yes if policy.dry_run => Stage::Unknown(
                [unjudged::named(policy.object)].into(),
                Some(decider),
                Kind::NotJudged,
            ),
            Tri::Yes => {
                let what = format!("extensionProvider {}", policy.provider).into();
                Stage::Unknown([Why::NotJudged { what }].into(), Some(decider), kind)
            }
            Tri::Unknown(whys) => Stage::Unknown(whys, Some(decider), Kind::NotJudged),
        };
        stage = stage.and(next);
    }
    stage
}

/// The provider speaks HTTP and is sound as far as can be seen, so that it is not asked about connections. One whose service Istio does not
/// find makes the rules refuse there too, so a service that is not a Kubernetes Service counts as asked.
fn asks_http_only(mesh: &Mesh<'_>, name: &str) -> bool {
    let providers = mesh
        .config
        .json
        .get("extensionProviders")
        .and_then(Value::as_array);
    let mut named = providers.into_iter().flatten();
    let named = named.find(|it| it.get("name").and_then(Value::as_str) == Some(name));
    let http = named.and_then(|it| it.get("envoyExtAuthzHttp"));
    let service = http.and_then(|it| host::service_of(it.get("service")?.as_str()?));
    let port = http.and_then(|it| it.get("port")?.as_u64());
    service.is_some_and(|it| {
        let found = mesh.objects.service(&it.namespace, &it.name);
        found.is_some_and(|it| it.ports.iter().any(|has| Some(u64::from(has.port)) == port))
    })
}
