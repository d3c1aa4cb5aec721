//! 4.4: each item that the Migration adds is one: what cannot be called cannot be judged or signed, and must not be forgotten for that.

use crate::{
    crossing::{Item, own::MOST},
    judge::{Check, Code, Found, World, ask::declared_at},
};

const UNNAMED: Code = Code::error("own-item-unnamed");
const TOO_MANY: Code = Code::error("own-items-too-many");

pub(super) const CHECK: Check = Check {
    name: "own_items",
    item: Item::Ready,
    codes: &[&UNNAMED, &TOO_MANY],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    // That there is no Migration is told by whoever needs one.
    let Ok((_, migration)) = &world.migration else {
        return;
    };
    let items = &migration.items;
    for (at, spec) in items.judged().filter(|(_, it)| it.item().is_none()) {
        if let Some(by) = declared_at(world, &format!("/spec/items/{at}/name")) {
            let args = [
                ("name", (*spec.name).into()),
                ("phase", spec.phase.to_string().into()),
            ];
            found.finding(&UNNAMED, by, args);
        }
    }
    let many = items.0.len();
    if let Some(by) = declared_at(world, "/spec/items").filter(|_| many > MOST) {
        let args = [
            ("count", many.to_string().into()),
            ("most", MOST.to_string().into()),
        ];
        found.finding(&TOO_MANY, by, args);
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn found(items: &str) -> Vec<&'static str> {
        let yaml = format!(
            "{{apiVersion: naru.dev/v1alpha1, kind: Migration, metadata: {{name: m}}, spec: {{items: [{items}]}}}}"
        );
        codes(&judged("own_items", &yaml))
    }

    #[test]
    fn what_cannot_be_called_is_told_and_so_is_what_is_not_judged() {
        let item = |name: &str, phase: u8| {
            format!("{{name: {name}, phase: {phase}, title: t, query: up, atLeast: 1, for: 5m}}")
        };
        assert_eq!(found(&item("a", 1)), [""; 0]);
        for odd in [item("A", 1), item("a.b", 1), item("a", 0), item("a", 5), item("\"1\"", 2)] {
            assert_eq!(found(&odd), ["own-item-unnamed"], "{odd}");
        }
        let many: Vec<String> = (0..33).map(|at| item(&format!("a{at}"), 1)).collect();
        assert_eq!(found(&many[..32].join(", ")), [""; 0]);
        assert_eq!(found(&many.join(", ")), ["own-items-too-many"]);
    }
}
