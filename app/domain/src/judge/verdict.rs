//! What the checks of an item come to.

use super::{ALL, Check, Code, Fact, Finding, Found, OWN, Severity, World};
use crate::{Name, Why, crossing::Item, mesh::Decider};
use serde::{Deserialize, Serialize};

/// Whether an item is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check knew, and none found an error.
    Met,
    /// Some check found an error.
    NotMet,
    /// No error was found, and something is not known.
    Unknown,
}

/// An item as it is judged now.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The item.
    pub item: Item,
    /// Whether it is met.
    pub verdict: Verdict,
    /// What is wrong, the worst first, then in order of code and place.
    pub findings: Vec<Finding>,
    /// What was seen, in order of the checks.
    pub facts: Vec<Fact>,
    /// What is not known, and by which check.
    pub unknown: Vec<(&'static str, Why)>,
}

/// 4.4: another item is not met.
pub(crate) const ITEMS_OPEN: Code = Code::error("items-open");

/// Judges all items, in order, those of the team's own among them. 4.4 goes by what the others came to.
pub fn judge(world: &World<'_>) -> Vec<Judgement> {
    let own = world.migration.as_ref().map(|(_, it)| it.items.clone());
    let items = own.unwrap_or_default().all();
    let others = items.into_iter().filter(|it| *it != Item::Ready);
    let mut all: Vec<Judgement> = others.map(|item| of_item(world, item)).collect();
    let ready = of_item(world, Item::Ready).after(world, &all);
    let place = all.partition_point(|it| it.item < Item::Ready);
    all.insert(place, ready);
    all
}

/// What one check found, as a judgement of its own.
pub(super) fn of_found(world: &World<'_>, check: &'static Check, found: Found) -> Judgement {
    let mut judgement = Judgement {
        item: check.item,
        verdict: Verdict::Met,
        findings: Vec::new(),
        facts: Vec::new(),
        unknown: Vec::new(),
    };
    judgement.take(world, check.name, check.codes, found);
    judgement.settle();
    judgement
}

fn of_item(world: &World<'_>, item: Item) -> Judgement {
    let mut judgement = Judgement {
        item,
        verdict: Verdict::Met,
        findings: Vec::new(),
        facts: Vec::new(),
        unknown: Vec::new(),
    };
    if let Item::Own(own) = item {
        let mut found = Found::default();
        (OWN.run)(world, own, &mut found);
        judgement.take(world, OWN.name, OWN.codes, found);
    }
    for check in ALL.iter().filter(|check| check.item == item) {
        let mut found = Found::default();
        (check.run)(world, &mut found);
        judgement.take(world, check.name, check.codes, found);
    }
    judgement.settle();
    judgement
}

impl Judgement {
    /// Ready is not met while another item is not, and not known while another is not.
    fn after(mut self, world: &World<'_>, others: &[Self]) -> Self {
        let named = |verdict: Verdict| -> Option<Name> {
            let these = others.iter().filter(|it| it.verdict == verdict);
            let ids: Vec<&str> = these.map(|it| it.item.id()).collect();
            (!ids.is_empty()).then(|| ids.join(", ").into())
        };
        if let (Some(items), Ok((key, _))) = (named(Verdict::NotMet), &world.migration) {
            self.findings.push(Finding {
                code: &ITEMS_OPEN,
                item: self.item,
                key: key.clone(),
                path: "".into(),
                args: [("items", items)].into(),
                fix: None,
            });
        }
        if let Some(what) = named(Verdict::Unknown) {
            self.unknown.push(("ready", Why::NotObserved { what }));
        }
        self.settle();
        self
    }

    fn take(&mut self, world: &World<'_>, check: &'static str, codes: &[&'static Code], found: Found) {
        debug_assert!(
            found.findings.iter().all(|(code, ..)| codes.contains(code)),
            "{check} has a finding that it does not list"
        );
        self.facts.extend(found.facts);
        self.unknown
            .extend(found.unknown.into_iter().map(|why| (check, why)));
        let mend = |code: &Code, by: &Decider| {
            let object = world.objects.whole.get(&by.key)?;
            code.mend?(world.objects, object, &by.path)
        };
        let item = self.item;
        let findings = found.findings.into_iter().map(|(code, by, args)| Finding {
            fix: mend(code, &by),
            code,
            item,
            key: by.key,
            path: by.path,
            args,
        });
        self.findings.extend(findings);
    }

    /// No check at all, or one that does not know, is no reason to call an item met.
    fn settle(&mut self) {
        self.findings.sort_by(|a, b| {
            (a.code.severity, a.code.name, &a.key, &a.path).cmp(&(
                b.code.severity,
                b.code.name,
                &b.key,
                &b.path,
            ))
        });
        let wrong = |finding: &Finding| finding.code.severity == Severity::Error;
        let checked = matches!(self.item, Item::Own(_)) || ALL.iter().any(|check| check.item == self.item);
        self.verdict = if self.findings.iter().any(wrong) {
            Verdict::NotMet
        } else if self.unknown.is_empty() && checked {
            Verdict::Met
        } else {
            Verdict::Unknown
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, judge};
    use crate::{
        crossing::Item,
        judge::{World, testing},
        mesh::Prepared,
    };

    #[test]
    fn ready_is_not_met_while_another_item_is_not_and_nothing_is_met_without_evidence() {
        let migration = "{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {name: m}, spec: {entry: {namespace: a, name: web}}}";
        let service = "{apiVersion: v1, kind: Service, metadata: {name: other, namespace: a}}";
        for (yaml, ready) in [
            (migration.to_owned(), Verdict::Unknown),
            (format!("{migration}\n---\n{service}"), Verdict::NotMet),
        ] {
            let objects = testing::objects(&yaml);
            let all = judge(&World::of_files(&objects, testing::now()));
            let items: Vec<Item> = all.iter().map(|it| it.item).collect();
            assert_eq!(items, Item::ALL);
            let last = all.last().unwrap();
            assert_eq!(last.verdict, ready);
            let open = last.findings.iter().find(|it| it.code.name == "items-open");
            assert_eq!(open.is_some(), ready == Verdict::NotMet);
            assert!(open.is_none_or(|it| it.args["items"].contains("2.1")));
            // The first phase is of an installation, which is not here.
            let mut later = all.iter().filter(|it| it.item.phase() > 1);
            assert!(later.all(|it| it.verdict != Verdict::Met));
        }
        let nothing = testing::objects("{apiVersion: v1, kind: Service, metadata: {name: s}}");
        let world = World::of(&nothing, Prepared::of(&nothing), None, testing::now());
        let all = judge(&world);
        let mut later = all.iter().filter(|it| it.item.phase() > 1);
        assert!(later.all(|it| it.verdict != Verdict::Met));
    }
}
