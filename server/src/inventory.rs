//! The cluster's objects, asked for once.

use futures::{StreamExt, future::join_all};
use naru_domain::{
    SourceName, Why,
    object::Kind,
    snapshot::{KindState, Objects},
};
use naru_ports::{Cluster, Seen};
use std::time::Duration;

/// How long the API server may take for a whole list. Ten thousand pods come in pages within a few seconds; who waits for a command line
/// waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lists every kind once. Kinds that may not be read are gaps; an API server that does not answer is no source.
pub(crate) async fn inventory(cluster: &dyn Cluster, kinds: &[Kind]) -> Result<(Objects, Vec<Why>), Why> {
    let first = |kind| async move {
        let seen = tokio::time::timeout(PATIENCE, cluster.watch(kind).next()).await;
        let late = Why::TimedOut {
            source: SourceName::Kubernetes,
            after_ms: PATIENCE.as_millis() as u64,
        };
        (kind, seen.ok().flatten().unwrap_or(Seen::Lost(late)))
    };
    let (mut objects, mut gaps) = (Objects::default(), Vec::new());
    for (kind, seen) in join_all(kinds.iter().copied().map(first)).await {
        let state = match seen {
            Seen::Reset { facts, gaps: missing } => {
                facts.into_iter().for_each(|fact| objects.put(fact));
                gaps.extend(missing);
                KindState::Known
            }
            Seen::Absent => KindState::Absent,
            Seen::Lost(why @ Why::Forbidden { .. }) => {
                gaps.push(why.clone());
                KindState::Lost(why)
            }
            Seen::Lost(why) => return Err(why),
            // A watch begins with one of the above.
            Seen::Applied(_) | Seen::Deleted(_) | Seen::Unreadable(..) => {
                return Err(Why::Garbled {
                    source: SourceName::Kubernetes,
                    detail: "a watch without a list".into(),
                });
            }
        };
        objects.kinds.insert(kind, state);
    }
    Ok((objects, gaps))
}
