//! `naru weight`: the weights of one rule, set with a kubeconfig alone, as whoever it names, the way the console does it.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | set, and what was waited for has come; with `--dry-run`, `--output patch`, `--output kubectl`: it could be set |
//! | 1 | refused by the state of things: nothing was changed |
//! | 2 | the arguments are wrong, or there is no such rule |
//! | 3 | a source gave no usable answer, or it is set and what was waited for has not come in time |
//! | 4 | a right is missing |

mod asked;
mod told;
mod wait;

use crate::{
    cli::{Form, Until, Weight},
    failure::{Failure, NotChanged},
    files,
    inventory::inventory,
    startup,
    undo::reason,
};
use asked::Asked;
use naru_app::Lang;
use naru_domain::{
    Why,
    change::plan::{Intent, Plan},
    mesh,
    object::Kind,
    snapshot::Objects,
    traffic::{Dated, Traffic},
};
use naru_engine::Hand;
use naru_ports::{Cluster, Metrics, SystemClock};
use naru_view::why::ApplyError;
use std::sync::Arc;
use told::Told;
use wait::Waiting;

/// Over so many seconds the prediction looks back, as the console does unless it is told otherwise.
const WINDOW_S: u32 = 60;

/// Plans, tries, writes and waits.
pub(crate) async fn run(options: &Weight, lang: Lang) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anybody is asked.
    let asked = Asked::read(options)?;
    if options.wait == Some(Until::Observed) && options.writes() && options.prometheus.url.is_none() {
        return Err(Failure::NoPrometheus);
    }
    let reason = reason(!options.writes(), options.reason.as_deref())?;
    let (cluster, user) = startup::oneself(&options.kubernetes).await?;
    let metrics = startup::metrics_of(&options.prometheus)?;
    let prometheus: Option<&dyn Metrics> = metrics.as_deref().map(|it| it as _);
    let inquiries = startup::asked(Arc::clone(&cluster), metrics.clone(), &options.probing)?;
    let (objects, traffic) = futures::join!(seen(&*cluster), traffic(prometheus));
    let (objects, traffic) = (objects?, traffic?);
    let wish = asked.wish(&objects)?;
    let target = wish.route.clone();
    let wanted: Vec<u32> = wish.weights.iter().map(|it| it.weight).collect();
    let not_changed = |error: ApplyError| {
        Failure::NotChanged(NotChanged {
            error,
            apart: Vec::new(),
            user: user.clone(),
            namespace: target.namespace.clone(),
        })
    };
    let hand = Hand::seeing(
        Arc::clone(&cluster),
        Arc::new(SystemClock),
        &user,
        objects,
        traffic,
    );
    if matches!(options.output, Form::Patch | Form::Kubectl) {
        let plan = hand.hand_over(&wish).await.map_err(not_changed)?;
        return files::print(&alone(options.output, &plan)?);
    }
    let intent = Intent::SetWeights(wish);
    let planned = hand.plan(&intent).await.map_err(&not_changed)?;
    let mut told = Told::new(lang, options, &user, target.clone());
    told.plan(&planned.sheet)?;
    let ended = match (planned.against, reason) {
        (Some(error), _) => Err(not_changed(error)),
        (None, None) => Ok(()),
        (None, Some(reason)) if options.propose => {
            match hand.propose(&intent, &planned.sheet.digest, reason).await {
                Ok(name) => told.proposed(&name),
                Err(error) => Err(not_changed(error)),
            }
        }
        (None, Some(reason)) => match hand.carry_out(&intent, &planned.sheet.digest, reason).await {
            Ok(done) => {
                told.done(&done)?;
                let waiting = Waiting {
                    options,
                    cluster: &*cluster,
                    metrics: prometheus,
                    inquiries: &*inquiries,
                    route: &target,
                    wanted: &wanted,
                    since: done.applied.at,
                };
                waiting.until(&mut told).await
            }
            Err(error) => Err(not_changed(error)),
        },
    };
    told.end()?;
    ended
}

/// What a plan is made on and its outcome is read off: the model's kinds, whose webhook leads to the istiods, and the journal.
fn kinds() -> Vec<Kind> {
    let beside = [
        Kind::MutatingWebhookConfiguration,
        Kind::Migration,
        Kind::Proposal,
        Kind::Change,
        Kind::Application,
    ];
    mesh::KINDS.into_iter().chain(beside).collect()
}

/// All of that, as it is now.
async fn seen(cluster: &dyn Cluster) -> Result<Objects, Failure> {
    let (objects, _) = inventory(cluster, &kinds()).await.map_err(Failure::Source)?;
    Ok(objects)
}

/// A Prometheus that was named is to answer: who predicts on nothing without a word is not to be trusted.
async fn traffic(metrics: Option<&dyn Metrics>) -> Result<Option<Dated<Traffic>>, Failure> {
    match metrics {
        None => Ok(None),
        Some(metrics) => match metrics.traffic(WINDOW_S).await {
            Ok(dated) => Ok(Some(dated)),
            // It answers, and has nothing to say: the plan says that it is blind.
            Err(Why::NoTraffic { .. } | Why::TooYoung { .. }) => Ok(None),
            Err(why) => Err(Failure::Source(why)),
        },
    }
}

/// The plan in a form that others carry out.
fn alone(form: Form, plan: &Plan) -> Result<String, Failure> {
    let text = match form {
        Form::Kubectl => plan.kubectl(),
        _ => serde_json::to_string_pretty(&plan.ops).map_err(anyhow::Error::from)?,
    };
    Ok(text + "\n")
}
