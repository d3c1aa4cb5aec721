//! `naru freeze`: every controller of Naru is stopped at once, with a kubeconfig alone, as whoever it names; or they go on.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | frozen, or lifted; with `--dry-run`: it could be |
//! | 1 | refused by the state of things: it is frozen already, nothing is frozen, or somebody else was faster |
//! | 2 | the arguments are wrong |
//! | 3 | the API server gave no usable answer: nobody knows whether it is done |
//! | 4 | the right is missing; or it is done, as it says, and what is under way could not be read |

use crate::{
    cli::{self, Telling},
    failure::{Failure, NotFrozen},
    files,
    inventory::inventory,
    startup,
    undo::reason,
};
use naru_app::{Lang, say};
use naru_domain::{
    Why,
    actor::Actor,
    freeze::{Freeze, stays},
    object::Kind,
};
use naru_engine::Freezing;
use naru_ports::{As, Cluster, SystemClock};
use naru_view::freeze::Stay;
use serde_json::json;

/// What only a dry run is given as its reason.
const TRIED: &str = "dry run";

/// Stops first, and looks afterwards what that holds: who stops everything is in a hurry.
pub(crate) async fn run(options: &cli::Freeze, lang: Lang) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anybody is asked.
    let reason = reason(options.dry_run || options.lift, options.reason.as_deref())?.unwrap_or(TRIED);
    let (cluster, user) = startup::oneself(&options.kubernetes).await?;
    let freezing = Freezing {
        cluster: &*cluster,
        clock: &SystemClock,
        actor: &Actor::of_cluster(&user),
        who: As::Oneself(&user),
        dry_run: options.dry_run,
    };
    let done = match options.lift {
        true => freezing.lift().await,
        false => freezing.freeze(reason).await,
    };
    let freeze = done.map_err(|error| {
        let user = user.clone();
        Failure::NotFrozen(NotFrozen { error, user })
    })?;
    if options.output == Telling::Text {
        files::print(&(done_words(lang, options, &user, &freeze) + "\n"))?;
    }
    let (stays, gaps) = under_way(&*cluster).await;
    files::print(&match options.output {
        Telling::Text => listed(lang, options.lift, &stays, &gaps),
        Telling::Json => {
            let json = json!({"by": user, "dryRun": options.dry_run, "lifted": options.lift, "freeze": freeze, "stays": stays});
            format!("{json:#}\n")
        }
    })?;
    match gaps.is_empty() {
        true => Ok(()),
        false => Err(Failure::Partial(gaps)),
    }
}

/// The canaries under way, and what of them cannot be seen.
async fn under_way(cluster: &dyn Cluster) -> (Vec<Stay>, Vec<Why>) {
    match inventory(cluster, &[Kind::Canary, Kind::VirtualService]).await {
        Ok((objects, gaps)) => (stays(&objects), gaps),
        Err(why) => (Vec::new(), vec![why]),
    }
}

fn done_words(lang: Lang, options: &cli::Freeze, user: &str, freeze: &Freeze) -> String {
    match (options.lift, options.dry_run) {
        (false, false) => lang.freeze_done(&user),
        (false, true) => lang.freeze_would(&user),
        (true, false) => lang.freeze_lifted(freeze.by(), &freeze.reason, &user),
        (true, true) => lang.freeze_would_lift(freeze.by(), &freeze.reason, &user),
    }
}

fn listed(lang: Lang, lift: bool, stays: &[Stay], gaps: &[Why]) -> String {
    let mut text = String::new();
    let mut line = |it: &str| text.extend([it, "\n"]);
    match (stays.is_empty(), lift) {
        (true, _) if gaps.is_empty() => line(lang.freeze_none()),
        (true, _) => {}
        (false, false) => line(lang.freeze_holds()),
        (false, true) => line(lang.freeze_goes_on()),
    }
    for it in stays {
        line(&format!("  {}", say::stay(lang, it)));
        // When it goes on, Naru does it.
        if let (Some(command), false) = (&it.by_hand, lift) {
            line(&format!("    {} {command}", lang.freeze_by_hand()));
        }
    }
    if !gaps.is_empty() {
        line(lang.freeze_unseen());
    }
    text
}
