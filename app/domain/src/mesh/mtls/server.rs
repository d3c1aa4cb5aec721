//! What a sidecar takes: PeerAuthentication.

use crate::{
    Why,
    mesh::{Decider, Mesh, Proxy, Role, unjudged},
    object::{Kind, Object},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a sidecar takes on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Mutual TLS alone.
    Strict,
    /// Mutual TLS and plaintext; the default.
    Permissive,
    /// Plaintext alone.
    Disable,
}

/// A mode, and the field that set it; None: nobody did.
pub(super) type Decided = (Mode, Option<Decider>);

/// What the sidecar of `proxy` takes on one of its pod's own ports, and the field that says so; None where nobody has said anything.
///
/// The workload's PeerAuthentication (one with a selector, in the workload's namespace, but for the root namespace) goes before the
/// namespace's, which goes before that of the root namespace, which is the whole mesh's. Of several of one level the oldest counts
/// alone, even if it leaves the mode unset; an unset mode is inherited. Modes of ports count only where there is a selector.
/// (`ComposePeerAuthentication` in istio's `pilot/pkg/security/authn`, `addPeerAuthentication` in `pilot/pkg/model`.)
///
/// # Errors
/// Why it cannot be known. A gateway's listeners go by its Gateways, which is not judged here.
pub fn server_mode(mesh: &Mesh<'_>, proxy: &Proxy, port: u16) -> Result<Decided, Vec<Why>> {
    let composed = composed_of_sidecar(mesh, proxy)?;
    Ok(composed.at(port))
}

/// The mode where the port is not known: known all the same if no port is an exception.
pub(super) fn mode_of_any_port(mesh: &Mesh<'_>, proxy: &Proxy) -> Result<Decided, Vec<Why>> {
    composed_of_sidecar(mesh, proxy)?.anywhere()
}

fn composed_of_sidecar(mesh: &Mesh<'_>, proxy: &Proxy) -> Result<Composed, Vec<Why>> {
    if proxy.role == Role::Gateway {
        return Err(vec![Why::NotJudged {
            what: "Gateway".into(),
        }]);
    }
    composed(mesh, proxy)
}

/// What PeerAuthentications say about a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Composed {
    whole: Decided,
    ports: BTreeMap<u16, Decided>,
}

impl Composed {
    pub(super) fn at(&self, port: u16) -> Decided {
        self.ports.get(&port).unwrap_or(&self.whole).clone()
    }

    pub(super) fn anywhere(&self) -> Result<Decided, Vec<Why>> {
        let same = self.ports.values().all(|(mode, _)| *mode == self.whole.0);
        if same {
            Ok(self.whole.clone())
        } else {
            Err(vec![Why::NotJudged {
                what: "targetPort".into(),
            }])
        }
    }
}

/// What PeerAuthentications say about a pod, whatever proxy it has.
pub(super) fn composed(mesh: &Mesh<'_>, pod: &Proxy) -> Result<Composed, Vec<Why>> {
    known(mesh)?;
    let root = &mesh.config.root_namespace;
    let policies = mesh.oldest_first(Kind::PeerAuthentication);
    let mut whole = of_namespace(&policies, mesh, &pod.namespace).unwrap_or((Mode::Permissive, None));
    let workload = policies.iter().find(|policy| {
        let selector = unjudged::labels(policy, "/spec/selector/matchLabels");
        policy.key().namespace == pod.namespace
            && pod.namespace != *root
            && !selector.is_empty()
            && pod.selected_by(&selector)
    });
    let mut ports = BTreeMap::new();
    if let Some(workload) = workload {
        if let Some(own) = said(workload, "/spec/mtls/mode") {
            whole = own;
        }
        let list = workload.get("/spec/portLevelMtls").and_then(Value::as_object);
        for (port, _) in list.into_iter().flatten() {
            let Ok(number) = port.parse() else { continue };
            let own = said(workload, &format!("/spec/portLevelMtls/{port}/mode"));
            ports.insert(number, own.unwrap_or_else(|| whole.clone()));
        }
    }
    Ok(Composed { whole, ports })
}

/// What a namespace's own PeerAuthentication says, else the mesh's; callers go by it for all of a service. None where neither is there.
/// (`GetNamespaceMutualTLSMode` in istio's `pilot/pkg/model`.)
pub(super) fn namespace_mode(mesh: &Mesh<'_>, namespace: &str) -> Result<Option<Decided>, Vec<Why>> {
    known(mesh)?;
    Ok(of_namespace(
        &mesh.oldest_first(Kind::PeerAuthentication),
        mesh,
        namespace,
    ))
}

fn known(mesh: &Mesh<'_>) -> Result<(), Vec<Why>> {
    let gap = mesh.objects.gap(Kind::PeerAuthentication);
    let gaps: Vec<Why> = mesh.config.gap.clone().into_iter().chain(gap).collect();
    if gaps.is_empty() { Ok(()) } else { Err(gaps) }
}

fn of_namespace(policies: &[&Object], mesh: &Mesh<'_>, namespace: &str) -> Option<Decided> {
    [namespace, &*mesh.config.root_namespace]
        .iter()
        .find_map(|namespace| {
            let oldest = policies.iter().find(|policy| {
                *policy.key().namespace == **namespace
                    && unjudged::labels(policy, "/spec/selector/matchLabels").is_empty()
            })?;
            said(oldest, "/spec/mtls/mode")
        })
}

/// The mode at a pointer; None where it is unset.
fn said(policy: &Object, pointer: &str) -> Option<Decided> {
    let mode = match policy.text(pointer) {
        "STRICT" => Mode::Strict,
        "PERMISSIVE" => Mode::Permissive,
        "DISABLE" => Mode::Disable,
        _ => return None,
    };
    Some((mode, Some(Decider::of(policy, pointer))))
}
