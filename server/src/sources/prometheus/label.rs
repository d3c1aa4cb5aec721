//! The labels that we ask for, and sets of their values.

use naru_domain::Name;
use std::{collections::HashSet, sync::Arc};

/// The status of what is a connection from then on (RFC 9110 section 15.2.2), such as a WebSocket: what it "took" is how long it was open.
pub(super) const SWITCHED: &str = "101";

macro_rules! labels {
    ($($variant:ident = $name:literal,)*) => {
        /// A label that we read. Names: <https://istio.io/latest/docs/reference/config/metrics/#labels>, then those of
        /// ingress-nginx's counters (what Prometheus calls otherwise itself it sets `exported_` before); the last five are given by
        /// Prometheus's scrape configuration and tell whose counter a series is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Label { $($variant,)* }

        impl Label {
            /// How many there are.
            pub(super) const COUNT: usize = [$($name,)*].len();

            /// As Prometheus has it.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// None for labels that we do not read.
            pub(super) fn called(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

labels! {
    Reporter = "reporter",
    SourceCluster = "source_cluster",
    SourceNamespace = "source_workload_namespace",
    SourceWorkload = "source_workload",
    SourceService = "source_canonical_service",
    SourceVersion = "source_version",
    SourceRevision = "source_canonical_revision",
    TargetCluster = "destination_cluster",
    TargetNamespace = "destination_workload_namespace",
    TargetWorkload = "destination_workload",
    TargetService = "destination_canonical_service",
    TargetVersion = "destination_version",
    TargetRevision = "destination_canonical_revision",
    ServiceNamespace = "destination_service_namespace",
    ServiceName = "destination_service_name",
    Protocol = "request_protocol",
    Code = "response_code",
    Flags = "response_flags",
    GrpcStatus = "grpc_response_status",
    Policy = "connection_security_policy",
    Route = "route_name",
    Host = "host",
    ExportedNamespace = "exported_namespace",
    ExportedService = "exported_service",
    Service = "service",
    Status = "status",
    Bound = "le",
    Instance = "instance",
    Pod = "pod",
    PodNamespace = "namespace",
    Job = "job",
    Replica = "prometheus_replica",
}

/// One row's labels. What is missing is empty, and so is what Istio calls `unknown`.
#[derive(Clone, Debug)]
pub(super) struct LabelSet([Name; Label::COUNT]);

impl LabelSet {
    /// A label's value; empty if there is none.
    pub(super) fn get(&self, label: Label) -> &Name {
        &self.0[label as usize]
    }

    /// Sets a label's value.
    pub(super) fn put(&mut self, label: Label, value: Name) {
        self.0[label as usize] = value;
    }

    /// The first of these that has a value.
    pub(super) fn first(&self, labels: [Label; 2]) -> &Name {
        let [first, second] = labels.map(|label| self.get(label));
        if first.is_empty() { second } else { first }
    }
}

/// Gives equal texts one allocation: a mesh has thousands of rows, and hundreds of names.
pub(super) struct Names {
    known: HashSet<Name>,
    empty: Name,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            empty: Arc::from(""),
        }
    }
}

impl Names {
    /// The shared name. `unknown` is how Istio's proxies say that they do not know, so it becomes empty.
    pub(super) fn intern(&mut self, text: &str) -> Name {
        if text.is_empty() || text == "unknown" {
            return self.empty.clone();
        }
        if let Some(name) = self.known.get(text) {
            return name.clone();
        }
        let name: Name = text.into();
        self.known.insert(name.clone());
        name
    }

    /// A set without values.
    pub(super) fn no_labels(&self) -> LabelSet {
        LabelSet(std::array::from_fn(|_| self.empty.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, Names};
    use std::sync::Arc;

    #[test]
    fn names_lead_back_to_their_labels() {
        for label in [
            Label::Reporter,
            Label::TargetWorkload,
            Label::GrpcStatus,
            Label::Replica,
        ] {
            assert_eq!(Label::called(label.name()), Some(label));
        }
        assert_eq!(Label::Route.name(), naru_domain::traffic::ROUTE_TAG);
        assert_eq!(Label::called("destination_service"), None);
        assert_eq!(Label::Replica as usize + 1, Label::COUNT);
    }

    #[test]
    fn equal_texts_are_one_name_and_unknown_is_none() {
        let mut names = Names::default();
        let (a, b) = (names.intern("주문"), names.intern("주문"));
        assert!(Arc::ptr_eq(&a, &b));
        assert_eq!(&*names.intern("unknown"), "");
        let mut labels = names.no_labels();
        labels.put(Label::SourceRevision, a);
        assert_eq!(
            &**labels.first([Label::SourceVersion, Label::SourceRevision]),
            "주문"
        );
    }
}
