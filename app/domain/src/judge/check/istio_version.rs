//! 1.1: the release is named in full, and the Istio project still supports it.

use crate::{
    Name, Why,
    crossing::Item,
    judge::{
        Check, Code, Found, World,
        control_plane::{first_text, istiods, operators},
        release::{Support, minor, moves, support, tag_of},
    },
    mesh::Decider,
    object::Kind,
};

const UNPINNED: Code = Code::error("istio-version-unpinned");
const UNSAID: Code = Code::warning("istio-version-unsaid");
const ENDED: Code = Code::error("istio-release-ended");
const ENDING: Code = Code::warning("istio-release-end-expected");

pub(super) const CHECK: Check = Check {
    name: "istio_version",
    item: Item::Installed,
    codes: &[&UNPINNED, &UNSAID, &ENDED, &ENDING],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns([Kind::IstioOperator, Kind::Deployment].iter().filter_map(|&it| world.objects.gap(it)));
    let mut told = false;
    for operator in operators(world) {
        let name = &*operator.key().name;
        if let Some((path, tag)) = first_text(operator, &["/spec/tag", "/spec/values/global/tag"]) {
            told = true;
            version(world, &tag, Decider::of(operator, path), name, found);
            continue;
        }
        let by = Decider::of(operator, "/spec/tag");
        found.finding(&UNSAID, by, [("name", name.into())]);
        // `1-31-0` is how Istio's documentation calls a revision of 1.31.0.
        let revision = operator.text("/spec/revision").replace('-', ".");
        if minor(&revision).is_some() {
            told = true;
            version(world, &revision, Decider::of(operator, "/spec/revision"), name, found);
        }
    }
    for istiod in istiods(world) {
        told = true;
        let by = Decider {
            key: istiod.key.clone(),
            path: format!("/spec/template{}/image", istiod.discovery.path).into(),
        };
        match tag_of(&istiod.discovery.image) {
            Some(tag) => version(world, tag, by, &istiod.key.name, found),
            None => found.unknown(Why::NotJudged {
                what: istiod.discovery.image.clone(),
            }),
        }
    }
    if !told && world.running(found) {
        found.unknown(Why::NotObserved {
            what: "istiod's version".into(),
        });
    }
}

fn version(world: &World<'_>, tag: &str, by: Decider, name: &str, found: &mut Found) {
    found.saw_at("istio-version", &by, tag);
    if moves(tag) {
        let tag = if tag.is_empty() { "latest" } else { tag };
        found.finding(&UNPINNED, by, [("name", name.into()), ("tag", tag.into())]);
        return;
    }
    let now = world.now.to_string();
    let today = now.split('T').next().unwrap_or(&now);
    let args = |end: &str| [("name", Name::from(name)), ("version", tag.into()), ("end", end.into())];
    let mut find = |code, end: &str| {
        let args = args(end);
        let args = args.each_ref().map(|(it, value)| (*it, (&**value).into()));
        found.finding(code, by.clone(), args);
    };
    match minor(tag).map(|minor| support(minor, today)) {
        Some(Support::Until(end)) => found.saw_at("istio-supported-until", &by, end),
        Some(Support::Ended(end)) => find(&ENDED, end),
        Some(Support::Expected(end)) => find(&ENDING, end),
        Some(Support::Unknown) | None => found.unknown(Why::NotJudged {
            what: format!("Istio {tag}").into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::{
        World,
        testing::{codes, judged, objects, of},
    };

    fn operator(spec: &str) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: i, namespace: istio-system}}\nspec: {{{spec}}}\n"
        );
        codes(&judged("istio_version", &yaml))
    }

    fn istiod(image: &str) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, \
             spec: {{containers: [{{name: discovery, image: '{image}'}}]}}}}}}\n"
        );
        codes(&judged("istio_version", &yaml))
    }

    #[test]
    fn what_moves_is_not_pinned() {
        for spec in ["tag: latest", "tag: 1.31", "values: {global: {tag: master}}"] {
            assert_eq!(operator(spec), ["istio-version-unpinned"], "{spec}");
        }
        assert_eq!(istiod("docker.io/istio/pilot"), ["istio-version-unpinned"]);
        assert!(operator("tag: 1.31.0").is_empty() && istiod("docker.io/istio/pilot:1.31.0-distroless").is_empty());
    }

    #[test]
    fn an_operator_without_a_tag_leaves_it_to_whoever_installs() {
        assert_eq!(operator("profile: default"), ["istio-version-unsaid"]);
        assert_eq!(
            operator("revision: 1-20-8"),
            ["istio-release-ended", "istio-version-unsaid"]
        );
    }

    #[test]
    fn support_is_judged_by_the_day() {
        assert_eq!(istiod("pilot:1.26.8"), ["istio-release-ended"]);
        assert!(istiod("pilot:1.27.4").is_empty());
        assert_eq!(operator("tag: 1.20.8"), ["istio-release-ended"]);
    }

    #[test]
    fn a_tag_of_somebodys_own_is_unknown() {
        for image in ["pilot:our-7", "pilot@sha256:00", "pilot:1.99.0"] {
            let yaml = format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, \
                 spec: {{containers: [{{name: discovery, image: '{image}'}}]}}}}}}\n"
            );
            let found = judged("istio_version", &yaml);
            assert!(found.findings.is_empty() && found.unknown.len() == 1, "{image}");
        }
    }

    #[test]
    fn an_end_that_was_only_expected_is_no_error() {
        let objects = objects(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: i, namespace: istio-system}\nspec: {tag: 1.31.0}\n",
        );
        let at = |now: &str| codes(&of("istio_version", &World::of_files(&objects, now.parse().unwrap())));
        assert_eq!(at("2027-06-01T00:00:00Z"), ["istio-release-end-expected"]);
        assert!(at("2027-01-01T00:00:00Z").is_empty());
    }
}
