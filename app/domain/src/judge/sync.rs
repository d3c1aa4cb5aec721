//! How far proxies have come with what istiod sent them. A proxy is connected to one istiod, and only that one knows, so each of them is asked
//! (`/debug/syncz`, which is what `istioctl proxy-status` shows).

use super::{World, control_plane, steady};
use crate::{
    Name, Timestamp, Why,
    fact::Pod,
    inquiry::{ProxyState, ProxyStates, Stage, Xds},
};
use std::{collections::BTreeMap, sync::Arc};

/// How far a proxy has come with what istiod sent it.
#[derive(Clone, Debug, PartialEq)]
pub enum Sync {
    /// It has refused something: of this kind, in these words.
    Refused(Xds, Name),
    /// No istiod knows it, and every one was asked.
    Unconnected,
    /// It has not acknowledged these kinds for longer than that takes; the oldest was sent at this moment.
    Waiting(Vec<Xds>, Option<Timestamp>),
    /// Nobody could say.
    Unknown(Why),
    /// It has acknowledged the last of each kind.
    Acknowledged,
}

impl Sync {
    /// What is worst comes first.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Refused(..) => 0,
            Self::Unconnected => 1,
            Self::Waiting(..) => 2,
            Self::Unknown(_) => 3,
            Self::Acknowledged => 4,
        }
    }

    fn of(state: &ProxyState, at: Timestamp) -> Self {
        let name = format!("{}/{}", state.pod.0, state.pod.1);
        let unseen = |what: String| Self::Unknown(Why::NotObserved { what: what.into() });
        if !state.tells() {
            return unseen(format!("{name}: CDS, LDS"));
        }
        let (mut overdue, mut fresh, mut since) = (Vec::new(), Vec::new(), None);
        for (xds, stage) in &state.stages {
            match stage {
                Stage::Refused(words) => return Self::Refused(*xds, words.clone()),
                Stage::Waiting(sent) if stage.overdue(at) => {
                    overdue.push(*xds);
                    since = [since, *sent].into_iter().flatten().min();
                }
                // It may be on its way.
                Stage::Waiting(_) => fresh.push(xds.name()),
                Stage::Acknowledged(_) => {}
            }
        }
        match (overdue.is_empty(), fresh.is_empty()) {
            (false, _) => Self::Waiting(overdue, since),
            (true, false) => unseen(format!("{name}: {} ACK", fresh.join(", "))),
            (true, true) => Self::Acknowledged,
        }
    }
}

/// What the istiods know of their proxies.
pub(crate) struct Connected<'w> {
    by: BTreeMap<(&'w str, &'w str), Connection<'w>>,
    /// Why one of them did not say, or that there is none; None if all did.
    pub(crate) silent: Option<Why>,
}

/// What one istiod knows of a proxy that is connected to it.
pub(crate) struct Connection<'w> {
    /// The istiod.
    pub(crate) istiod: &'w Arc<Pod>,
    /// What it says.
    pub(crate) state: &'w ProxyState,
    /// When it said so.
    pub(crate) at: Timestamp,
}

impl<'w> Connected<'w> {
    /// Asks each istiod.
    pub(crate) fn of(world: &'w World<'_>) -> Self {
        let istiods = control_plane::pods(world);
        let none = || Why::NotObserved {
            what: "istiod".into(),
        };
        let mut connected = Self {
            by: BTreeMap::new(),
            silent: istiods.is_empty().then(none),
        };
        for istiod in istiods {
            match world.reply(&ProxyStates::of(istiod)) {
                Ok(dated) => connected.by.extend(dated.value.iter().map(|state| {
                    let (namespace, name) = &state.pod;
                    let at = dated.at;
                    ((&**namespace, &**name), Connection { istiod, state, at })
                })),
                Err(why) => connected.silent = Some(why),
            }
        }
        connected
    }

    /// Of the proxy in a pod.
    pub(crate) fn connection<'a>(&'a self, pod: &'a Pod) -> Option<&'a Connection<'a>> {
        self.by.get(&(&*pod.namespace, &*pod.name))
    }

    /// How far the proxy in a pod has come.
    pub(crate) fn sync(&self, world: &World<'_>, pod: &Pod) -> Sync {
        match (self.connection(pod), &self.silent) {
            (Some(it), _) => Sync::of(it.state, it.at),
            // The istiod that it is connected to may be the one that does not answer.
            (None, Some(why)) => Sync::Unknown(why.clone()),
            // Since the last reply it may have come up.
            (None, None) if steady::young(world, pod) => Sync::Unknown(Why::NotObserved {
                what: format!("{}/{}", pod.namespace, pod.name).into(),
            }),
            (None, None) => Sync::Unconnected,
        }
    }
}
