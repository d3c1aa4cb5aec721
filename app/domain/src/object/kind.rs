//! The kinds that Naru knows, with their place in the API.

use serde::{Deserialize, Serialize};

/// A kind of object. A new one is a variant here and a line in [`Kind::api`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each is called as Kubernetes or Istio calls it")]
pub enum Kind {
    Namespace,
    Pod,
    Service,
    EndpointSlice,
    Deployment,
    ReplicaSet,
    Ingress,
    Gateway,
    VirtualService,
    DestinationRule,
    PeerAuthentication,
    ServiceEntry,
    WorkloadEntry,
    Sidecar,
    EnvoyFilter,
    WasmPlugin,
    AuthorizationPolicy,
    RequestAuthentication,
    /// `Gateway` of the Gateway API, which shares its name with Istio's.
    GatewayApiGateway,
    #[serde(rename = "HTTPRoute")]
    HttpRoute,
    ReferenceGrant,
    /// Naru's journal.
    Change,
    /// A plan that waits for a second person.
    Proposal,
    /// Weights that Naru moves step by step (not Flagger's kind of this name).
    Canary,
    /// While there is one, no controller of Naru moves anything.
    Freeze,
    /// What the system is, and what counts as done.
    Migration,
    /// What Naru saw of an item, as a signature names it.
    Evidence,
    /// A person's signature under an item.
    SignOff,
    /// An item that is passed over until a day.
    Waiver,
    /// One finding that is accepted until a day.
    Exception,
    /// What was tried elsewhere and handed in.
    Report,
    /// Naru's list of the sessions that were ended before their time.
    RevokedSessions,
    Lease,
    /// What has happened, for `kubectl describe` and for whoever collects events.
    Event,
    CustomResourceDefinition,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    ConfigMap,
    ResourceQuota,
    LimitRange,
    NetworkPolicy,
    PodDisruptionBudget,
    HorizontalPodAutoscaler,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    /// What `istioctl` installs from.
    IstioOperator,
    Telemetry,
    /// cert-manager's.
    Certificate,
    /// Argo CD's.
    Application,
}

struct Api(&'static str, &'static str, &'static str, &'static str, bool);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 53] = [
        Self::Namespace,
        Self::Pod,
        Self::Service,
        Self::EndpointSlice,
        Self::Deployment,
        Self::ReplicaSet,
        Self::Ingress,
        Self::Gateway,
        Self::VirtualService,
        Self::DestinationRule,
        Self::PeerAuthentication,
        Self::ServiceEntry,
        Self::WorkloadEntry,
        Self::Sidecar,
        Self::EnvoyFilter,
        Self::WasmPlugin,
        Self::AuthorizationPolicy,
        Self::RequestAuthentication,
        Self::GatewayApiGateway,
        Self::HttpRoute,
        Self::ReferenceGrant,
        Self::Change,
        Self::Proposal,
        Self::Canary,
        Self::Freeze,
        Self::Migration,
        Self::Evidence,
        Self::SignOff,
        Self::Waiver,
        Self::Exception,
        Self::Report,
        Self::RevokedSessions,
        Self::Lease,
        Self::Event,
        Self::CustomResourceDefinition,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::ConfigMap,
        Self::ResourceQuota,
        Self::LimitRange,
        Self::NetworkPolicy,
        Self::PodDisruptionBudget,
        Self::HorizontalPodAutoscaler,
        Self::MutatingWebhookConfiguration,
        Self::ValidatingWebhookConfiguration,
        Self::ValidatingAdmissionPolicy,
        Self::ValidatingAdmissionPolicyBinding,
        Self::IstioOperator,
        Self::Telemetry,
        Self::Certificate,
        Self::Application,
    ];

    const fn api(self) -> Api {
        const ISTIO: &str = "networking.istio.io";
        const GATEWAY_API: &str = "gateway.networking.k8s.io";
        match self {
            Self::Namespace => Api("", "v1", "Namespace", "namespaces", false),
            Self::Pod => Api("", "v1", "Pod", "pods", true),
            Self::Service => Api("", "v1", "Service", "services", true),
            Self::EndpointSlice => Api("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", true),
            Self::Deployment => Api("apps", "v1", "Deployment", "deployments", true),
            Self::ReplicaSet => Api("apps", "v1", "ReplicaSet", "replicasets", true),
            Self::Ingress => Api("networking.k8s.io", "v1", "Ingress", "ingresses", true),
            Self::Gateway => Api(ISTIO, "v1", "Gateway", "gateways", true),
            Self::VirtualService => Api(ISTIO, "v1", "VirtualService", "virtualservices", true),
            Self::DestinationRule => Api(ISTIO, "v1", "DestinationRule", "destinationrules", true),
            Self::PeerAuthentication => Api(
                "security.istio.io",
                "v1",
                "PeerAuthentication",
                "peerauthentications",
                true,
            ),
            Self::ServiceEntry => Api(ISTIO, "v1", "ServiceEntry", "serviceentries", true),
            Self::WorkloadEntry => Api(ISTIO, "v1", "WorkloadEntry", "workloadentries", true),
            Self::Sidecar => Api(ISTIO, "v1", "Sidecar", "sidecars", true),
            Self::EnvoyFilter => Api(ISTIO, "v1alpha3", "EnvoyFilter", "envoyfilters", true),
            Self::WasmPlugin => Api(
                "extensions.istio.io",
                "v1alpha1",
                "WasmPlugin",
                "wasmplugins",
                true,
            ),
            Self::AuthorizationPolicy => Api(
                "security.istio.io",
                "v1",
                "AuthorizationPolicy",
                "authorizationpolicies",
                true,
            ),
            Self::RequestAuthentication => Api(
                "security.istio.io",
                "v1",
                "RequestAuthentication",
                "requestauthentications",
                true,
            ),
            Self::GatewayApiGateway => Api(GATEWAY_API, "v1", "Gateway", "gateways", true),
            Self::HttpRoute => Api(GATEWAY_API, "v1", "HTTPRoute", "httproutes", true),
            Self::ReferenceGrant => Api(GATEWAY_API, "v1beta1", "ReferenceGrant", "referencegrants", true),
            Self::Change => Api("naru.dev", "v1alpha1", "Change", "changes", true),
            Self::Proposal => Api("naru.dev", "v1alpha1", "Proposal", "proposals", true),
            Self::Canary => Api("naru.dev", "v1alpha1", "Canary", "canaries", true),
            Self::Freeze => Api("naru.dev", "v1alpha1", "Freeze", "freezes", false),
            Self::Migration => Api("naru.dev", "v1alpha1", "Migration", "migrations", false),
            Self::Evidence => Api("naru.dev", "v1alpha1", "Evidence", "evidences", false),
            Self::SignOff => Api("naru.dev", "v1alpha1", "SignOff", "signoffs", false),
            Self::Waiver => Api("naru.dev", "v1alpha1", "Waiver", "waivers", false),
            Self::Exception => Api("naru.dev", "v1alpha1", "Exception", "exceptions", false),
            Self::Report => Api("naru.dev", "v1alpha1", "Report", "reports", false),
            Self::RevokedSessions => Api(
                "naru.dev",
                "v1alpha1",
                "RevokedSessions",
                "revokedsessions",
                false,
            ),
            Self::Lease => Api("coordination.k8s.io", "v1", "Lease", "leases", true),
            Self::Event => Api("", "v1", "Event", "events", true),
            Self::CustomResourceDefinition => Api(
                "apiextensions.k8s.io",
                "v1",
                "CustomResourceDefinition",
                "customresourcedefinitions",
                false,
            ),
            Self::StatefulSet => Api("apps", "v1", "StatefulSet", "statefulsets", true),
            Self::DaemonSet => Api("apps", "v1", "DaemonSet", "daemonsets", true),
            Self::Job => Api("batch", "v1", "Job", "jobs", true),
            Self::CronJob => Api("batch", "v1", "CronJob", "cronjobs", true),
            Self::ConfigMap => Api("", "v1", "ConfigMap", "configmaps", true),
            Self::ResourceQuota => Api("", "v1", "ResourceQuota", "resourcequotas", true),
            Self::LimitRange => Api("", "v1", "LimitRange", "limitranges", true),
            Self::NetworkPolicy => Api(
                "networking.k8s.io",
                "v1",
                "NetworkPolicy",
                "networkpolicies",
                true,
            ),
            Self::PodDisruptionBudget => Api(
                "policy",
                "v1",
                "PodDisruptionBudget",
                "poddisruptionbudgets",
                true,
            ),
            Self::HorizontalPodAutoscaler => Api(
                "autoscaling",
                "v2",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
                true,
            ),
            Self::MutatingWebhookConfiguration => Api(
                "admissionregistration.k8s.io",
                "v1",
                "MutatingWebhookConfiguration",
                "mutatingwebhookconfigurations",
                false,
            ),
            Self::ValidatingWebhookConfiguration => Api(
                "admissionregistration.k8s.io",
                "v1",
                "ValidatingWebhookConfiguration",
                "validatingwebhookconfigurations",
                false,
            ),
            Self::ValidatingAdmissionPolicy => Api(
                "admissionregistration.k8s.io",
                "v1",
                "ValidatingAdmissionPolicy",
                "validatingadmissionpolicies",
                false,
            ),
            Self::ValidatingAdmissionPolicyBinding => Api(
                "admissionregistration.k8s.io",
                "v1",
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
                false,
            ),
            Self::IstioOperator => Api(
                "install.istio.io",
                "v1alpha1",
                "IstioOperator",
                "istiooperators",
                true,
            ),
            Self::Telemetry => Api("telemetry.istio.io", "v1", "Telemetry", "telemetries", true),
            Self::Certificate => Api("cert-manager.io", "v1", "Certificate", "certificates", true),
            Self::Application => Api("argoproj.io", "v1alpha1", "Application", "applications", true),
        }
    }

    /// The kind that a manifest's `apiVersion` and `kind` name, whatever the version: `networking.istio.io/v1beta1` and `/v1` are one.
    pub fn named(api_version: &str, name: &str) -> Option<Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name && kind.group() == group)
    }

    /// API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        self.api().0
    }

    /// API version within the group.
    pub const fn version(self) -> &'static str {
        self.api().1
    }

    /// The kind's name in manifests.
    pub const fn name(self) -> &'static str {
        self.api().2
    }

    /// The resource's name in URLs and RBAC rules.
    pub const fn plural(self) -> &'static str {
        self.api().3
    }

    /// Whether objects live in a namespace.
    pub const fn namespaced(self) -> bool {
        self.api().4
    }

    /// `group/version` as in a manifest's `apiVersion`.
    pub fn api_version(self) -> String {
        if self.group().is_empty() {
            self.version().into()
        } else {
            format!("{}/{}", self.group(), self.version())
        }
    }

    /// The one object of the kind that Naru reads, as namespace and name, where the others are none of its business: of ConfigMaps the mesh's own.
    pub const fn only(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::ConfigMap => Some(("istio-system", "istio")),
            _ => None,
        }
    }

    /// Whether the kind comes with a CustomResourceDefinition, so that it may be absent, or arrive later.
    pub fn custom(self) -> bool {
        self.group() == "naru.dev"
            || self.group() == "gateway.networking.k8s.io"
            || self.group() == "cert-manager.io"
            || self.group() == "argoproj.io"
            || self.group().ends_with(".istio.io")
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn a_manifest_names_a_kind_by_group_and_name_whatever_the_version() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(&kind.api_version(), kind.name()), Some(kind));
        }
        assert_eq!(
            Kind::named("networking.istio.io/v1beta1", "Gateway"),
            Some(Kind::Gateway)
        );
        assert_eq!(
            Kind::named("gateway.networking.k8s.io/v1beta1", "Gateway"),
            Some(Kind::GatewayApiGateway)
        );
        assert_eq!(Kind::named("v1", "Secret"), None);
        assert_eq!(Kind::named("example.com/v1", "Service"), None);
    }

    #[test]
    fn what_is_changed_is_written_down_as_kubernetes_calls_it() {
        for kind in crate::change::plan::KINDS {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn custom_kinds_are_those_of_definitions() {
        let custom = Kind::ALL.into_iter().filter(|kind| kind.custom()).count();
        assert_eq!(custom, 29);
        assert!(Kind::Change.custom() && Kind::HttpRoute.custom() && Kind::WasmPlugin.custom());
        assert!(!Kind::Ingress.custom() && !Kind::CustomResourceDefinition.custom());
    }
}
