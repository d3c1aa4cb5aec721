//! The four phases, their sixteen items, and the items of a team's own.

mod own;

pub use own::OwnItem;

use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr};

/// An item of the checklist: one of the sixteen that every crossing has, or one that the Migration adds. They are in order of phases, a team's
/// own last in theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Item {
    /// 1.1: Istio is installed and configured.
    Installed,
    /// 1.2: Gateways and VirtualServices do what they say.
    Routed,
    /// 1.3: traffic goes from the old ingress to the gateway.
    Entered,
    /// 1.4: the certificate is served where TLS ends.
    Certified,
    /// 2.1: the entry service is injected.
    EntryInjected,
    /// 2.2: the other services are injected, one after the other.
    ServicesInjected,
    /// 2.3: services reach each other.
    Connected,
    /// 2.4: the regression test has passed.
    Regressed,
    /// 3.1: mutual TLS is required, and policies let in whom they should.
    Secured,
    /// 3.2: a canary was tried.
    Canaried,
    /// 3.3: faults were injected, and the system held.
    Resilient,
    /// 3.4: what the mesh costs was measured.
    Benchmarked,
    /// 4.1: metrics and traces arrive.
    Observed,
    /// 4.2: dashboards are loaded and an alert reached a person.
    Alerted,
    /// 4.3: the team is trained.
    Trained,
    /// 4.4: ready for production.
    Ready,
    /// One of the team's own: `2.checkout-success`.
    Own(OwnItem),
}

/// What is no item's number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no item is called {0}")]
pub struct NoSuchItem(pub String);

impl Item {
    /// Those that every crossing has, in order.
    pub const ALL: [Self; 16] = [
        Self::Installed,
        Self::Routed,
        Self::Entered,
        Self::Certified,
        Self::EntryInjected,
        Self::ServicesInjected,
        Self::Connected,
        Self::Regressed,
        Self::Secured,
        Self::Canaried,
        Self::Resilient,
        Self::Benchmarked,
        Self::Observed,
        Self::Alerted,
        Self::Trained,
        Self::Ready,
    ];

    /// Its number, as people and RBAC rules call it: `1.1` to `4.4`; of a team's own the phase and its name, such as `2.checkout-success`.
    pub fn id(&self) -> &str {
        match self {
            Self::Installed => "1.1",
            Self::Routed => "1.2",
            Self::Entered => "1.3",
            Self::Certified => "1.4",
            Self::EntryInjected => "2.1",
            Self::ServicesInjected => "2.2",
            Self::Connected => "2.3",
            Self::Regressed => "2.4",
            Self::Secured => "3.1",
            Self::Canaried => "3.2",
            Self::Resilient => "3.3",
            Self::Benchmarked => "3.4",
            Self::Observed => "4.1",
            Self::Alerted => "4.2",
            Self::Trained => "4.3",
            Self::Ready => "4.4",
            Self::Own(own) => own.id(),
        }
    }

    /// The phase that it belongs to, 1 to 4.
    pub fn phase(&self) -> u8 {
        self.id().as_bytes()[0] - b'0'
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |item: &Self| (item.phase(), matches!(item, Self::Own(_)));
        place(self)
            .cmp(&place(other))
            .then_with(|| self.id().cmp(other.id()))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Item {
    type Err = NoSuchItem;

    fn from_str(id: &str) -> Result<Self, NoSuchItem> {
        let found = Self::ALL.into_iter().find(|item| item.id() == id);
        found
            .or_else(|| OwnItem::read(id).map(Self::Own))
            .ok_or_else(|| NoSuchItem(id.into()))
    }
}

impl TryFrom<String> for Item {
    type Error = NoSuchItem;

    fn try_from(id: String) -> Result<Self, NoSuchItem> {
        id.parse()
    }
}

impl From<Item> for String {
    fn from(item: Item) -> Self {
        item.id().into()
    }
}

#[cfg(test)]
mod tests {
    use super::Item;

    #[test]
    fn each_phase_has_four_items_and_each_is_found_by_its_number() {
        for phase in 1..=4 {
            let of_phase = Item::ALL.iter().filter(|item| item.phase() == phase);
            assert_eq!(of_phase.count(), 4);
        }
        for item in Item::ALL {
            assert_eq!(item.id().parse(), Ok(item));
            let json = serde_json::to_value(item).unwrap();
            assert_eq!(serde_json::from_value::<Item>(json).unwrap(), item);
        }
        assert!("1.5".parse::<Item>().is_err() && "".parse::<Item>().is_err());
    }

    #[test]
    fn own_items_stand_last_in_their_phase() {
        let own = |id: &str| id.parse::<Item>().unwrap();
        let mut some = [
            Item::Secured,
            own("2.b"),
            own("3.a"),
            Item::Regressed,
            own("2.a-b"),
            Item::Ready,
        ];
        some.sort_unstable();
        let ids: Vec<&str> = some.iter().map(Item::id).collect();
        assert_eq!(ids, ["2.4", "2.a-b", "2.b", "3.1", "3.a", "4.4"]);
        assert!(Item::ALL.is_sorted());
    }
}
