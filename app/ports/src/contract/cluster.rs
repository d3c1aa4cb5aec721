//! What every adapter of [`Cluster`] must do, as properties that run on the rehearsal and on a real API server alike.
//!
//! ```ignore
//! // One #[tokio::test] for each property; the expression makes a fresh subject and may await.
//! naru_ports::cluster_contract!(Rehearsed::new().await);
//! // With attributes for each test:
//! mod real { naru_ports::cluster_contract!([#[ignore = "needs an API server"]] Lab::new().await); }
//! ```
//!
//! The subject's identities: [`As::Controller`] may watch all kinds but Lease, and do anything to Leases in the subject's namespace and
//! to the status of Changes, and scale Deployments there; [`Subject::operator`] may patch VirtualServices and create Changes in that namespace, and nothing
//! else anywhere; a person without groups may do nothing.

mod example;
mod eye;
mod watching;
mod writing;

pub use example::{change, deployment, lease, virtual_service};
pub use watching::*;
pub use writing::*;

use crate::{As, Cluster};
use naru_domain::{
    Name,
    actor::Actor,
    object::{Key, Kind, Object},
};
use serde_json::Value;

/// An adapter under test, and the hands that only its harness has. Whatever a hand does has taken effect when it returns.
#[async_trait::async_trait]
pub trait Subject: Send + Sync {
    /// The adapter.
    fn cluster(&self) -> &dyn Cluster;

    /// A namespace that exists, is empty at the start, and which no other test touches.
    fn namespace(&self) -> Name;

    /// A person with the rights that the module's text gives an operator.
    fn operator(&self) -> Actor;

    /// Creates the object, or puts it in the place of what has its name, as an administrator past the adapter. Returns what is stored.
    async fn put(&self, kind: Kind, json: Value) -> Object;

    /// Removes an object, as an administrator past the adapter.
    async fn remove(&self, key: &Key);

    /// Makes the API server serve a custom kind. At the start all are served but PeerAuthentication.
    async fn install(&self, kind: Kind);

    /// Removes a custom kind with all its objects.
    async fn uninstall(&self, kind: Kind);

    /// Cuts the adapter off from the API server (open connections end, new ones are refused), or joins it again.
    async fn reachable(&self, yes: bool);

    /// Takes all rights to read from Naru's own identity, or gives them back.
    async fn allowed(&self, yes: bool);

    /// While on, writes are carried out, but their answers are lost. Reads are answered.
    async fn lose_answers(&self, on: bool);

    /// Makes all open watches too old to go on: each is told 410 (Gone), as after a compaction.
    async fn expire(&self);
}

/// [`As::Controller`], as the properties write.
const CONTROLLER: As<'static> = As::Controller("contract");

/// A person whom nobody has given any rights.
fn nobody() -> Actor {
    Actor {
        groups: std::sync::Arc::from([]),
        sub: "nobody".into(),
        name: "Nobody".into(),
        ..Actor::loopback()
    }
}

/// Makes a test of each property. See [`contract::cluster`](crate::contract::cluster).
#[macro_export]
macro_rules! cluster_contract {
    (@one [$(#[$attribute:meta])*] $subject:tt $property:ident) => {
        $(#[$attribute])*
        #[tokio::test]
        async fn $property() {
            let subject = $subject;
            $crate::contract::cluster::$property(&subject).await;
        }
    };
    (@each $attributes:tt $subject:tt $($property:ident)*) => {
        $($crate::cluster_contract!(@one $attributes $subject $property);)*
    };
    ([$($attributes:tt)*] $subject:expr) => {
        $crate::cluster_contract!(@each [$($attributes)*] { $subject }
            a_watch_lists_and_then_follows
            nothing_is_missed_between_listing_and_watching
            a_broken_watch_comes_back_with_everything
            an_expired_watch_lists_anew
            a_kind_is_absent_until_its_definition_arrives
            a_forbidden_watch_says_so_and_comes_back
            a_recreated_object_is_another_one
            creating_twice_is_refused
            a_fresh_patch_changes_only_what_it_names
            a_stale_patch_is_a_conflict
            a_failed_test_is_invalid_or_a_conflict
            a_dry_run_leaves_no_trace
            status_and_the_rest_are_apart
            deleting_asks_for_this_very_object
            scaling_touches_nothing_else
            what_is_not_there_is_not_found
            without_the_right_nothing_is_written
            rights_are_answered_one_by_one
            a_lost_answer_is_unsure_and_written_once
            what_did_not_arrive_is_not_written
        );
    };
    ($subject:expr) => {
        $crate::cluster_contract!([] $subject);
    };
}
