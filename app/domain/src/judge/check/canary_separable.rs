//! 3.2: what comes by the weights can be counted apart from what other rules send to the same pods: each of them has a name of its own.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World, fix::Edit},
    mesh::{
        Decider,
        route::{Leading, told_apart},
    },
    object::{Kind, Object},
    snapshot::Objects,
};

/// Its code.
pub(crate) const INSEPARABLE: &str = "canary-inseparable";

const CODE: Code = Code::info(INSEPARABLE).mended(named);

pub(super) const CHECK: Check = Check {
    name: "canary_separable",
    item: Item::Canaried,
    codes: &[&CODE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for kind in [Kind::VirtualService, Kind::HttpRoute, Kind::Service] {
        found.unknowns(world.objects.gap(kind));
    }
    for (key, rules) in Leading::of(world.objects).nameless() {
        let (Some(object), Some((first, _))) = (world.objects.whole.get(key), rules.first_key_value()) else {
            continue;
        };
        let args = [("route", (&*key.name).into())];
        found.finding(&CODE, Decider::of(object, told_apart::path(*first)), args);
    }
}

/// A name for each of the object's rules that wants one: one alone would tell nothing apart. Proxies route as before; it is in counters, traces and
/// access logs that a name shows.
fn named(objects: &Objects, object: &Object, path: &str) -> Option<Vec<Edit>> {
    let leading = Leading::of(objects);
    let rules = leading.nameless().get(object.key())?;
    let (first, _) = rules.first_key_value()?;
    let edit = |(rule, name): (&u32, &crate::Name)| Edit {
        path: told_apart::path(*rule).into(),
        after: Some((&**name).into()),
    };
    (told_apart::path(*first) == path).then(|| rules.iter().map(edit).collect())
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn rules_beside_weights_want_a_name() {
        let world = |first: &str, second: &str| {
            format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: a, namespace: shop}}, spec: {{ports: [{{port: 80}}]}}}}
---
{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: r, namespace: shop}}, spec: {{hosts: [a], http: [
  {{{first}match: [{{headers: {{canary: {{exact: 'true'}}}}}}], route: [{{destination: {{host: a, subset: v2}}}}]}},
  {{{second}route: [{{destination: {{host: a, subset: v1}}, weight: 90}}, {{destination: {{host: a, subset: v2}}, weight: 10}}]}}]}}}}"
            )
        };
        for (first, second, path, edits) in [
            ("", "", "/spec/http/0/name", 2),
            ("name: tester, ", "", "/spec/http/1/name", 1),
            ("", "name: weights, ", "/spec/http/0/name", 1),
        ] {
            let objects = crate::judge::testing::objects(&world(first, second));
            let found = judged("canary_separable", &world(first, second));
            assert_eq!(codes(&found), ["canary-inseparable"]);
            let key = crate::object::Key::new(crate::object::Kind::VirtualService, "shop", "r");
            let fix = crate::judge::fix::fix(&objects, "canary-inseparable", &key, path);
            assert_eq!(fix.map(|it| it.len()), Some(edits), "{first} {second}");
        }
        let named = judged("canary_separable", &world("name: tester, ", "name: weights, "));
        assert_eq!(codes(&named), [""; 0]);
    }
}
