//! A cluster looked at once, with everything found out that its checks ask.

use futures::{StreamExt, stream};
use naru_domain::{
    Timestamp,
    crossing::Audited,
    inquiry::{Inquiry, Replies},
    judge::World,
    mesh::Prepared,
    snapshot::Objects,
    traffic::{Dated, Traffic},
};
use naru_ports::Inquiries;
use std::{collections::BTreeSet, sync::Arc};

/// A reply may bring up another question, and that seldom a third.
const ROUNDS: usize = 4;

/// So many questions are under way at once.
const AT_ONCE: usize = 16;

/// Looks, finds out what was asked, and looks again until nothing new is asked.
///
/// For whoever needs an answer about this very moment: the checklist is judged behind the snapshot, with replies at their own pace.
pub async fn judged<T>(
    objects: &Objects,
    traffic: Option<&Arc<Dated<Traffic>>>,
    audited: &Audited,
    inquiries: &dyn Inquiries,
    now: Timestamp,
    look: impl Fn(&World<'_>) -> T,
) -> T {
    let prepared = Prepared::of(objects);
    let mut replies = Arc::new(Replies::new());
    let look = |replies: &Arc<Replies>| {
        let world = World::of(objects, prepared.clone(), traffic.cloned(), now)
            .knowing(Arc::clone(replies))
            .trusting(audited);
        (look(&world), world.asked())
    };
    for _ in 1..ROUNDS {
        let (seen, asked) = look(&replies);
        let fresh: BTreeSet<Inquiry> = asked.into_iter().filter(|it| !replies.contains_key(it)).collect();
        if fresh.is_empty() {
            return seen;
        }
        let ask = |inquiry: Inquiry| async move {
            let reply = inquiries.find_out(&inquiry).await;
            (inquiry, reply)
        };
        let found: Vec<_> = stream::iter(fresh)
            .map(ask)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        Arc::make_mut(&mut replies).extend(found);
    }
    look(&replies).0
}
