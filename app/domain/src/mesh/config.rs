//! Mesh-wide configuration: `meshConfig`, as istiod reads it from ConfigMap `istio-system/istio`.

use super::{DOMAIN, ROOT_NAMESPACE};
use crate::{
    Name, Why,
    object::{Kind, Object},
    snapshot::Objects,
};
use serde_json::Value;

/// What the model needs of it. Fields that are absent have Istio's defaults (Istio reference, "Global Mesh Options").
#[derive(Clone, Debug, PartialEq)]
pub struct MeshConfig {
    /// `rootNamespace`: configuration there is the whole mesh's.
    pub root_namespace: Name,
    /// `trustDomain`: the first part of principals.
    pub trust_domain: Name,
    /// `trustDomainAliases`: as good as `trust_domain` in policies.
    pub trust_domain_aliases: Vec<Name>,
    /// `outboundTrafficPolicy.mode` is REGISTRY_ONLY: what the registry does not know is not let out.
    pub registry_only: bool,
    /// `enableAutoMtls`: clients use mutual TLS wherever the server has a proxy, unless a DestinationRule says otherwise.
    pub auto_mtls: bool,
    /// `defaultServiceExportTo`; empty means everywhere.
    pub service_export_to: Vec<Name>,
    /// `defaultVirtualServiceExportTo`; empty means everywhere.
    pub virtual_service_export_to: Vec<Name>,
    /// `defaultDestinationRuleExportTo`; empty means everywhere.
    pub destination_rule_export_to: Vec<Name>,
    /// Names of `extensionProviders` that can authorize (`envoyExtAuthzHttp`, `envoyExtAuthzGrpc`).
    pub authorizers: Vec<Name>,
    /// The whole, for what is rarely asked.
    pub json: Value,
    /// Why the defaults may not be what is in force: the ConfigMap is not known or cannot be read.
    pub gap: Option<Why>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self::read(&Value::Null)
    }
}

impl MeshConfig {
    /// From the ConfigMap among the objects. One that is not there means Istio's defaults; one that cannot be read is a gap.
    pub fn of(objects: &Objects) -> Self {
        let map = objects.object(Kind::ConfigMap, ROOT_NAMESPACE, "istio");
        let mut config = match map.map(Self::parse) {
            None => Self::default(),
            Some(Ok(config)) => config,
            Some(Err(why)) => Self {
                gap: Some(why),
                ..Self::default()
            },
        };
        if map.is_none() {
            config.gap = objects.gap(Kind::ConfigMap);
        }
        config
    }

    fn parse(map: &Object) -> Result<Self, Why> {
        let text = map.text("/data/mesh");
        if text.is_empty() {
            return Ok(Self::default());
        }
        match serde_saphyr::from_str::<Value>(text) {
            Ok(json @ (Value::Object(_) | Value::Null)) => Ok(Self::read(&json)),
            Ok(_) | Err(_) => Err(Why::NotJudged {
                what: "ConfigMap istio-system/istio: data.mesh".into(),
            }),
        }
    }

    /// From meshConfig itself.
    pub fn read(json: &Value) -> Self {
        let text = |pointer: &str, default: &str| -> Name {
            match json.pointer(pointer).and_then(Value::as_str) {
                Some(text) if !text.is_empty() => text.into(),
                _ => default.into(),
            }
        };
        let names = |pointer: &str| -> Vec<Name> {
            let list = json.pointer(pointer).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(Name::from)
                .collect()
        };
        let providers = json.get("extensionProviders").and_then(Value::as_array);
        let authorizes = |it: &&Value| {
            ["envoyExtAuthzHttp", "envoyExtAuthzGrpc"]
                .iter()
                .any(|kind| it.get(kind).is_some())
        };
        Self {
            root_namespace: text("/rootNamespace", ROOT_NAMESPACE),
            trust_domain: text("/trustDomain", DOMAIN),
            trust_domain_aliases: names("/trustDomainAliases"),
            registry_only: &*text("/outboundTrafficPolicy/mode", "ALLOW_ANY") == "REGISTRY_ONLY",
            auto_mtls: json
                .get("enableAutoMtls")
                .and_then(Value::as_bool)
                .unwrap_or(true),
            service_export_to: names("/defaultServiceExportTo"),
            virtual_service_export_to: names("/defaultVirtualServiceExportTo"),
            destination_rule_export_to: names("/defaultDestinationRuleExportTo"),
            authorizers: providers
                .into_iter()
                .flatten()
                .filter(authorizes)
                .filter_map(|it| it.get("name")?.as_str())
                .map(Name::from)
                .collect(),
            json: json.clone(),
            gap: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MeshConfig;
    use crate::{
        Why,
        fact::Fact,
        object::Kind,
        snapshot::{KindState, Objects},
    };
    use serde_json::json;

    fn objects(mesh: &str) -> Objects {
        let mut objects = Objects::default();
        let map = json!({"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": mesh}});
        objects.put(Fact::read(Kind::ConfigMap, map).unwrap());
        objects
    }

    #[test]
    fn what_is_absent_has_istios_default() {
        let config = MeshConfig::of(&objects(""));
        assert_eq!(config, MeshConfig::default());
        assert!(config.auto_mtls && !config.registry_only);
        assert_eq!(
            (&*config.trust_domain, &*config.root_namespace),
            ("cluster.local", "istio-system")
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let config = MeshConfig::of(&objects(
            "trustDomain: bank.example\ntrustDomainAliases: [old.example]\nenableAutoMtls: false\nrootNamespace: mesh\n\
             outboundTrafficPolicy: {mode: REGISTRY_ONLY}\ndefaultServiceExportTo: ['.']\n\
             extensionProviders:\n- {name: opa, envoyExtAuthzGrpc: {service: opa.opa.svc.cluster.local, port: 9191}}\n- {name: zipkin, zipkin: {}}\n",
        ));
        assert_eq!(&*config.trust_domain, "bank.example");
        assert_eq!(config.trust_domain_aliases, ["old.example".into()]);
        assert_eq!(&*config.root_namespace, "mesh");
        assert!(config.registry_only && !config.auto_mtls);
        assert_eq!(config.service_export_to, [".".into()]);
        assert_eq!(config.authorizers, ["opa".into()]);
        assert_eq!(config.gap, None);
    }

    #[test]
    fn what_cannot_be_read_is_a_gap_and_not_the_defaults() {
        for text in ["- a\n- b\n", "a: [", "7"] {
            let gap = MeshConfig::of(&objects(text)).gap;
            assert!(matches!(gap, Some(Why::NotJudged { .. })), "{text:?}: {gap:?}");
        }
        assert!(matches!(
            MeshConfig::of(&Objects::default()).gap,
            Some(Why::NotYet { .. })
        ));
        let mut known = Objects::default();
        known.kinds.insert(Kind::ConfigMap, KindState::Known);
        assert_eq!(MeshConfig::of(&known).gap, None);
    }
}
