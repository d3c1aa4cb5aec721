//! 1.1: the mesh's own configuration can be read, so that nothing is judged by defaults that are not in force.

use crate::{
    Why,
    crossing::Item,
    judge::{Check, Found, World, control_plane::operators},
    mesh::ROOT_NAMESPACE,
    object::Kind,
};

pub(super) const CHECK: Check = Check {
    name: "mesh_config",
    item: Item::Installed,
    codes: &[],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    if let Some(why) = &world.mesh.config.gap {
        found.unknown(why.clone());
        return;
    }
    match world.objects.object(Kind::ConfigMap, ROOT_NAMESPACE, "istio") {
        Some(map) => found.saw("mesh-config", map, "/data/mesh", "istio-system/istio"),
        None if !world.running => {
            for operator in operators(world) {
                found.saw("mesh-config", operator, "/spec/meshConfig", &*operator.key().name);
            }
            let _known = world.running(found);
        }
        // A revision's istiod reads a ConfigMap of its own name, which is not looked at.
        None => found.unknown(Why::NotObserved {
            what: "ConfigMap istio-system/istio".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::judged;

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let map = |mesh: &str| {
            let yaml = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata: {{mesh: '{mesh}'}}\n"
            );
            let found = judged("mesh_config", &yaml);
            (found.facts.len(), found.unknown.len())
        };
        assert_eq!(map("trustDomain: a"), (1, 0));
        assert_eq!(map("- a"), (0, 1));
        let none = judged("mesh_config", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
        assert_eq!((none.facts.len(), none.unknown.len()), (0, 1));
    }
}
