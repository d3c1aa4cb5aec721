//! 1.1: the injector's webhook leads to an istiod, and the validator takes objects without a revision's label too.

use crate::{
    Why,
    crossing::Item,
    judge::{Check, Code, Found, World, settled::ASSUMED_INJECTOR},
    mesh::{
        Decider,
        injection::{Injectors, selector},
    },
    object::{Kind, Object},
};
use serde_json::Value;

const ABSENT: Code = Code::error("injector-absent");
const SERVICE_ABSENT: Code = Code::error("injector-service-absent").istio("IST0139");
const VALIDATOR_ABSENT: Code = Code::error("validator-absent");
const VALIDATOR_NARROW: Code = Code::warning("validator-narrow");

pub(super) const CHECK: Check = Check {
    name: "injector_present",
    item: Item::Installed,
    codes: &[&ABSENT, &SERVICE_ABSENT, &VALIDATOR_ABSENT, &VALIDATOR_NARROW],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    let kinds = [
        Kind::MutatingWebhookConfiguration,
        Kind::ValidatingWebhookConfiguration,
        Kind::Service,
    ];
    let gaps: Vec<Why> = kinds.iter().filter_map(|&kind| world.objects.gap(kind)).collect();
    if !gaps.is_empty() {
        found.unknowns(gaps);
        return;
    }
    injectors(world, found);
    validators(world, found);
}

fn injectors(world: &World<'_>, found: &mut Found) {
    let injectors = Injectors::of(&world.mesh);
    let all: Vec<_> = injectors.webhooks().filter(|(by, ..)| &*by.key.name != ASSUMED_INJECTOR).collect();
    if all.is_empty() {
        if world.running(found) {
            found.finding(&ABSENT, nowhere(Kind::MutatingWebhookConfiguration), []);
        }
        return;
    }
    for (by, _, webhook) in all {
        leads(world, &by, webhook, found);
    }
}

/// Whether the webhook's Service is there. One by URL is an istiod's outside the cluster.
fn leads(world: &World<'_>, by: &Decider, webhook: &Value, found: &mut Found) {
    let text = |name: &str| {
        let field = webhook.pointer(&format!("/clientConfig/service/{name}"));
        field.and_then(Value::as_str).unwrap_or("")
    };
    let (namespace, name) = (text("namespace"), text("name"));
    if name.is_empty() {
        found.unknown(Why::NotJudged {
            what: format!("{}: clientConfig.url", by.key.name).into(),
        });
    } else if world.objects.service(namespace, name).is_some() {
        found.saw_at("injector-service", by, format!("{namespace}/{name}"));
    } else if world.running || world.objects.services.values().any(|it| &*it.namespace == namespace) {
        let by = Decider {
            key: by.key.clone(),
            path: format!("{}/clientConfig/service", by.path).into(),
        };
        let args = [
            ("webhook", (&*by.key.name).into()),
            ("service", format!("{namespace}/{name}").into()),
        ];
        found.finding(&SERVICE_ABSENT, by.clone(), args);
    } else {
        found.unknown(Why::NeedsCluster);
    }
}

/// Only objects labelled with a revision are validated by a revision's own configuration; the default revision's takes the rest.
/// (`istioctl tag set default`, and the charts' `defaultRevision`.)
fn validators(world: &World<'_>, found: &mut Found) {
    let configurations = world.objects.of_kind(Kind::ValidatingWebhookConfiguration);
    let hooks: Vec<(&Object, usize, &Value)> = configurations
        .flat_map(|object| {
            let all = object.list("/webhooks").iter().enumerate();
            all.filter(|(_, hook)| validates(hook)).map(move |(index, hook)| (object, index, hook))
        })
        .collect();
    let Some((first, _, _)) = hooks.first() else {
        if world.running(found) {
            found.finding(&VALIDATOR_ABSENT, nowhere(Kind::ValidatingWebhookConfiguration), []);
        }
        return;
    };
    let plain = hooks
        .iter()
        .find(|(_, _, hook)| selector::matches(hook.get("objectSelector"), |_| None) == Some(true));
    match plain {
        Some((object, index, _)) => {
            let by = Decider::of(object, format!("/webhooks/{index}/objectSelector"));
            found.saw_at("validator", &by, &*object.key().name);
        }
        None => {
            let by = Decider::of(first, "/webhooks/0/objectSelector");
            let args = [("validator", (&*first.key().name).into())];
            found.finding(&VALIDATOR_NARROW, by, args);
        }
    }
}

/// Istio's charts and `istioctl tag` call them `validation.istio.io` and `rev.validation.istio.io`.
fn validates(webhook: &Value) -> bool {
    let name = webhook.get("name").and_then(Value::as_str).unwrap_or("");
    name.strip_suffix("validation.istio.io")
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}

/// The place of something that is not there at all.
fn nowhere(kind: Kind) -> Decider {
    Decider {
        key: crate::object::Key::new(kind, "", "istio"),
        path: "".into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Why,
        judge::testing::{codes, judged, judged_running},
    };

    const ISTIOD: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: istiod, namespace: istio-system}\nspec: {ports: [{port: 443}]}\n";

    fn hooks(service: &str, validators: &[&str]) -> String {
        let mut yaml = format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: istio-sidecar-injector}}\n\
             webhooks: [{{name: namespace.sidecar-injector.istio.io, clientConfig: {{service: {{namespace: istio-system, name: {service}}}}}}}]\n{ISTIOD}"
        );
        for (index, selector) in validators.iter().enumerate() {
            yaml += &format!(
                "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: v{index}}}\n\
                 webhooks: [{{name: rev.validation.istio.io, objectSelector: {selector}}}]\n"
            );
        }
        yaml
    }

    const BY_REVISION: &str = "{matchExpressions: [{key: istio.io/rev, operator: In, values: [default]}]}";
    const BY_DEFAULT: &str = "{matchExpressions: [{key: istio.io/rev, operator: DoesNotExist}]}";

    #[test]
    fn a_webhook_must_lead_to_a_service() {
        let found = |yaml: &str| codes(&judged_running("injector_present", yaml));
        assert!(found(&hooks("istiod", &[BY_DEFAULT])).is_empty());
        assert_eq!(found(&hooks("istiod-gone", &[BY_DEFAULT])), ["injector-service-absent"]);
    }

    #[test]
    fn a_revisions_own_validator_lets_the_rest_through() {
        let found = |all: &[&str]| codes(&judged_running("injector_present", &hooks("istiod", all)));
        assert_eq!(found(&[BY_REVISION]), ["validator-narrow"]);
        assert!(found(&[BY_REVISION, BY_DEFAULT]).is_empty());
        assert!(found(&["{}"]).is_empty());
        assert_eq!(found(&[]), ["validator-absent"]);
    }

    #[test]
    fn files_seldom_hold_them_and_a_cluster_must() {
        let nothing = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
        let files = judged("injector_present", nothing);
        assert!(files.findings.is_empty());
        assert_eq!(files.unknown, [Why::NeedsCluster]);
        assert_eq!(
            codes(&judged_running("injector_present", nothing)),
            ["injector-absent", "validator-absent"]
        );
    }
}
