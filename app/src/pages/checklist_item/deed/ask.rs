//! What somebody wants to put their name to.

use super::{Sheet, Shown};
use crate::lang::Lang;
use leptos::prelude::*;
use naru_view::{
    Name,
    checklist::Finding,
    ledger::{DAYS, Deed, OWNER, PassedOver, REASON, Revocable, STATEMENT},
};

/// A wish, as a button on the page says it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Ask {
    /// The item, and what it is called.
    Sign(Name, String),
    /// Beside another person.
    Countersign(Name),
    /// Takes something back.
    Revoke { what: Revocable, name: Name },
    /// The item, and what it is called.
    Waive(Name, String),
    /// What has one code at one place: an exception covers all of it.
    Except(Vec<Finding>),
}

impl Ask {
    pub(super) fn title(&self, lang: Lang) -> String {
        match self {
            Self::Sign(item, title) => lang.sign_sheet_sign(item, title),
            Self::Countersign(item) => lang.sign_sheet_countersign(item),
            Self::Revoke { what, name } => match what {
                Revocable::SignOff => lang.sign_sheet_revoke(name),
                Revocable::Waiver => lang.sign_sheet_unwaive(name),
                Revocable::Exception => lang.sign_sheet_unexcept(name),
            },
            Self::Waive(item, title) => lang.sign_sheet_waive(item, title),
            Self::Except(_) => lang.sign_sheet_except().into(),
        }
    }

    /// The word on the button that does it.
    pub(super) fn verb(&self, lang: Lang) -> &'static str {
        match self {
            Self::Sign(..) | Self::Countersign(_) => lang.sign_put_sign(),
            Self::Revoke { .. } => lang.sign_put_revoke(),
            Self::Waive(..) => lang.sign_waive(),
            Self::Except(_) => lang.sign_accept(),
        }
    }

    /// What it means, of what is not shown in full.
    pub(super) fn means(&self, lang: Lang) -> Option<&'static str> {
        match self {
            Self::Sign(..) | Self::Countersign(_) => None,
            Self::Revoke { what, .. } => Some(match what {
                Revocable::SignOff => lang.sign_revoke_means(),
                Revocable::Waiver => lang.sign_unwaive_means(),
                Revocable::Exception => lang.sign_unexcept_means(),
            }),
            Self::Waive(..) => Some(lang.sign_waive_means()),
            Self::Except(_) => Some(lang.sign_except_means()),
        }
    }

    /// The item of a signature, and whether another's signature is there.
    pub(super) fn item(&self) -> Option<(Name, bool)> {
        match self {
            Self::Sign(item, _) => Some((item.clone(), false)),
            Self::Countersign(item) => Some((item.clone(), true)),
            _ => None,
        }
    }

    /// The part of the page that shows what came of it.
    pub(super) fn part(&self) -> &'static str {
        match self {
            Self::Except(_)
            | Self::Revoke {
                what: Revocable::Exception,
                ..
            } => "findings",
            _ => "signature",
        }
    }

    /// What is typed for it.
    pub(super) fn wants(&self) -> Wants {
        match self {
            Self::Sign(..) => Wants::Statement,
            Self::Countersign(_) => Wants::Nothing,
            Self::Revoke { .. } => Wants::Reason,
            Self::Waive(..) | Self::Except(_) => Wants::Terms,
        }
    }
}

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    Statement,
    Reason,
    /// A reason, an owner, and how long.
    Terms,
}

impl Wants {
    /// Characters of the statement or reason; the server refuses more.
    pub(super) const fn limit(self) -> usize {
        match self {
            Self::Statement => STATEMENT as usize,
            _ => REASON as usize,
        }
    }
}

impl Sheet {
    /// What would be sent, if what is typed fits. Tracks what is typed.
    pub(super) fn deed(self, shown: Option<&Shown>) -> Option<Deed> {
        let ask = self.ask.get()?;
        let wants = ask.wants();
        let text = match wants {
            Wants::Nothing => String::new(),
            _ => bounded(&self.text.get(), wants.limit())?,
        };
        let until = |reason| {
            Some(PassedOver {
                reason,
                owner: bounded(&self.owner.get(), OWNER as usize)?,
                days: self.days()?,
            })
        };
        Some(match ask {
            Ask::Sign(item, _) => Deed::Sign {
                item,
                digest: shown?.sheet.digest.clone(),
                statement: text,
            },
            Ask::Countersign(_) => {
                let beside = shown?.beside.as_ref()?;
                Deed::Countersign {
                    name: beside.name.clone(),
                    link: beside.link.clone(),
                }
            }
            Ask::Revoke { what, name } => Deed::Revoke {
                what,
                name,
                reason: text,
            },
            Ask::Waive(item, _) => Deed::Waive {
                item,
                until: until(text)?,
            },
            Ask::Except(alike) => {
                let finding = alike.into_iter().next()?;
                Deed::Except {
                    code: finding.code,
                    field: finding.field,
                    until: until(text)?,
                }
            }
        })
    }

    /// How many days, if that many are allowed.
    pub(super) fn days(self) -> Option<u32> {
        let days = self.days.get().trim().parse().ok();
        days.filter(|days| (1..=DAYS).contains(days))
    }
}

fn bounded(text: &str, limit: usize) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= limit;
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn a_text_is_there_and_not_longer_than_is_kept() {
        for (text, fits) in [
            ("", false),
            (" \n", false),
            (" a ", true),
            ("가가가", true),
            ("가가가가", false),
        ] {
            assert_eq!(bounded(text, 3).is_some(), fits, "{text:?}");
        }
        assert_eq!(bounded(" a ", 3).as_deref(), Some("a"));
    }
}
