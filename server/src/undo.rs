//! `naru undo` and `naru rollback`: changes are taken back with a kubeconfig alone, as whoever it names, the way the console does it.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | taken back; with `--dry-run`: it could be |
//! | 1 | refused by the state of things (somebody else's edit, not undoable, others kept changing the object): this change was not taken back |
//! | 2 | the arguments are wrong, or there is no such change |
//! | 3 | the API server gave no usable answer, or nobody knows yet how it ended |
//! | 4 | a right is missing |

pub(crate) mod told;

use crate::{
    changes::{journal, placed},
    cli::{Rollback, TakingBack, Undo},
    failure::{Failure, NotChanged},
    inventory::inventory,
    startup,
};
use naru_app::{Lang, say};
use naru_domain::{
    Name, Refused,
    object::{Key, Kind},
    snapshot::KindState,
};
use naru_engine::{Hand, PlannedAll, REASON_LIMIT, taking_back};
use naru_ports::SystemClock;
use naru_view::why::ApplyError;
use std::sync::Arc;
use told::Told;

/// `naru undo`
pub(crate) async fn undo(options: &Undo, lang: Lang) -> Result<(), Failure> {
    take_back(
        "NAMESPACE/CHANGE",
        &options.change,
        &options.taking_back,
        false,
        lang,
    )
    .await
}

/// `naru rollback`
pub(crate) async fn rollback(options: &Rollback, lang: Lang) -> Result<(), Failure> {
    take_back("--change", &options.change, &options.taking_back, true, lang).await
}

async fn take_back(
    argument: &'static str,
    change: &str,
    options: &TakingBack,
    since: bool,
    lang: Lang,
) -> Result<(), Failure> {
    // What is wrong with the arguments is told before anybody is asked.
    let change = named(argument, change)?;
    let reason = reason(options.dry_run, options.reason.as_deref())?;
    let (hand, user) = hand(options, &change, lang).await?;
    let asking = Asking { hand, user };
    let order = if since {
        let order = asking.hand.order(&change).await;
        order.map_err(|error| asking.failure(&change, error))?
    } else {
        vec![change]
    };
    let mut told = Told::new(lang, options, &asking.user);
    if since {
        told.order(&order)?;
    }
    let ended = match reason {
        Some(reason) => asking.carry_out(&order, reason, &mut told).await,
        None => asking.rehearse(&order, &mut told).await,
    };
    told.end(&order)?;
    ended
}

struct Asking {
    hand: Hand,
    user: Name,
}

impl Asking {
    /// Shows the plan of each, and writes nothing. The first that would be refused is what it ends with.
    async fn rehearse(&self, order: &[Key], told: &mut Told<'_>) -> Result<(), Failure> {
        let all = match order {
            [one] => self.hand.plan(&taking_back(one)).await.map(|planned| PlannedAll {
                planned: vec![planned],
                ..PlannedAll::default()
            }),
            several => self.hand.plan_all(several).await,
        };
        let all = match all {
            Ok(all) => all,
            Err(error) => return Err(self.refused(&order[0], error, told).await),
        };
        let mut first = None;
        for (key, planned) in order.iter().zip(&all.planned) {
            told.plan(key, &planned.sheet)?;
            if let (None, Some(error)) = (&first, &planned.against) {
                told.refused(error, &[]);
                first = Some(self.failure(key, error.clone()));
            }
        }
        match (first, all.refused, order.get(all.planned.len())) {
            (Some(failure), ..) => Err(failure),
            (None, Some(refused), Some(key)) => {
                let error = ApplyError::Refused { refused };
                told.step(key);
                told.refused(&error, &all.apart);
                let apart = all.apart;
                Err(Failure::NotChanged(NotChanged {
                    apart,
                    ..self.not_changed(key, error)
                }))
            }
            _ => Ok(()),
        }
    }

    /// Takes one after the other back, and stops at the first that is refused.
    async fn carry_out(&self, order: &[Key], reason: &str, told: &mut Told<'_>) -> Result<(), Failure> {
        if let [first, _, ..] = order {
            // Half a rollback is worse than none: who else has to agree is known before it begins.
            match self.hand.plan_all(order).await {
                Ok(PlannedAll {
                    refused: Some(refused @ Refused::Quorum { .. }),
                    ..
                }) => return Err(self.refused(first, ApplyError::Refused { refused }, told).await),
                Err(error) => return Err(self.refused(first, error, told).await),
                Ok(_) => {}
            }
        }
        for key in order {
            let planned = match self.hand.plan(&taking_back(key)).await {
                Ok(planned) => planned,
                Err(error) => return Err(self.refused(key, error, told).await),
            };
            told.plan(key, &planned.sheet)?;
            if let Some(error) = planned.against {
                return Err(self.refused(key, error, told).await);
            }
            match self
                .hand
                .carry_out(&taking_back(key), &planned.sheet.digest, reason)
                .await
            {
                Ok(done) => told.done(&done)?,
                Err(error) => return Err(self.refused(key, error, told).await),
            }
        }
        Ok(())
    }

    async fn refused(&self, key: &Key, error: ApplyError, told: &mut Told<'_>) -> Failure {
        let foreign = matches!(
            error,
            ApplyError::Refused {
                refused: Refused::ForeignEdit { .. }
            }
        );
        let apart = if foreign {
            // Without an answer the refusal stands, and is told without both states.
            self.hand.apart(key).await.unwrap_or_default()
        } else {
            Vec::new()
        };
        told.step(key);
        told.refused(&error, &apart);
        Failure::NotChanged(NotChanged {
            apart,
            ..self.not_changed(key, error)
        })
    }

    fn failure(&self, key: &Key, error: ApplyError) -> Failure {
        Failure::NotChanged(self.not_changed(key, error))
    }

    fn not_changed(&self, key: &Key, error: ApplyError) -> NotChanged {
        NotChanged {
            error,
            apart: Vec::new(),
            user: self.user.clone(),
            namespace: key.namespace.clone(),
        }
    }
}

/// The hand of whoever the kubeconfig names, who must be able to see the whole journal: what took a change back may stand in any entry.
async fn hand(options: &TakingBack, change: &Key, lang: Lang) -> Result<(Hand, Name), Failure> {
    let (cluster, user) = startup::oneself(&options.kubernetes).await?;
    let (mut objects, _) = journal(&*cluster).await?;
    // Whether taking back wants a second person, as giving a new version its requests again may.
    let quorum = inventory(&*cluster, &[Kind::Migration, Kind::Proposal]).await;
    let (quorum, _) = quorum.map_err(Failure::Source)?;
    objects.whole.extend(quorum.whole);
    objects.kinds.extend(quorum.kinds);
    if let Some(KindState::Lost(why)) = objects.kinds.get(&Kind::Change) {
        let detail = say::why(lang, why).trim_end_matches('.').into();
        return Err(Failure::NotChanged(NotChanged {
            error: ApplyError::Forbidden { detail },
            apart: Vec::new(),
            user,
            namespace: change.namespace.clone(),
        }));
    }
    let hand = Hand::new(cluster, Arc::new(SystemClock), &user, objects);
    Ok((hand, user))
}

/// A change by the name that `naru changes` gives it.
fn named(argument: &'static str, text: &str) -> Result<Key, Failure> {
    let (namespace, name) = placed(argument, "NAMESPACE/CHANGE", text)?;
    Ok(Key::new(Kind::Change, namespace, name))
}

/// None for a dry run, which needs none.
pub(crate) fn reason(dry_run: bool, reason: Option<&str>) -> Result<Option<&str>, Failure> {
    if dry_run {
        return Ok(None);
    }
    let reason = reason.unwrap_or("").trim();
    if (1..=REASON_LIMIT as usize).contains(&reason.chars().count()) {
        Ok(Some(reason))
    } else {
        Err(Failure::BadArgument {
            argument: "--reason",
            detail: format!("1–{REASON_LIMIT}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_change_is_named_by_its_namespace_and_its_name() {
        let key = named("--change", "shop/weights-1").unwrap();
        assert_eq!((&*key.namespace, &*key.name), ("shop", "weights-1"));
        for odd in ["", "shop", "/", "shop/", "/weights-1", "a/b/c"] {
            assert_eq!(named("--change", odd).unwrap_err().code(), 2, "{odd}");
        }
    }
}
