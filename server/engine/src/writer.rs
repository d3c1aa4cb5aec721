//! Who wrote what stands in an object, with the person behind a change of Naru's.

use naru_domain::{
    change::{
        record::{Record, records},
        writer,
    },
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use naru_ports::Cluster;
use naru_view::change::Writer;

/// Who wrote what stands at a path. The journal that is watched may not have a change of a moment ago, so that its entry is read then.
pub(crate) async fn writer(
    cluster: &dyn Cluster,
    objects: &Objects,
    live: &Object,
    path: &str,
) -> Option<Writer> {
    let mut journal = records(objects);
    let writer = writer::of(live, path, &journal)?;
    let Some(change) = writer.change.as_ref().filter(|it| it.actor.is_empty()) else {
        return Some(writer);
    };
    let key = Key::new(Kind::Change, live.key().namespace.clone(), change.name.clone());
    journal.extend(cluster.get(&key).await.ok().as_ref().and_then(Record::read));
    writer::of(live, path, &journal)
}
