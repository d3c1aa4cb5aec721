//! A workload behind a destination: its TLS, its authorization, and what was measured on the way to it.

use super::{place, seen::Eyes};
use crate::{
    mesh::{authz, explain as model, mtls, route::Protocol},
    workload::WorkloadId,
};
use naru_view::{
    explanation::{Agreed, Authorization, Cause, End, How, Observed, Sends, Takes, Tls, Verdict},
    topology::{Edge, Node, NodeKind, Topology},
};
use std::cmp::Ordering;

/// What all ends of one explanation share.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    pub(super) eyes: Eyes<'a>,
    pub(super) topology: &'a Topology,
    pub(super) from: &'a WorkloadId,
    pub(super) protocol: Protocol,
}

impl Ends<'_> {
    pub(super) fn end(self, end: &model::End) -> End {
        End {
            workload: end.workload.as_ref().map(place),
            ready: end.ready,
            total: end.total,
            tls: self.tls(&end.handshake),
            deaf: end.deaf,
            authorization: end.authorization.as_ref().map(|it| self.authorization(it)),
            observed: end.workload.as_ref().and_then(|it| self.observed(it)),
        }
    }

    fn tls(self, handshake: &mtls::Handshake) -> Tls {
        let sent = handshake.sent.as_ref();
        let takes = handshake.takes.as_ref();
        let by = |decider: Option<&crate::mesh::Decider>| decider.map(|it| self.eyes.decider(it));
        Tls {
            sent: sent.map(|it| (sends(it.sends), cause(it.cause))),
            sent_by: by(sent.and_then(|it| it.decider.as_ref())),
            takes: takes.map(|it| taken(it.value)),
            takes_by: by(takes.and_then(|it| it.decider.as_ref())),
            agreed: match &handshake.outcome {
                mtls::Outcome::Works { mutual: true } => Agreed::Mutual,
                mtls::Outcome::Works { mutual: false } => Agreed::Plaintext,
                mtls::Outcome::Refused { .. } => Agreed::Refused,
                mtls::Outcome::Unknown(whys) => Agreed::Unknown {
                    whys: self.eyes.whys(whys),
                },
            },
        }
    }

    fn authorization(self, decision: &authz::Decision) -> Authorization {
        Authorization {
            verdict: match &decision.verdict {
                authz::Verdict::Allow => Verdict::Allow,
                authz::Verdict::Deny => Verdict::Deny,
                authz::Verdict::Unknown(whys) => Verdict::Unknown {
                    whys: self.eyes.whys(whys),
                },
            },
            how: how(&decision.kind),
            decider: decision.decider.as_ref().map(|it| self.eyes.decider(it)),
        }
    }

    /// The busiest edge between the two whose protocol the request could be counted under. HTTP in the caller's own TLS is bytes to proxies.
    fn observed(self, to: &WorkloadId) -> Option<Observed> {
        let counted = |edge: &Edge| (&*edge.protocol == "tcp") == (self.protocol != Protocol::Http);
        let end = |position: u32, id: &WorkloadId| {
            self.topology
                .nodes
                .get(position as usize)
                .is_some_and(|node| is(node, id))
        };
        let edges = self.topology.edges.iter().filter(|edge| {
            counted(edge) && edge.rate.is_some() && end(edge.source, self.from) && end(edge.target, to)
        });
        let busiest = edges.max_by(|a, b| a.rate.partial_cmp(&b.rate).unwrap_or(Ordering::Equal))?;
        Some(Observed {
            protocol: busiest.protocol.clone(),
            rate: busiest.rate,
            error_share: busiest.error_share,
            mtls_share: busiest.mtls_share,
            average_ms: busiest.average_ms,
            last_seen: busiest.last_seen,
            whys: busiest.whys.clone(),
        })
    }
}

fn is(node: &Node, (namespace, name): &WorkloadId) -> bool {
    let workload = matches!(
        node.kind,
        NodeKind::Workload | NodeKind::Gateway | NodeKind::Ingress
    );
    workload && node.namespace == *namespace && node.workload == *name
}

fn sends(sends: mtls::Sends) -> Sends {
    match sends {
        mtls::Sends::Plaintext => Sends::Plaintext,
        mtls::Sends::Mutual => Sends::Mutual,
        mtls::Sends::Tls { .. } => Sends::Tls,
    }
}

fn cause(cause: mtls::Cause) -> Cause {
    match cause {
        mtls::Cause::NoProxy => Cause::NoProxy,
        mtls::Cause::DestinationRule => Cause::DestinationRule,
        mtls::Cause::AutoMtlsOff => Cause::AutoMtlsOff,
        mtls::Cause::PeerAuthentication => Cause::PeerAuthentication,
        mtls::Cause::NoServerProxy => Cause::NoServerProxy,
        mtls::Cause::Automatic => Cause::Automatic,
        mtls::Cause::Passthrough => Cause::Passthrough,
    }
}

fn taken(takes: mtls::Takes) -> Takes {
    match takes {
        mtls::Takes::Workload => Takes::Workload,
        mtls::Takes::Sidecar(mtls::Mode::Strict) => Takes::Strict,
        mtls::Takes::Sidecar(mtls::Mode::Permissive) => Takes::Permissive,
        mtls::Takes::Sidecar(mtls::Mode::Disable) => Takes::Disable,
    }
}

fn how(kind: &authz::Kind) -> How {
    match kind {
        authz::Kind::NoPolicies => How::NoPolicies,
        authz::Kind::NotDenied => How::NotDenied,
        authz::Kind::AllowedByRule => How::AllowedByRule,
        authz::Kind::DeniedByRule => How::DeniedByRule,
        authz::Kind::NoRuleMatched(_) => How::NoRuleMatched,
        authz::Kind::Custom { .. } | authz::Kind::MissingProvider { .. } | authz::Kind::ManyProviders(_) => {
            How::Custom
        }
        authz::Kind::TokenIssuer { .. } | authz::Kind::TokenAudience { .. } => How::Token,
        authz::Kind::NotJudged => How::NotJudged,
    }
}
