//! 1.3: an nginx of the application's own, which passes requests on by a configuration in a ConfigMap, goes the mesh's way: to the Service and not
//! out to the public name, under the Service's name, in HTTP/1.1.

use crate::{
    crossing::Item,
    judge::{
        Check, Code, Found, World,
        nginx::{LONGEST, Passed, passed},
        routes,
    },
    mesh::{Decider, host, injection::templates, subset::pods_of},
    object::{Kind, Object},
    traffic::ServiceId,
};
use std::collections::BTreeSet;

const ROUND: Code = Code::warning("frontend-nginx-round-mesh");
const OWN_HOST: Code = Code::warning("frontend-nginx-own-host");
const OLD_HTTP: Code = Code::warning("frontend-nginx-http-1-0");

pub(super) const CHECK: Check = Check {
    name: "frontend_nginx",
    item: Item::Entered,
    codes: &[&ROUND, &OWN_HOST, &OLD_HTTP],
    run,
};

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::ConfigMap));
    let public = public(world);
    for map in world.objects.of_kind(Kind::ConfigMap) {
        let data = map.get("/data").and_then(serde_json::Value::as_object);
        for (name, text) in data.into_iter().flatten() {
            let text = text.as_str().unwrap_or("");
            if !text.contains("proxy_pass") {
                continue;
            }
            let by = Decider::of(map, format!("/data/{}", name.replace('~', "~0").replace('/', "~1")));
            if text.len() > LONGEST {
                let bytes = text.len().to_string();
                found.saw_at("nginx-configuration-too-long", &by, bytes);
                continue;
            }
            let all = passed(text);
            if !all.is_empty() {
                found.saw_at("nginx-passes-on", &by, all.len().to_string());
            }
            for it in &all {
                judge(world, map, &public, it, &by, found);
            }
        }
    }
}

/// Names under which the system is asked for from outside, which lead in again by its edge.
fn public(world: &World<'_>) -> BTreeSet<String> {
    let edge = world.migration.as_ref().ok().and_then(|(_, it)| it.edge.as_ref());
    let declared = edge.into_iter().flat_map(|it| it.hosts.iter().cloned());
    let served = routes::served_hosts(world).into_iter();
    let served = served.filter(|it| host::service_of(it).is_none());
    declared.chain(served).map(|it| it.to_lowercase()).collect()
}

fn judge(world: &World<'_>, map: &Object, public: &BTreeSet<String>, it: &Passed, by: &Decider, found: &mut Found) {
    let own = it.sends_host.as_deref().filter(|_| !it.includes);
    let own = own.filter(|it| matches!(*it, "$host" | "${host}" | "$http_host" | "${http_host}" | "$server_name"));
    for target in &it.hosts {
        let outside = public.contains(target);
        let inside = service(world, target, &map.key().namespace)
            .filter(|id| pods_of(world.objects, id).iter().any(|(pod, _)| pod.sidecar.is_some()));
        if !outside && inside.is_none() {
            continue;
        }
        let args = || [("map", (&*map.key().name).into()), ("target", target.as_str().into())];
        if outside && !it.server_names.contains(target) {
            found.finding(&ROUND, by.clone(), args());
        }
        // At the edge the name decides; in the mesh it does where this nginx has a proxy of its own, which goes by the Host.
        let decides = outside || meshed_nginx(world, &map.key().namespace);
        if own.is_some() && decides && !it.server_names.contains(target) {
            let [map, target] = args();
            let sends = own.unwrap_or_default().to_owned();
            found.finding(&OWN_HOST, by.clone(), [map, target, ("sends", sends.into())]);
        }
        if it.http_version.as_deref().unwrap_or("1.0") == "1.0" && !it.includes {
            found.finding(&OLD_HTTP, by.clone(), args());
        }
    }
}

/// A Service by a name as pods of a namespace look it up.
fn service(world: &World<'_>, name: &str, namespace: &str) -> Option<ServiceId> {
    let id = |namespace: &str, name: &str| ServiceId {
        namespace: namespace.into(),
        name: name.into(),
    };
    let parts: Vec<&str> = name.split('.').collect();
    let id = match parts[..] {
        [name] => id(namespace, name),
        [name, namespace] | [name, namespace, "svc"] => id(namespace, name),
        _ => host::service_of(name)?,
    };
    world.objects.service(&id.namespace, &id.name)?;
    Some(id)
}

/// Whether nginx pods of the namespace have a proxy. Which of them mounts the ConfigMap is not kept, so that all must.
fn meshed_nginx(world: &World<'_>, namespace: &str) -> bool {
    let all = templates(world.objects);
    let mut nginx = all.iter().filter(|it| {
        &*it.owner.namespace == namespace && it.pod.containers.iter().any(|it| it.image.contains("nginx"))
    });
    let of = |owner: &crate::object::Key| {
        let mut pods = world.objects.pods.values();
        pods.any(|pod| {
            let (at, name) = crate::workload::workload_of(world.objects, pod);
            pod.sidecar.is_some() && (at, name) == (owner.namespace.clone(), owner.name.clone())
        })
    };
    let first = nginx.next();
    first.is_some_and(|it| of(&it.owner)) && nginx.all(|it| of(&it.owner))
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn world(label: &str, server: &str) -> String {
        format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example]}}}}\n---\n\
             apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{{label}}}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: api, namespace: shop}}\nspec: {{selector: {{app: api}}, ports: [{{name: http, port: 80}}]}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: api}}}}, spec: {{containers: [{{name: a, image: api}}]}}}}}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: front, namespace: shop}}\nspec: {{template: {{metadata: {{labels: {{app: front}}}}, spec: {{containers: [{{name: a, image: 'nginx:alpine'}}]}}}}}}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: front, namespace: shop}}\ndata:\n  default.conf: |\n    {server}\n"
        )
    }

    const IN_MESH: &str = "istio-injection: enabled";

    fn found(label: &str, server: &str) -> Vec<&'static str> {
        codes(&judged("frontend_nginx", &world(label, server)))
    }

    fn location(inner: &str) -> String {
        format!("server {{ server_name localhost; location /api {{ {inner} }} }}")
    }

    #[test]
    fn the_public_name_leads_round_the_mesh() {
        let guide = location("proxy_pass https://a.example; proxy_set_header Host $host;");
        assert_eq!(
            found("", &guide),
            [
                "frontend-nginx-http-1-0",
                "frontend-nginx-own-host",
                "frontend-nginx-round-mesh"
            ]
        );
        let named = location("proxy_pass https://a.example; proxy_http_version 1.1;");
        assert_eq!(found("", &named), ["frontend-nginx-round-mesh"]);
    }

    #[test]
    fn a_service_in_the_mesh_wants_its_own_name_and_http_1_1() {
        let own = location("proxy_pass http://api.shop.svc.cluster.local; proxy_set_header Host $host; proxy_http_version 1.1;");
        assert_eq!(found(IN_MESH, &own), ["frontend-nginx-own-host"]);
        assert_eq!(found(IN_MESH, &location("proxy_pass http://api:80/;")), ["frontend-nginx-http-1-0"]);
        let right = location("proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Host api.shop.svc.cluster.local;");
        assert!(found(IN_MESH, &right).is_empty());
    }

    #[test]
    fn outside_the_mesh_and_to_others_nothing_is_wrong() {
        let own = location("proxy_pass http://api; proxy_set_header Host $host;");
        assert!(found("", &own).is_empty());
        let others = location("proxy_pass https://www.example.org; proxy_set_header Host $host;");
        assert!(found(IN_MESH, &others).is_empty());
        let included = location("include proxy_params; proxy_pass http://api;");
        assert!(found(IN_MESH, &included).is_empty());
    }
}
