//! Writes what a person puts their name to, as that person.
//!
//! A signature is two writes: the evidence, as Naru, then the signature, as the person, which names the evidence and the signature before
//! it. If the second is lost the evidence stays, and says nothing by itself. Two who sign at once want the same number: the API server gives
//! it to one, and the other takes the next.

mod pass_over;

use crate::judging::Latest;
use naru_domain::{
    Name, Refused,
    actor::{Actor, Scope},
    crossing::{
        Evidence, Item, SignOff,
        act::{self, Act, Revocation, same_person},
        chain::Head,
        evidence::EvidenceSpec,
        guard,
        sheet::{evidence, gist},
        signoff::{EvidenceRef, SignOffSpec, name_of},
        standing::{Signature, Standing},
    },
    judge::Judgement,
    object::{Key, Kind, Object, Write},
    view::judgements,
};
use naru_ports::{Access, As, Clock, Cluster, ClusterError, Sheet};
use naru_view::{
    ledger::{Deed, REASON, Revocable, STATEMENT},
    why::ApplyError,
};
use std::sync::Arc;

/// So many others may write between our reading and our writing.
const ATTEMPTS: u32 = 4;

/// The field manager of what a person puts their name to.
const MANAGER: &str = "naru-ledger";

/// One request's way to the ledger.
pub(crate) struct Clerk<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) latest: Arc<Latest>,
    pub(crate) read_only: bool,
}

impl Clerk<'_> {
    /// What this person would sign.
    pub(crate) async fn sheet(&self, who: &Actor, scope: &Scope, item: Item) -> Result<Sheet, ApplyError> {
        let (judgement, standing) = self.item(item)?;
        let spec = evidence(judgement, &self.latest.audited, self.clock.now());
        let head = self.head()?;
        let asks = [ask("create", None), ask("sign", Some(item.id().into()))];
        let may = self.cluster.may(who, &asks).await.ok();
        let one = [(judgement.clone(), standing.clone())];
        let seen = judgements(&one, scope).pop().ok_or_else(not_judged)?;
        Ok(Sheet {
            seen,
            digest: gist(&spec, standing),
            number: name_of(head.count + 1),
            previous: head.digest,
            second: self.latest.audited.wants_second(item.id()),
            may: may.map(|may| may.into_iter().all(|it| it)),
        })
    }

    /// Puts this person's name to it. The name of the object that says so.
    pub(crate) async fn put(&self, who: &Actor, deed: &Deed) -> Result<Name, ApplyError> {
        if self.read_only {
            return Err(ApplyError::ReadOnly);
        }
        self.guarded()?;
        match deed {
            Deed::Sign {
                item,
                digest,
                statement,
            } => {
                let statement = bounded(statement, STATEMENT)?;
                self.sign(who, of(item)?, digest, statement).await
            }
            Deed::Countersign { name, link } => self.countersign(who, name, link).await,
            Deed::Revoke { what, name, reason } => {
                let reason = bounded(reason, REASON)?;
                self.revoke(who, *what, name, reason).await
            }
            Deed::Waive { item, until } => self.waive(who, of(item)?, until).await,
            Deed::Except { code, field, until } => self.except(who, code, field, until).await,
        }
    }

    async fn sign(&self, who: &Actor, item: Item, digest: &str, said: Name) -> Result<Name, ApplyError> {
        let (judgement, standing) = self.item(item)?;
        let mut head = self.head()?;
        if !standing.signable() {
            let item = item.id().into();
            return Err(refused(Refused::NotMet { item }));
        }
        if signed_already(standing, who) {
            return Err(refused(Refused::NothingToDo));
        }
        let now = self.clock.now();
        let spec = evidence(judgement, &self.latest.audited, now);
        let seen = gist(&spec, standing);
        if *seen.0 != *digest {
            return Err(ApplyError::DigestChanged {
                now: seen.0,
                by: None,
            });
        }
        let evidence = self.kept(&spec).await?;
        for _ in 0..ATTEMPTS {
            let name = name_of(head.count + 1);
            let sign_off = SignOffSpec {
                item: item.id().into(),
                evidence: evidence.clone(),
                previous: head.digest.clone(),
                actor: who.clone(),
                statement: said.clone(),
                signed_at: now,
            };
            let object = sign_off.object(head.count + 1).map_err(malformed)?;
            match self.write(who, &Write::Create(object)).await {
                Ok(_) => return Ok(name),
                Err(ClusterError::Exists) => head = self.after(&head, &name).await?,
                Err(ClusterError::Unsure(detail)) => {
                    return match self.get(&Key::new(Kind::SignOff, "", name.clone())).await {
                        Ok(object) if SignOff::read(&object).is_ok_and(|it| it.spec == sign_off) => Ok(name),
                        Ok(_) => Err(ApplyError::Conflict { by: None }),
                        Err(_) => Err(ApplyError::Unsure { change: name, detail }),
                    };
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Err(ApplyError::Conflict { by: None })
    }

    /// Writes down what was seen, as Naru.
    async fn kept(&self, spec: &EvidenceSpec) -> Result<EvidenceRef, ApplyError> {
        let object = spec.object().map_err(|error| ApplyError::Invalid {
            detail: error.to_string().into(),
        })?;
        let key = object.key().clone();
        let write = Write::Create(object);
        let written = self
            .cluster
            .submit(As::Controller("ledger"), &write, false, MANAGER);
        let stored = match written.await {
            Ok(done) => done.object,
            Err(ClusterError::Exists | ClusterError::Unsure(_)) => Some(self.get(&key).await?),
            Err(error) => return Err(failed(error)),
        };
        // The API server may have refused a part without a word (pruned it): then it is not what was shown.
        let read = stored.and_then(|object| Evidence::read(&object).ok());
        let read = read
            .filter(|it| it.spec == *spec)
            .ok_or_else(|| ApplyError::Invalid {
                detail: "the evidence that was stored is not the evidence that was sent".into(),
            })?;
        Ok(EvidenceRef {
            name: read.name,
            uid: read.uid,
            digest: read.digest,
        })
    }

    /// The end of the chain after somebody else was faster.
    async fn after(&self, head: &Head, name: &Name) -> Result<Head, ApplyError> {
        let object = self.get(&Key::new(Kind::SignOff, "", name.clone())).await?;
        let other = SignOff::read(&object).map_err(|odd| refused(Refused::Untrusted { at: odd.name }))?;
        let digest = match other.status.refused {
            Some(_) => head.digest.clone(),
            None => other.link,
        };
        Ok(Head {
            count: head.count + 1,
            digest,
        })
    }

    async fn countersign(&self, who: &Actor, name: &Name, link: &str) -> Result<Name, ApplyError> {
        let key = Key::new(Kind::SignOff, "", name.clone());
        for _ in 0..ATTEMPTS {
            let object = self.get(&key).await?;
            let sign_off =
                SignOff::read(&object).map_err(|odd| refused(Refused::Untrusted { at: odd.name }))?;
            if *sign_off.link.0 != *link {
                return Err(ApplyError::DigestChanged {
                    now: sign_off.link.0,
                    by: None,
                });
            }
            if same_person(&sign_off.spec.actor, who) {
                return Err(refused(Refused::SamePerson));
            }
            if !sign_off.pending() || sign_off.status.countersignature.is_some() {
                return Err(refused(Refused::NothingToDo));
            }
            let act = Act {
                actor: who.clone(),
                at: self.clock.now(),
            };
            match self.write(who, &sign_off.countersign(&act)).await {
                Ok(_) => return Ok(name.clone()),
                Err(ClusterError::Conflict) => {}
                Err(error) => return Err(unsure(name, error)),
            }
        }
        Err(ApplyError::Conflict { by: None })
    }

    async fn revoke(
        &self,
        who: &Actor,
        what: Revocable,
        name: &Name,
        reason: Name,
    ) -> Result<Name, ApplyError> {
        let kind = match what {
            Revocable::SignOff => Kind::SignOff,
            Revocable::Waiver => Kind::Waiver,
            Revocable::Exception => Kind::Exception,
        };
        let revocation = Revocation {
            actor: who.clone(),
            reason,
            at: self.clock.now(),
        };
        for _ in 0..ATTEMPTS {
            let object = self.get(&Key::new(kind, "", name.clone())).await?;
            if object.get("/status/revoked").is_some() {
                return Err(refused(Refused::NothingToDo));
            }
            match self.write(who, &act::revoke(&object, &revocation)).await {
                Ok(_) => return Ok(name.clone()),
                Err(ClusterError::Conflict) => {}
                Err(error) => return Err(unsure(name, error)),
            }
        }
        Err(ApplyError::Conflict { by: None })
    }

    async fn write(&self, who: &Actor, write: &Write) -> Result<Option<Object>, ClusterError> {
        let done = self.cluster.submit(As::Person(who), write, false, MANAGER);
        done.await.map(|done| done.object)
    }

    async fn get(&self, key: &Key) -> Result<Object, ApplyError> {
        self.cluster.get(key).await.map_err(|error| match error {
            ClusterError::NotFound => refused(Refused::NotFound {
                kind: key.kind.name().into(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
            }),
            other => failed(other),
        })
    }

    /// Nobody puts their name to anything while it could be forged.
    fn guarded(&self) -> Result<(), ApplyError> {
        let guards = &self.latest.audited.guards;
        if let Some(why) = &guards.unknown {
            let whys = vec![why.clone()];
            return Err(refused(Refused::Unknown { whys }));
        }
        if guards.down.is_empty() {
            return Ok(());
        }
        let policies = guard::names(&guards.down);
        Err(refused(Refused::Unguarded { policies }))
    }

    fn head(&self) -> Result<Head, ApplyError> {
        let chain = self.latest.audited.chain.clone();
        chain.map_err(|broken| refused(Refused::Untrusted { at: broken.at }))
    }

    fn item(&self, item: Item) -> Result<(&Judgement, &Standing), ApplyError> {
        let mut all = self.latest.items.iter();
        let found = all.find(|(it, _)| it.item == item);
        found.map(|(it, standing)| (it, standing)).ok_or_else(not_judged)
    }
}

/// Signed and still counting, or on its way; a second signature of the same item would say nothing new.
fn signed_already(standing: &Standing, who: &Actor) -> bool {
    match &standing.signature {
        Signature::Valid(_) | Signature::Pending(_) => true,
        Signature::SecondMissing(signed) => same_person(&signed.by, who),
        _ => false,
    }
}

fn ask(verb: &'static str, name: Option<Name>) -> Access {
    Access {
        verb,
        kind: Kind::SignOff,
        namespace: None,
        name,
    }
}

fn of(item: &str) -> Result<Item, ApplyError> {
    item.parse()
        .map_err(|_| refused(Refused::BadInput { field: "item".into() }))
}

fn bounded(text: &str, limit: u32) -> Result<Name, ApplyError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > limit as usize {
        return Err(refused(Refused::Reason { limit }));
    }
    Ok(text.into())
}

fn refused(refused: Refused) -> ApplyError {
    ApplyError::Refused { refused }
}

fn not_judged() -> ApplyError {
    refused(Refused::NotJudged)
}

fn malformed(error: naru_domain::object::Malformed) -> ApplyError {
    ApplyError::Invalid {
        detail: error.to_string().into(),
    }
}

fn failed(error: ClusterError) -> ApplyError {
    match error {
        ClusterError::Forbidden(detail) => ApplyError::Forbidden { detail },
        ClusterError::Invalid(detail) => ApplyError::Invalid { detail },
        ClusterError::Conflict | ClusterError::Exists => ApplyError::Conflict { by: None },
        other => ApplyError::Unreachable {
            detail: other.to_string().into(),
        },
    }
}

/// A write to something that is there: its answer may be lost.
fn unsure(name: &Name, error: ClusterError) -> ApplyError {
    match error {
        ClusterError::Unsure(detail) => ApplyError::Unsure {
            change: name.clone(),
            detail,
        },
        other => failed(other),
    }
}
