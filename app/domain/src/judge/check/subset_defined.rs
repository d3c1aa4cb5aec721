//! 1.2: each subset that a rule names is defined by a DestinationRule that the calling proxy uses. Without one, requests fail with 503 (NC).

use crate::{
    Name,
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::{
        Proxy,
        host::Host,
        subset::{Effective, destination_rule},
    },
    object::Kind,
};
use std::collections::{BTreeMap, BTreeSet};

const UNDEFINED: Code = Code::error("subset-undefined").istio("IST0101");
const UNDEFINED_IDLE: Code = Code::info("subset-undefined-idle").istio("IST0101");

pub(super) const CHECK: Check = Check {
    name: "subset_defined",
    item: Item::Routed,
    codes: &[&UNDEFINED, &UNDEFINED_IDLE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let used = world.used(found);
    found.unknowns(world.objects.gap(Kind::DestinationRule));
    let mut known: BTreeMap<(Proxy, Name), Result<Option<Effective<'_>>, Vec<crate::Why>>> = BTreeMap::new();
    let callers = world.callers();
    for it in used.iter().filter(|it| !it.subset.is_empty()) {
        if let Host::Unknown(why) = it.resolved(world) {
            found.unknown(why);
            continue;
        }
        let fqdn = it.fqdn();
        let mut without: BTreeSet<Name> = BTreeSet::new();
        for proxy in callers.clients(world, &it.route, &fqdn) {
            let key = (proxy.clone(), fqdn.clone());
            let rule = known
                .entry(key)
                .or_insert_with(|| destination_rule(&world.mesh, &proxy, &fqdn));
            match rule {
                Err(whys) => found.unknowns(whys.clone()),
                Ok(rule) => match rule.as_ref().and_then(|rule| rule.subset(&it.subset)) {
                    Some(defined) => {
                        let by = defined.at.decider();
                        found.saw_at("subset-definition", &by, format!("{fqdn} {}", it.subset));
                    }
                    None => drop(without.insert(proxy.namespace.clone())),
                },
            }
        }
        if !without.is_empty() {
            let code = if it.weight > 0 { &UNDEFINED } else { &UNDEFINED_IDLE };
            let whose: Vec<&str> = without.iter().map(|it| &**it).collect();
            let mut by = it.by.clone();
            by.path = format!("{}/subset", by.path).into();
            let args = [
                ("route", (&*it.by.key.name).into()),
                ("host", (&*fqdn).into()),
                ("subset", (&*it.subset).into()),
                ("callers", whose.join(", ").into()),
            ];
            found.finding(code, by, args);
        }
    }
    let mut seen = BTreeSet::new();
    found
        .facts
        .retain(|fact| seen.insert((fact.key.clone(), fact.path.clone(), fact.value.clone())));
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{name: http, port: 80}]}\n";

    fn rule(namespace: &str, subsets: &str) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: d, namespace: {namespace}}}\nspec: {{host: web.shop.svc.cluster.local, subsets: [{subsets}]}}\n"
        )
    }

    fn route(weight: u32) -> String {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [web], http: [{{route: [\
             {{destination: {{host: web}}, weight: 100}}, {{destination: {{host: web, subset: v2}}, weight: {weight}}}]}}]}}\n"
        )
    }

    fn found(parts: &[String]) -> Vec<&'static str> {
        codes(&judged("subset_defined", &format!("{SERVICE}{}", parts.concat())))
    }

    #[test]
    fn a_subset_needs_a_rule_that_defines_it() {
        let v2 = "{name: v2, labels: {version: v2}}";
        assert_eq!(found(&[route(10)]), ["subset-undefined"]);
        assert_eq!(found(&[route(10), rule("shop", "{name: v1}")]), ["subset-undefined"]);
        assert!(found(&[route(10), rule("shop", v2)]).is_empty());
        assert_eq!(found(&[route(0)]), ["subset-undefined-idle"]);
    }

    #[test]
    fn a_rule_in_a_callers_namespace_hides_the_owners() {
        let caller = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: other}\nspec: {containers: [{name: istio-proxy, image: p}, {name: app}]}\nstatus: {phase: Running}\n";
        let own = rule("shop", "{name: v2, labels: {version: v2}}");
        let hiding = rule("other", "");
        assert_eq!(
            found(&[route(10), own.clone(), hiding.clone(), caller.into()]),
            ["subset-undefined"]
        );
        assert!(found(&[route(10), own, hiding]).is_empty());
    }

    #[test]
    fn a_host_that_is_not_there_has_no_subsets_either() {
        let far = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r, namespace: default}\nspec: {hosts: [web], http: [{route: [{destination: {host: web, subset: v1}}]}]}\n";
        assert_eq!(codes(&judged("subset_defined", &format!("{SERVICE}---\n{far}"))), ["subset-undefined"]);
    }
}
