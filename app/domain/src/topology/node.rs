//! What tells one node from another.

use crate::{Name, actor::Scope};

/// Which side of the visible part a foreign namespace stands on. Two nodes, so that the picture keeps running from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Callers,
    Called,
}

/// A node's identity. The cluster is empty for the one whose API server the inventory is from, so that a node keeps its identity when
/// Prometheus goes away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKey {
    Workload {
        cluster: Name,
        namespace: Name,
        name: Name,
    },
    Service {
        cluster: Name,
        namespace: Name,
        name: Name,
    },
    Unknown {
        cluster: Name,
    },
    Outside {
        cluster: Name,
        name: Name,
    },
    Ingress {
        class: Name,
    },
    Elsewhere(Side),
}

impl NodeKey {
    /// A workload of the home cluster.
    pub(super) fn home((namespace, name): &(Name, Name)) -> Self {
        Self::Workload {
            cluster: "".into(),
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }

    pub(super) fn cluster(&self) -> &str {
        match self {
            Self::Workload { cluster, .. }
            | Self::Service { cluster, .. }
            | Self::Unknown { cluster }
            | Self::Outside { cluster, .. } => cluster,
            Self::Ingress { .. } | Self::Elsewhere(_) => "",
        }
    }

    /// Empty for what has none.
    pub(super) fn namespace(&self) -> Name {
        match self {
            Self::Workload { namespace, .. } | Self::Service { namespace, .. } => namespace.clone(),
            _ => "".into(),
        }
    }

    pub(super) fn name(&self) -> Name {
        match self {
            Self::Workload { name, .. } | Self::Service { name, .. } | Self::Outside { name, .. } => {
                name.clone()
            }
            Self::Ingress { class } => class.clone(),
            Self::Unknown { .. } | Self::Elsewhere(_) => "".into(),
        }
    }

    /// Whether a viewer's scope names this node's namespace; what has none is not enough to show an edge.
    pub(super) fn within(&self, scope: &Scope) -> bool {
        let namespace = self.namespace();
        scope.namespaces.is_none() || (!namespace.is_empty() && scope.sees(&namespace))
    }

    /// Itself where the scope sees it, else a foreign end without a name.
    pub(super) fn hidden_from(self, scope: &Scope, side: Side) -> Self {
        if scope.sees(&self.namespace()) {
            self
        } else {
            Self::Elsewhere(side)
        }
    }

    /// Kind, cluster, namespace and name with `/` between, in which a `/` or `%` of their own is percent-encoded. A gateway and an
    /// ingress controller that is known as a workload are called as workloads: what a node is may be learned late.
    pub(super) fn id(&self) -> Name {
        let kind = match self {
            Self::Workload { .. } => "workload",
            Self::Service { .. } => "service",
            Self::Unknown { .. } => "unknown",
            Self::Outside { .. } => "outside",
            Self::Ingress { .. } => "ingress",
            Self::Elsewhere(Side::Callers) => return "elsewhere///callers".into(),
            Self::Elsewhere(Side::Called) => return "elsewhere///called".into(),
        };
        let mut id = String::from(kind);
        for part in [self.cluster(), &self.namespace(), &self.name()] {
            id.push('/');
            for c in part.chars() {
                match c {
                    '/' => id.push_str("%2F"),
                    '%' => id.push_str("%25"),
                    c => id.push(c),
                }
            }
        }
        id.into()
    }
}

#[cfg(test)]
mod tests {
    use super::NodeKey;

    #[test]
    fn ids_cannot_be_mistaken_for_each_other() {
        let id = |namespace: &str, name: &str| {
            NodeKey::Workload {
                cluster: "".into(),
                namespace: namespace.into(),
                name: name.into(),
            }
            .id()
        };
        assert_eq!(&*id("shop", "web"), "workload//shop/web");
        assert_ne!(id("a/b", "c"), id("a", "b/c"));
        assert_ne!(id("a%2Fb", "c"), id("a/b", "c"));
    }
}
