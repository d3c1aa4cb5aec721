//! 4.1: the tools of observation are of a version that somebody chose. An image without a tag, or `latest`, is another one after each restart.

use crate::{
    crossing::Item,
    judge::{Check, Code, Found, World},
};

const UNPINNED: Code = Code::error("addon-unpinned");

/// How the images of the tools are called that Istio's documentation names.
const TOOLS: [&str; 8] = [
    "kiali",
    "prometheus",
    "grafana",
    "all-in-one",
    "jaeger",
    "tempo",
    "opentelemetry-collector",
    "opentelemetry-collector-contrib",
];

pub(super) const CHECK: Check = Check {
    name: "addons_pinned",
    item: Item::Observed,
    codes: &[&UNPINNED],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    for template in world.templates() {
        for container in &template.pod.containers {
            let Some(tool) = tool(&container.image) else {
                continue;
            };
            let by = template.field(&format!("{}/image", container.path));
            if pinned(&container.image) {
                found.saw_at("addon", &by, container.image.clone());
            } else {
                let args = [("tool", tool.into()), ("image", (&*container.image).into())];
                found.finding(&UNPINNED, by, args);
            }
        }
    }
}

fn tool(image: &str) -> Option<&'static str> {
    let bare = image.split_once('@').map_or(image, |(image, _)| image);
    let last = bare.rsplit('/').next()?;
    let name = last.split(':').next()?;
    TOOLS.into_iter().find(|it| *it == name)
}

/// By a digest, or by a tag with a number in it.
fn pinned(image: &str) -> bool {
    if image.contains('@') {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':')
        .is_some_and(|(_, tag)| tag != "latest" && tag.bytes().any(|it| it.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    #[test]
    fn a_tag_with_a_number_or_a_digest_is_a_version() {
        for (image, expected) in [
            ("quay.io/kiali/kiali:v2.11", &[][..]),
            ("prom/prometheus@sha256:00", &[]),
            ("localhost:5000/grafana/grafana", &["addon-unpinned"]),
            ("docker.io/jaegertracing/all-in-one:latest", &["addon-unpinned"]),
            ("quay.io/kiali/kiali:stable", &["addon-unpinned"]),
            ("nginx:latest", &[]),
        ] {
            let yaml = format!(
                "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: t, namespace: o}}, spec: {{template: {{spec: {{containers: [{{name: c, image: '{image}'}}]}}}}}}}}"
            );
            assert_eq!(codes(&judged("addons_pinned", &yaml)), expected, "{image}");
        }
    }
}
