//! 1.3: what the old controller does by annotations and the way through the gateway loses, or takes in another sense (ingress-nginx documentation,
//! "Annotations").

use crate::{
    crossing::{Item, migration::Tls},
    judge::{Check, Code, Found, World, edge},
    object::Kind,
};

const CHANGES: Code = Code::warning("ingress-annotation-changes");
const LEFT: Code = Code::warning("ingress-annotation-left-behind");

pub(super) const CHECK: Check = Check {
    name: "ingress_annotations_lost",
    item: Item::Entered,
    codes: &[&CHANGES, &LEFT],
    run,
};

/// They are about the backend, which is the gateway then: sessions stick to a gateway's pod, requests arrive under another path or host.
const CHANGING: [&str; 12] = [
    "affinity",
    "app-root",
    "canary",
    "canary-by-cookie",
    "canary-by-header",
    "canary-weight",
    "load-balance",
    "rewrite-target",
    "service-upstream",
    "upstream-hash-by",
    "upstream-vhost",
    "x-forwarded-prefix",
];

/// They hold as long as requests pass this Ingress: a gateway that takes them by itself, or gets them as bytes, has no such.
const LEAVING: [&str; 23] = [
    "auth-secret",
    "auth-signin",
    "auth-snippet",
    "auth-tls-secret",
    "auth-type",
    "auth-url",
    "configuration-snippet",
    "custom-http-errors",
    "denylist-source-range",
    "enable-cors",
    "enable-modsecurity",
    "force-ssl-redirect",
    "global-rate-limit",
    "limit-connections",
    "limit-rpm",
    "limit-rps",
    "permanent-redirect",
    "proxy-body-size",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "server-snippet",
    "temporal-redirect",
    "whitelist-source-range",
];

fn run(world: &World<'_>, found: &mut Found) {
    found.unknowns(world.objects.gap(Kind::Ingress));
    let Some(edge) = world.declared(found, "edge", |it| it.edge.as_ref()) else {
        return;
    };
    for host in &edge.hosts {
        for (ingress, _) in edge::ingresses(world, host) {
            let mut any = false;
            for (names, code) in [(&CHANGING[..], &CHANGES), (&LEAVING[..], &LEFT)] {
                for name in names {
                    let Some(value) = edge::nginx(ingress, name) else {
                        continue;
                    };
                    any = true;
                    // Bytes that are passed on are not looked into: all of them are without effect already.
                    let passed = edge.tls == Some(Tls::Passthrough);
                    if switched_off(value) || (!passed && harmless(name, value, host)) {
                        continue;
                    }
                    let args = [
                        ("ingress", (&*ingress.name).into()),
                        ("annotation", (*name).into()),
                        ("host", (&**host).into()),
                    ];
                    found.finding(code, edge::nginx_at(ingress, name), args);
                }
            }
            if !any {
                let by = edge::at(ingress, "/metadata/annotations");
                found.saw_at("ingress-annotations", &by, ingress.annotations.len().to_string());
            }
        }
    }
}

fn switched_off(value: &str) -> bool {
    matches!(value.trim(), "" | "false" | "off")
}

/// A host or path that is what it would be anyway.
fn harmless(name: &str, value: &str, host: &str) -> bool {
    match name {
        "upstream-vhost" => value == host,
        "rewrite-target" => value == "/$0",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{codes, judged};

    fn found(host: &str, annotations: &str) -> Vec<&'static str> {
        let yaml = format!(
            "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {{name: m}}\nspec: {{edge: {{hosts: [a.example]}}}}\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: shop, annotations: {{{annotations}}}}}\nspec: {{ingressClassName: nginx, rules: [\
             {{host: {host}, http: {{paths: [{{path: /, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}}}]}}\n"
        );
        codes(&judged("ingress_annotations_lost", &yaml))
    }

    #[test]
    fn annotations_in_use_are_named() {
        let it = |name: &str, value: &str| found("a.example", &format!("nginx.ingress.kubernetes.io/{name}: '{value}'"));
        assert_eq!(it("affinity", "cookie"), ["ingress-annotation-changes"]);
        assert_eq!(it("auth-url", "http://auth"), ["ingress-annotation-left-behind"]);
        assert_eq!(it("limit-rps", "50"), ["ingress-annotation-left-behind"]);
        for (name, value) in [
            ("enable-cors", "false"),
            ("upstream-vhost", "a.example"),
            ("backend-protocol", "HTTPS"),
            ("proxy-ssl-name", "a.example"),
            ("ssl-redirect", "true"),
        ] {
            assert!(it(name, value).is_empty(), "{name}");
        }
    }

    #[test]
    fn other_hosts_are_not_asked() {
        assert!(found("b.example", "nginx.ingress.kubernetes.io/affinity: cookie").is_empty());
        // A wildcard stands for the host too.
        assert_eq!(
            found("'*.example'", "nginx.ingress.kubernetes.io/affinity: cookie"),
            ["ingress-annotation-changes"]
        );
    }
}
