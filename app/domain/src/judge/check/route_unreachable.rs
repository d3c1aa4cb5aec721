//! 1.2: each rule can be reached: no earlier one takes all its requests.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
    mesh::route::{Vain, unreachable},
    object::Kind,
};

const UNREACHABLE: Code = Code::error("route-unreachable").istio("IST0130");
const TWICE: Code = Code::info("route-match-twice").istio("IST0131");

pub(super) const CHECK: Check = Check {
    name: "route_unreachable",
    item: Item::Routed,
    codes: &[&UNREACHABLE, &TWICE],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::VirtualService));
    for route in world.objects.of_kind(Kind::VirtualService) {
        let vain = unreachable(route);
        if vain.is_empty() {
            found.saw("route-rules", route, "/spec/http", route.list("/spec/http").len().to_string());
        }
        for it in vain {
            let code = match it.vain {
                Vain::AfterCatchAll | Vain::AllTaken => &UNREACHABLE,
                Vain::Duplicate => &TWICE,
            };
            let args = [
                ("route", (&*route.key().name).into()),
                ("rule", it.at.path.to_string().into()),
                ("by", it.by.path.to_string().into()),
            ];
            found.finding(code, it.at, args);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn found(http: &str) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: r, namespace: shop}}\nspec: {{hosts: [a.example], http: [{http}]}}\n"
        );
        codes(&judged("route_unreachable", &yaml))
    }

    #[test]
    fn nothing_comes_behind_a_rule_that_takes_all() {
        let all = "{route: [{destination: {host: a}}]}";
        let one = "{match: [{uri: {prefix: /a}}], route: [{destination: {host: a}}]}";
        assert_eq!(found(&format!("{all}, {one}")), ["route-unreachable"]);
        assert!(found(&format!("{one}, {all}")).is_empty());
    }

    #[test]
    fn a_match_said_again_is_worth_knowing() {
        let first = "{match: [{uri: {prefix: /a}}], route: [{destination: {host: a}}]}";
        let again = "{match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}], route: [{destination: {host: a}}]}";
        assert_eq!(found(&format!("{first}, {again}")), ["route-match-twice"]);
        assert_eq!(found(&format!("{first}, {first}")), ["route-match-twice", "route-unreachable"]);
    }
}
