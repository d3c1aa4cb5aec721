//! `naru export`: all that people have put their names to, in one document that outlives the cluster.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | exported, and the signatures are whole |
//! | 1 | exported, and they are not: the place is named |
//! | 3 | the API server gave no usable answer: nothing was printed |
//! | 4 | a kind may not be read: nothing was printed, since half a ledger looks like a cut one |

use crate::{
    cli::{self, Document},
    failure::Failure,
    files,
    inventory::inventory,
    startup, verify,
};
use naru_app::Lang;
use naru_domain::{
    crossing::{audited, export::Export},
    object::Kind,
};
use naru_ports::{Clock, SystemClock};

/// Prints the document.
pub(crate) async fn run(options: &cli::Export, lang: Lang) -> Result<(), Failure> {
    let cluster = startup::cluster(&options.kubernetes).await?;
    let kinds: Vec<Kind> = audited::KINDS.into_iter().chain([Kind::Migration]).collect();
    let (objects, gaps) = inventory(&*cluster, &kinds).await.map_err(Failure::Source)?;
    if let Some(why) = gaps.first() {
        return Err(Failure::Source(why.clone()));
    }
    let export = Export::of(&objects, SystemClock.now());
    files::print(&match options.output {
        Document::Json => export.text(),
        Document::Html => naru_app::export_page(lang, &export),
    })?;
    export
        .verify(None)
        .map(drop)
        .map_err(|broken| verify::broken(lang, &broken))
}
