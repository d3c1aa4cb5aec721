//! One object as the API server has it now, for who is going to act on it.

use naru_domain::{
    Refused,
    object::{Key, Object},
};
use naru_ports::{Cluster, ClusterError};
use naru_view::why::ApplyError;

/// Reads it.
///
/// # Errors
/// `Refused` if it is not there; `Forbidden`; `Unreachable` for whatever else.
pub(crate) async fn read(cluster: &dyn Cluster, key: &Key) -> Result<Object, ApplyError> {
    cluster.get(key).await.map_err(|error| match error {
        ClusterError::NotFound => ApplyError::Refused {
            refused: not_found(key),
        },
        ClusterError::Forbidden(detail) => ApplyError::Forbidden { detail },
        other => ApplyError::Unreachable {
            detail: other.to_string().into(),
        },
    })
}

pub(crate) fn not_found(key: &Key) -> Refused {
    Refused::NotFound {
        kind: key.kind.name().into(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}
