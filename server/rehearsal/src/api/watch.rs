//! Watches: a list, then every change, and a list again whenever that is broken.

use super::{
    Asker, ObjectStore,
    rights::Asked,
    state::{Event, gone},
};
use futures::{StreamExt, stream, stream::BoxStream};
use naru_domain::{
    SourceName, Why,
    fact::Fact,
    object::{Key, Kind},
};
use naru_ports::Seen;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

struct Watch {
    store: ObjectStore,
    kind: Kind,
    live: Option<Receiver<Event>>,
    /// What was last told while there was nothing to follow; it is not told twice.
    told: Option<Seen>,
}

pub(super) fn watch(store: ObjectStore, kind: Kind) -> BoxStream<'static, Seen> {
    let watch = Watch {
        store,
        kind,
        live: None,
        told: None,
    };
    stream::unfold(
        watch,
        |mut watch| async move { Some((watch.next().await, watch)) },
    )
    .boxed()
}

fn read(key: &Key, json: &Arc<Value>) -> Result<Fact, Why> {
    Fact::read(key.kind, (**json).clone()).map_err(|error| Why::Garbled {
        source: SourceName::Kubernetes,
        detail: error.to_string().into(),
    })
}

impl Watch {
    async fn next(&mut self) -> Seen {
        loop {
            let Some(live) = &mut self.live else {
                // Subscribed before looking, so that what changes in between wakes us.
                let mut signal = self.store.inner.signal.subscribe();
                let told = self.list();
                if matches!(told, Seen::Reset { .. }) {
                    self.told = None;
                    return told;
                }
                if self.told.as_ref() != Some(&told) {
                    self.told = Some(told.clone());
                    return told;
                }
                // The sender lives in the store that we hold.
                let _ = signal.changed().await;
                continue;
            };
            let broken = match live.recv().await {
                Ok(Event::Applied(key, json)) => {
                    return read(&key, &json).map_or_else(|why| Seen::Unreadable(key, why), Seen::Applied);
                }
                Ok(Event::Deleted(key)) => return Seen::Deleted(key),
                Ok(Event::Undefined) => Seen::Absent,
                Ok(Event::Broken(why)) => Seen::Lost(why),
                Err(RecvError::Lagged(_)) => Seen::Lost(gone()),
                Err(RecvError::Closed) => std::future::pending().await,
            };
            self.live = None;
            self.told = Some(broken.clone());
            return broken;
        }
    }

    /// Everything of the kind, with a subscription that begins exactly there; or why not.
    fn list(&mut self) -> Seen {
        self.store.catch_up();
        let state = self.store.state();
        if let Some(detail) = &state.down {
            return Seen::Lost(Why::Unreachable {
                source: SourceName::Kubernetes,
                detail: detail.clone(),
            });
        }
        let asked = |verb| Asked {
            verb,
            kind: self.kind,
            namespace: None,
            name: None,
        };
        if let Some(verb) = ["list", "watch"]
            .into_iter()
            .find(|&verb| !state.rights.allow(Asker::Naru, &asked(verb)))
        {
            let resource = self.kind.plural().into();
            return Seen::Lost(Why::Forbidden {
                verb: verb.into(),
                resource,
                namespace: None,
            });
        }
        if !state.served(self.kind) {
            return Seen::Absent;
        }
        let (mut facts, mut gaps) = (Vec::new(), Vec::new());
        for (key, json) in state.of_kind(self.kind) {
            match read(key, json) {
                Ok(fact) => facts.push(fact),
                Err(why) => gaps.push(why),
            }
        }
        self.live = Some(state.listen(self.kind));
        Seen::Reset { facts, gaps }
    }
}
