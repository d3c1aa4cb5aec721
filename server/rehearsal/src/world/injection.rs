//! Whether Istio's injector takes a pod.

use crate::api::ObjectStore;
use naru_domain::{
    fact::{Fact, Namespace},
    mesh::{
        Mesh, Prepared,
        injection::{Injectors, Template, WillInject},
    },
    object::{Key, Kind, canonical},
    snapshot::{KindState, Objects},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The kinds that decide about injection.
const KINDS: [Kind; 3] = [
    Kind::Namespace,
    Kind::ConfigMap,
    Kind::MutatingWebhookConfiguration,
];

/// What was decided so far, by all that decides: a large system makes thousands of pods of few templates.
#[derive(Debug, Default)]
pub(super) struct Injector(Mutex<BTreeMap<String, bool>>);

impl Injector {
    /// As [`injected`], asked once for the same template under the same configuration.
    pub(super) fn takes(&self, store: &ObjectStore, namespace: &str, template: &Value) -> bool {
        let mut asked = format!("{namespace} {}", canonical(template));
        let home = store.object(&Key::new(Kind::Namespace, "", namespace));
        asked.extend(home.iter().map(|it| format!(" {}", it.resource_version())));
        for kind in [Kind::ConfigMap, Kind::MutatingWebhookConfiguration] {
            for (key, json) in store.list(kind, None) {
                let version = json.pointer("/metadata/resourceVersion").and_then(Value::as_str);
                asked.push_str(&format!(" {key} {}", version.unwrap_or("")));
            }
        }
        // A word is put in whole; nobody panics meanwhile.
        let known = |it: &Self| {
            it.0.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&asked)
                .copied()
        };
        if let Some(word) = known(self) {
            return word;
        }
        let word = injected(store, namespace, template);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(asked, word);
        word
    }
}

/// Whether a pod of this template gets a sidecar in this namespace, by the webhooks and injectors that are in the store, as the mesh model
/// reads them. Where it does not judge, there is no sidecar.
fn injected(store: &ObjectStore, namespace: &str, template: &Value) -> bool {
    let mut objects = Objects::default();
    for kind in KINDS {
        objects.kinds.insert(kind, KindState::Known);
    }
    let place = Key::new(Kind::Namespace, "", namespace);
    let home = store
        .object(&place)
        .and_then(|it| Fact::read(Kind::Namespace, it.json().clone()).ok());
    let Some(Fact::Namespace(home)) = home else {
        return false;
    };
    let whole = [Kind::ConfigMap, Kind::MutatingWebhookConfiguration];
    for (key, json) in whole.into_iter().flat_map(|kind| store.list(kind, None)) {
        if let Ok(fact) = Fact::read(key.kind, (*json).clone()) {
            objects.put(fact);
        }
    }
    // Of meshConfig injectors read nothing.
    let mesh = Mesh::with(&objects, Prepared::default());
    taken(&mesh, &home, template)
}

fn taken(mesh: &Mesh<'_>, home: &Namespace, template: &Value) -> bool {
    let mut metadata = template.get("metadata").cloned().unwrap_or_else(|| json!({}));
    metadata["name"] = "it".into();
    metadata["namespace"] = home.name.as_ref().into();
    let spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    let pod = Fact::read(Kind::Pod, json!({"metadata": metadata, "spec": spec}));
    let pod = match pod {
        Ok(Fact::Pod(pod)) => pod.template.clone(),
        _ => None,
    };
    let template = Template {
        owner: Key::new(Kind::Pod, home.name.clone(), "it"),
        at: "",
        pod: pod.unwrap_or_else(|| Arc::new(naru_domain::fact::PodTemplate::read(&Value::Null))),
        owner_inject: None,
    };
    matches!(
        Injectors::of(mesh).decide(home, &template),
        WillInject::Yes { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::injected;
    use crate::{ManualClock, api::ObjectStore, world::istio};
    use jiff::Timestamp;
    use naru_domain::object::{Key, Kind};
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn store() -> ObjectStore {
        let store = ObjectStore::new(Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH)), 8);
        for (kind, json) in istio::installed() {
            store.load(kind, json, "test").unwrap();
        }
        store
    }

    fn home(store: &ObjectStore, name: &str, labels: &Value) {
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        store.load(Kind::Namespace, namespace, "test").unwrap();
    }

    #[test]
    fn labels_of_namespace_and_pod_decide_as_the_webhooks_select() {
        let store = store();
        let (enabled, revision) = ("istio-injection", "istio.io/rev");
        let inject = "sidecar.istio.io/inject";
        for (n, (labels, pod, expected)) in [
            (json!({}), json!({}), false),
            (json!({enabled: "enabled"}), json!({}), true),
            (json!({enabled: "enabled"}), json!({inject: "false"}), false),
            (json!({enabled: "disabled"}), json!({inject: "true"}), false),
            (json!({}), json!({inject: "true"}), true),
            (json!({revision: "default"}), json!({}), true),
            (json!({revision: "canary"}), json!({inject: "true"}), false),
            (json!({}), json!({revision: "default"}), true),
            (json!({}), json!({revision: "canary", inject: "true"}), false),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("n{n}");
            home(&store, &name, &labels);
            let template = json!({"metadata": {"labels": pod}});
            assert_eq!(injected(&store, &name, &template), expected, "{labels} {pod}");
        }
        // An annotation calls no proxy.
        let annotated = json!({"metadata": {"annotations": {inject: "true"}}});
        assert!(!injected(&store, "n0", &annotated));
    }

    #[test]
    fn what_the_injector_itself_decides_counts_too() {
        let store = store();
        home(&store, "n", &json!({"istio-injection": "enabled"}));
        let refuses = json!({"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}});
        assert!(!injected(&store, "n", &refuses), "an annotation keeps one away");
        assert!(!injected(&store, "n", &json!({"spec": {"hostNetwork": true}})));
        let config = |text: &str| {
            let map = json!({"metadata": {"name": "istio-sidecar-injector", "namespace": "istio-system"}, "data": {"config": text}});
            store.load(Kind::ConfigMap, map, "test").unwrap();
        };
        config("policy: disabled");
        assert!(!injected(&store, "n", &json!({})));
        config("policy: enabled");
        assert!(injected(&store, "n", &json!({})));
        config("[");
        assert!(
            !injected(&store, "n", &json!({})),
            "what is not judged injects nothing"
        );
    }

    #[test]
    fn without_a_webhook_or_a_namespace_nothing_is_injected() {
        let store = store();
        assert!(!injected(&store, "nowhere", &json!({})));
        home(&store, "n", &json!({"istio-injection": "enabled"}));
        assert!(injected(&store, "n", &json!({})));
        store.delete(&Key::new(
            Kind::MutatingWebhookConfiguration,
            "",
            "istio-sidecar-injector",
        ));
        assert!(!injected(&store, "n", &json!({})));
    }
}
