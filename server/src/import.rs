//! `naru import`: an exported file is brought back into a cluster that has lost it, as whoever the kubeconfig names.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | all of it is there, and whole to the end that the file has; with `--dry-run`: it could be |
//! | 1 | the file is broken, or the cluster has something else under one of its names: nothing more was written |
//! | 2 | the arguments are wrong, or there is no such file |
//! | 3 | the API server gave no usable answer: what had arrived stays, and the next try passes it over |
//! | 4 | a right is missing |

use crate::{
    cli::{self, Telling},
    failure::{Failure, NotImported},
    files,
    inventory::inventory,
    startup, verify,
};
use naru_app::Lang;
use naru_domain::{
    crossing::{Ledger, chain::Head, import::steps},
    object::Kind,
    snapshot::Objects,
};
use naru_engine::{Arrived, import};
use naru_ports::{Cluster, SystemClock};
use serde_json::json;

/// What people have put their names to.
const KEPT: [Kind; 4] = [Kind::SignOff, Kind::Evidence, Kind::Waiver, Kind::Exception];

/// Checks the file, writes what is missing, and reads all of it back.
pub(crate) async fn run(options: &cli::Import, lang: Lang) -> Result<(), Failure> {
    // What is wrong with the file is told before anybody is asked.
    let (export, head) = verify::whole(&options.file, options.head.as_deref(), lang)?;
    let (cluster, user) = startup::oneself(&options.kubernetes).await?;
    let mut steps = steps(&export, &user).map_err(|damaged| Failure::File {
        path: options.file.clone(),
        detail: damaged.to_string(),
    })?;
    // The first Migration by name is the cluster's: one more could take its place.
    let own = listed(&*cluster, &[Kind::Migration]).await?;
    if own.of_kind(Kind::Migration).next().is_some() {
        steps.retain(|it| it.key().kind != Kind::Migration);
    }
    let arrived = import(&*cluster, &SystemClock, &user, &steps, options.dry_run).await;
    let arrived = arrived.map_err(|stopped| {
        let user = user.clone();
        Failure::NotImported(NotImported { stopped, user })
    })?;
    if !options.dry_run {
        read_back(&*cluster, &head, lang).await?;
    }
    files::print(&told(lang, options, arrived, &head))
}

/// That every write was answered well does not say that the signatures are whole.
async fn read_back(cluster: &dyn Cluster, head: &Head, lang: Lang) -> Result<(), Failure> {
    let objects = listed(cluster, &KEPT).await?;
    let head = (head.count > 0).then_some(&head.digest);
    let whole = Ledger::of(&objects).verify(head);
    whole.map(drop).map_err(|broken| verify::broken(lang, &broken))
}

async fn listed(cluster: &dyn Cluster, kinds: &[Kind]) -> Result<Objects, Failure> {
    let (objects, gaps) = inventory(cluster, kinds).await.map_err(Failure::Source)?;
    if gaps.is_empty() {
        Ok(objects)
    } else {
        Err(Failure::Partial(gaps))
    }
}

fn told(lang: Lang, options: &cli::Import, arrived: Arrived, head: &Head) -> String {
    let Arrived { written, there } = arrived;
    match (options.output, options.dry_run) {
        (Telling::Text, true) => lang.cli_would_import(&head.count, &head.digest, &there, &written) + "\n",
        (Telling::Text, false) => lang.cli_imported(&head.count, &head.digest, &there, &written) + "\n",
        (Telling::Json, dry_run) => {
            let json = json!({"dryRun": dry_run, "written": written, "there": there,
                "signOffs": head.count, "head": head.digest});
            format!("{json:#}\n")
        }
    }
}
