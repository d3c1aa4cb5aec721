//! What the arguments ask for, held against the rule that they are about.

use crate::{
    changes::{place, placed},
    cli::Weight,
    failure::Failure,
};
use naru_domain::{
    Why, canary,
    mesh::route::{self, Rule},
    object::{Key, Kind, Object},
    snapshot::Objects,
};
use naru_view::{
    canary::{RuleList, SetWeights, WeightOf},
    weights::TOTAL,
};

/// The arguments, read.
#[derive(Debug)]
pub(super) struct Asked {
    target: Key,
    rule: Option<(RuleList, u32)>,
    /// Each named once.
    weights: Vec<(String, u32)>,
}

impl Asked {
    /// Everything that can be wrong without a cluster.
    pub(super) fn read(options: &Weight) -> Result<Self, Failure> {
        let (kind, place) = kind(&options.route)?;
        let (namespace, name) = placed(ROUTE, ROUTE, place)?;
        let at = |text: &str| position(kind, text).ok_or_else(|| bad("--route", text.to_owned()));
        let rule = options.rule.as_deref().map(at).transpose()?;
        let mut weights: Vec<(String, u32)> = Vec::new();
        for pair in &options.weights {
            let (to, weight) = read(pair)?;
            if weights.iter().any(|(other, _)| *other == to) {
                return Err(bad(DESTINATION, format!("{to}, {to}")));
            }
            weights.push((to, weight));
        }
        let sum: u32 = weights.iter().map(|(_, weight)| weight).sum();
        if sum != TOTAL {
            return Err(bad(DESTINATION, format!("Σ {sum} ≠ {TOTAL}")));
        }
        Ok(Self {
            target: Key::new(kind, namespace, name),
            rule,
            weights,
        })
    }

    /// The wish, in the order of the rule's own destinations.
    pub(super) fn wish(&self, objects: &Objects) -> Result<SetWeights, Failure> {
        let target = &self.target;
        if let Some(why) = objects.gap(target.kind) {
            return Err(match why {
                Why::Forbidden { .. } => Failure::Partial(vec![why]),
                why => Failure::Source(why),
            });
        }
        let here = place(&target.namespace, &target.name);
        let object = objects.whole.get(target);
        let object = object.ok_or_else(|| bad(ROUTE, format!("{} {here}: 404", target.kind.name())))?;
        let rule = self.rule(object)?;
        let named: Vec<String> = rule
            .destinations
            .iter()
            .map(|it| it.label().to_string())
            .collect();
        let wanted = |label: &String| self.weights.iter().find(|(to, _)| to == label);
        let strange = self.weights.iter().find(|(to, _)| !named.contains(to));
        let missing = named.iter().find(|it| wanted(it).is_none());
        if let Some(odd) = strange.map(|(to, _)| to).or(missing) {
            return Err(bad(DESTINATION, format!("{odd}: {here} = {}", named.join(", "))));
        }
        let weights = rule.destinations.iter().zip(&named);
        Ok(SetWeights {
            route: canary::reference(object, &rule),
            weights: weights
                .map(|(to, label)| WeightOf {
                    host: to.host.clone(),
                    subset: to.subset.clone(),
                    weight: wanted(label).map_or(0, |(_, weight)| *weight),
                })
                .collect(),
        })
    }

    fn rule(&self, object: &Object) -> Result<Rule, Failure> {
        let mut weighted = route::weighted(object);
        let known = |weighted: &[Rule]| {
            let place = |it: &Rule| format!("spec.{}[{}]", it.list.field(), it.index);
            weighted.iter().map(place).collect::<Vec<_>>().join(", ")
        };
        match (self.rule, weighted.len()) {
            (None, 1) => Ok(weighted.remove(0)),
            (None, _) => Err(bad("--route", known(&weighted))),
            (Some((list, index)), _) => {
                let known = known(&weighted);
                let found = weighted
                    .into_iter()
                    .find(|it| (it.list, it.index) == (list, index));
                found.ok_or_else(|| bad("--route", format!("spec.{}[{index}]; {known}", list.field())))
            }
        }
    }
}

const ROUTE: &str = "[KIND/]NAMESPACE/NAME";
const DESTINATION: &str = "DESTINATION=WEIGHT";

/// The kind, as kubectl takes it, and what stands behind it. Without one it is a VirtualService.
fn kind(text: &str) -> Result<(Kind, &str), Failure> {
    let Some((kind, place)) = text.split_once('/').filter(|(_, place)| place.contains('/')) else {
        return Ok((Kind::VirtualService, text));
    };
    let kind = match &*kind.to_ascii_lowercase() {
        "virtualservice" | "virtualservices" | "vs" => Kind::VirtualService,
        "httproute" | "httproutes" => Kind::HttpRoute,
        _ => return Err(bad(ROUTE, text.to_owned())),
    };
    Ok((kind, place))
}

/// `1`, `tcp/0`
fn position(kind: Kind, text: &str) -> Option<(RuleList, u32)> {
    let (list, index) = match (kind, text.split_once('/')) {
        (Kind::HttpRoute, None) => (RuleList::HttpRoute, text),
        (_, None) => (RuleList::Http, text),
        (Kind::VirtualService, Some(("http", index))) => (RuleList::Http, index),
        (Kind::VirtualService, Some(("tls", index))) => (RuleList::Tls, index),
        (Kind::VirtualService, Some(("tcp", index))) => (RuleList::Tcp, index),
        _ => return None,
    };
    Some((list, index.parse().ok()?))
}

/// `v1=75`
fn read(pair: &str) -> Result<(String, u32), Failure> {
    let parts = pair.rsplit_once('=').filter(|(to, _)| !to.is_empty());
    let (to, weight) = parts.ok_or_else(|| bad(DESTINATION, pair.to_owned()))?;
    // `+5` is a number to Rust, and a slip of the hand here.
    let digits = !weight.is_empty() && weight.bytes().all(|it| it.is_ascii_digit());
    let number: Option<u32> = digits.then(|| weight.parse().ok()).flatten();
    let number = number.filter(|it| *it <= TOTAL);
    let number = number.ok_or_else(|| bad(DESTINATION, format!("{pair}: 0–{TOTAL}")))?;
    Ok((to.to_owned(), number))
}

fn bad(argument: &'static str, detail: String) -> Failure {
    Failure::BadArgument { argument, detail }
}

#[cfg(test)]
mod tests {
    use super::Asked;
    use crate::{cli::Weight, failure::Failure};
    use clap::Parser;
    use naru_domain::{
        manifests,
        object::Kind,
        snapshot::{KindState, Objects},
    };
    use naru_view::canary::RuleList;
    use serde_json::json;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        weight: Weight,
    }

    fn options(route: &str, weights: &[&str], rule: Option<&str>) -> Weight {
        let rule = rule.map(|it| format!("--route={it}"));
        let words = ["weight", route].into_iter().chain(weights.iter().copied());
        Line::parse_from(words.chain(rule.as_deref())).weight
    }

    /// Rule 1 is weighted, rule 0 and 2 are not; or with `two`, rule 2 is as well.
    fn objects(two: bool) -> Objects {
        let to = |subset: &str| json!({"destination": {"host": "user-service", "subset": subset}});
        let third = if two {
            vec![to("v1"), to("v3")]
        } else {
            vec![to("v1")]
        };
        let object = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "user", "namespace": "shop"},
            "spec": {"hosts": ["user-service"], "http": [
                {"route": [to("v2")]}, {"route": [to("v2"), to("v1")]}, {"route": third}],
                "tcp": if two { json!([{"route": [to("v1"), to("v2")]}]) } else { json!([]) }}});
        let backend = |name: &str, namespace: &str| json!({"name": name, "namespace": namespace, "port": 80});
        let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": "user", "namespace": "shop"},
            "spec": {"rules": [{"backendRefs": [backend("user-v1", "shop"), backend("user-v2", "bank")]}]}});
        let mut objects = manifests::objects([object, route]).unwrap();
        for kind in [Kind::VirtualService, Kind::HttpRoute] {
            objects.kinds.insert(kind, KindState::Known);
        }
        objects
    }

    fn argument(failure: &Failure) -> (&'static str, u8, String) {
        match failure {
            Failure::BadArgument { argument, detail } => (argument, failure.code(), detail.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_wish_is_in_the_order_of_the_rule_whatever_the_order_of_the_arguments() {
        for weights in [["v1=75", "v2=25"], ["v2=25", "v1=75"]] {
            let asked = Asked::read(&options("shop/user", &weights, None)).unwrap();
            let wish = asked.wish(&objects(false)).unwrap();
            assert_eq!(wish.route.rule, 1);
            let all: Vec<_> = wish.weights.iter().map(|it| (&*it.subset, it.weight)).collect();
            assert_eq!(all, [("v2", 25), ("v1", 75)]);
        }
        let asked = Asked::read(&options("shop/user", &["v1=1", "v3=99"], Some("2"))).unwrap();
        assert_eq!(asked.wish(&objects(true)).unwrap().route.rule, 2);
    }

    #[test]
    fn a_kind_and_a_list_may_stand_before_what_they_are_of() {
        let wish = |route: &str, weights: &[&str], rule| {
            let asked = Asked::read(&options(route, weights, rule)).unwrap();
            asked.wish(&objects(true)).unwrap()
        };
        let away = "user-v2.bank.svc.cluster.local";
        let weights = ["user-v1=90", &*format!("{away}=10")];
        for (route, rule) in [("httproute/shop/user", None), ("HTTPRoute/shop/user", Some("0"))] {
            let wish = wish(route, &weights, rule);
            assert_eq!(wish.route.list, RuleList::HttpRoute);
            assert_eq!(&*wish.weights[1].host, away);
        }
        let weights = ["v1=90", "v2=10"];
        for (rule, list) in [
            ("tcp/0", RuleList::Tcp),
            ("http/1", RuleList::Http),
            ("1", RuleList::Http),
        ] {
            assert_eq!(wish("vs/shop/user", &weights, Some(rule)).route.list, list);
        }
    }

    #[test]
    fn what_is_no_wish_is_told_before_anybody_is_asked() {
        for (route, weights) in [
            ("user", &["v1=75", "v2=25"][..]),
            ("/user", &["v1=75", "v2=25"]),
            ("shop/", &["v1=75", "v2=25"]),
            ("shop/user/x", &["v1=75", "v2=25"]),
            ("httproute/shop/user/x", &["v1=75", "v2=25"]),
            ("httproute/shop", &["v1=75", "v2=25", "v3=1"]),
            ("shop/user", &["v1", "v2=25"]),
            ("shop/user", &["=75", "v2=25"]),
            ("shop/user", &["v1=75", "v2=26"]),
            ("shop/user", &["v1=75.0", "v2=25"]),
            ("shop/user", &["v1=+75", "v2=25"]),
            ("shop/user", &["v1=-5", "v2=105"]),
            ("shop/user", &["v1=101"]),
            ("shop/user", &["v1=4294967297", "v2=99"]),
            ("shop/user", &["v1=50", "v1=50"]),
            ("shop/user", &["v1=75%", "v2=25"]),
        ] {
            let failure = Asked::read(&options(route, weights, None)).unwrap_err();
            assert_eq!(argument(&failure).1, 2, "{route} {weights:?}");
        }
        for (route, rule) in [
            ("shop/user", "x/1"),
            ("shop/user", "tcp/"),
            ("httproute/shop/user", "tcp/0"),
        ] {
            let failure = Asked::read(&options(route, &["v1=75", "v2=25"], Some(rule))).unwrap_err();
            assert_eq!(argument(&failure).0, "--route", "{rule}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let wish = |route: &str, weights: &[&str], rule, two| {
            let asked = Asked::read(&options(route, weights, rule)).unwrap();
            argument(&asked.wish(&objects(two)).unwrap_err())
        };
        let (name, code, _) = wish("shop/other", &["v1=100"], None, false);
        assert_eq!((name, code), ("[KIND/]NAMESPACE/NAME", 2));
        let (name, _, detail) = wish("shop/user", &["v1=50", "v2=50"], None, true);
        assert_eq!(
            (name, &*detail),
            ("--route", "spec.http[1], spec.http[2], spec.tcp[0]")
        );
        let (name, _, _) = wish("shop/user", &["v2=100"], Some("0"), false);
        assert_eq!(name, "--route");
        for weights in [&["v1=100"][..], &["v1=50", "v2=50", "v3=0"], &["v1=50", "v9=50"]] {
            let (name, _, detail) = wish("shop/user", weights, None, false);
            assert!(
                name == "DESTINATION=WEIGHT" && detail.contains("v2, v1"),
                "{detail}"
            );
        }
    }
}
