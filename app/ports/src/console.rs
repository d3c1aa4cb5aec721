//! What pages ask of the inside. Implemented by the engine; the pages know nothing else.

use naru_domain::{
    Timestamp,
    actor::{Actor, Scope},
    change::plan::Intent,
    crossing::{Audited, Item, progress::Holdup},
    object::{Digest, Key},
    survey::Survey,
    view::SeenJudgement,
};
use naru_view::{
    Name, View,
    canary::{Applied, PlanSheet},
    explanation::{Ask, Explanation},
    in_force::Reached,
    ledger::Deed,
    order::{Begin, Steer},
    version::Version,
    why::{ApplyError, Refused},
};
use std::sync::Arc;

/// The checklist, as far as one viewer may see it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Of the snapshot that was judged.
    pub version: Version,
    /// When; None before the first time.
    pub at: Option<Timestamp>,
    /// The items, in order; empty before the first time.
    pub items: Arc<[SeenJudgement]>,
    /// What people have put their names to, whole: of items, but also of findings in namespaces that this viewer may not see.
    pub audited: Arc<Audited>,
    /// What holds up the phase after each of the four.
    pub holdups: Arc<[Vec<(Item, Holdup)>; 4]>,
}

/// A canary whose turns come to nothing, one after the other: what is to be written of it is refused, or nobody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// So many turns in a row.
    pub turns: u32,
}

/// The mesh and the sources at one moment, as far as one viewer may see.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Of the snapshot.
    pub version: Version,
    /// When.
    pub at: Timestamp,
    /// What was seen.
    pub survey: Arc<Survey>,
}

/// What somebody would sign, as far as they may see it.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The item as it is judged and stands.
    pub seen: SeenJudgement,
    /// What the whole of it is known again by.
    pub digest: Digest,
    /// The name that the signature would have.
    pub number: Name,
    /// The digest of the one before it; empty for the first.
    pub previous: Digest,
    /// Another person has to sign too.
    pub second: bool,
    /// Whether they may sign it; None if the API server did not say.
    pub may: Option<bool>,
}

impl Judged {
    /// Nothing was judged yet.
    pub fn none(version: Version) -> Self {
        Self {
            version,
            at: None,
            items: Arc::from([]),
            audited: Arc::default(),
            holdups: Arc::default(),
        }
    }
}

/// The console's inside, as pages and streams see it.
#[async_trait::async_trait]
pub trait Console: Send + Sync {
    /// What this viewer may see now. From memory: never waits for a source.
    fn view(&self, scope: &Scope) -> Arc<View>;

    /// Explains one request as far as this viewer may see. From memory too.
    fn explain(&self, scope: &Scope, ask: &Ask) -> Result<Explanation, Refused>;

    /// The checklist as it was last judged, as far as this viewer may see. From memory too.
    fn judged(&self, scope: &Scope) -> Judged;

    /// The mesh and the sources, as far as this viewer may see; None before the first judgement. From memory too.
    fn surveyed(&self, scope: &Scope) -> Option<Surveyed>;

    /// What this person would sign of an item now.
    async fn sheet(&self, who: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError>;

    /// Puts a person's name to something, and says under which name it is kept. A signature counts once Naru has accepted it.
    async fn put(&self, who: &Actor, deed: &Deed) -> Result<Name, ApplyError>;

    /// Returns once the version differs from `seen`.
    async fn changed(&self, seen: Version) -> Version;

    /// Canaries whose turns came to nothing lately, as far as this server takes the turns.
    fn stuck(&self) -> Vec<Stuck> {
        Vec::new()
    }

    /// Whether nothing may be written through this server.
    fn read_only(&self) -> bool;

    /// Plans a change, and lets the API server try it as this person without doing it.
    async fn plan(&self, who: &Actor, intent: &Intent) -> Result<PlanSheet, ApplyError>;

    /// Stops every controller of Naru, as this person; `reason` is 1 to 500 characters.
    async fn freeze(&self, who: &Actor, reason: &str) -> Result<(), ApplyError>;

    /// Lets them go on, as this person.
    async fn lift(&self, who: &Actor) -> Result<(), ApplyError>;

    /// Does what was confirmed: `digest` is the plan's. `reason` is kept in the journal, 1 to 500 characters.
    async fn apply(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Applied, ApplyError>;

    /// Leaves what was confirmed for a second person, where one is wanted, and says what the proposal is called.
    async fn propose(
        &self,
        who: &Actor,
        intent: &Intent,
        digest: &str,
        reason: &str,
    ) -> Result<Name, ApplyError>;

    /// How far a change of the journal has come with the proxies: every istiod is asked, now, within ten seconds.
    async fn reached(&self, scope: &Scope, change: &Key) -> Result<Reached, ApplyError>;

    /// Writes what this person wants of a canary into it.
    async fn steer(&self, who: &Actor, wish: &Steer) -> Result<(), ApplyError>;

    /// Orders a canary as this person, who thereby approves it, and says what it is called.
    async fn begin(&self, who: &Actor, wish: &Begin) -> Result<Name, ApplyError>;
}
