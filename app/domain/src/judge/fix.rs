//! How a finding is mended by edits of the object that it names. A check offers one only where it is safe: it says what the object's author has
//! meant, no request that is answered now goes elsewhere by it, and it can be taken back. Whether somebody wants it is for a plan to ask.

use super::{ALL, Check, Found, World};
use crate::{
    Name, Timestamp,
    mesh::Prepared,
    object::{Key, Object},
    snapshot::Objects,
};
use serde_json::Value;

/// One field as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// JSON pointer (RFC 6901) of a field that is there, or of one that its object can have.
    pub path: Name,
    /// What it should be; None to take it out.
    pub after: Option<Value>,
}

/// What mends a finding at a field of an object; None where nothing safe does, or where the field is no longer as it was found.
pub type Mend = fn(&Objects, &Object, &str) -> Option<Vec<Edit>>;

/// The edits for a finding of this code at a field of an object, if its check finds it there now: what somebody asks to be mended is not believed.
pub fn fix(objects: &Objects, code: &str, key: &Key, path: &str) -> Option<Vec<Edit>> {
    let object = objects.whole.get(key)?;
    let named = |check: &&Check| check.codes.iter().any(|it| it.name == code && it.mend.is_some());
    let check = ALL.iter().find(named)?;
    let world = World::of(objects, Prepared::of(objects), None, Timestamp::UNIX_EPOCH);
    let mut found = Found::default();
    (check.run)(&world, &mut found);
    let mut all = found.findings.iter();
    let (code, ..) = all.find(|(it, by, _)| it.name == code && by.key == *key && *by.path == *path)?;
    let mend = code.mend?;
    mend(objects, object, path).filter(|edits| !edits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::fix;
    use crate::{
        judge::{
            World, judge,
            testing::{now, objects},
        },
        object::{Key, Kind},
    };
    use serde_json::Value;

    type Edits = Vec<(String, Option<Value>)>;

    /// Of each finding of a code: where it is, and what mends it.
    fn fixes(code: &str, yaml: &str) -> Vec<(String, Option<Edits>)> {
        let objects = objects(yaml);
        let all = judge(&World::of_files(&objects, now()));
        let found = all
            .into_iter()
            .flat_map(|it| it.findings)
            .filter(|it| it.code.name == code);
        let told = found.map(|it| {
            // What a page was shown is what a plan finds.
            assert_eq!(it.fix, fix(&objects, code, &it.key, &it.path));
            let edits = it.fix.map(|all| {
                all.into_iter()
                    .map(|it| (it.path.to_string(), it.after))
                    .collect()
            });
            (it.path.to_string(), edits)
        });
        told.collect()
    }

    #[test]
    fn a_deprecated_name_is_replaced_by_its_new_one() {
        let rule = "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: r, namespace: shop}, \
                    spec: {host: a, trafficPolicy: {loadBalancer: {simple: LEAST_CONN}}}}";
        let path = "/spec/trafficPolicy/loadBalancer/simple";
        let expected = vec![(path.to_owned(), Some("LEAST_REQUEST".into()))];
        assert_eq!(
            fixes("balancing-deprecated", rule),
            [(path.to_owned(), Some(expected))]
        );
        // What is no longer so is not mended.
        let other = objects(&rule.replace("LEAST_CONN", "RANDOM"));
        let key = Key::new(Kind::DestinationRule, "shop", "r");
        assert_eq!(fix(&other, "balancing-deprecated", &key, path), None);
        assert_eq!(fix(&other, "no-such-code", &key, path), None);
        // Nor what is so elsewhere than where it is found.
        let elsewhere = objects(&rule.replace(
            "loadBalancer: {simple: LEAST_CONN}",
            "connectionPool: {http: {h2UpgradePolicy: LEAST_CONN}}",
        ));
        assert_eq!(
            fix(
                &elsewhere,
                "balancing-deprecated",
                &key,
                "/spec/trafficPolicy/connectionPool/http/h2UpgradePolicy"
            ),
            None
        );
    }

    #[test]
    fn a_fault_is_taken_out_whole_or_beside_another() {
        let route = |fault: &str| {
            format!(
                "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: r, namespace: shop}}, \
                 spec: {{hosts: [a], http: [{{fault: {fault}, route: [{{destination: {{host: a}}}}]}}]}}}}"
            )
        };
        let delay = "delay: {fixedDelay: 5s, percentage: {value: 5}}";
        let gone = |path: &str| Some(vec![(path.to_owned(), None)]);
        let (at, alone) = ("/spec/http/0/fault/delay", "/spec/http/0/fault");
        assert_eq!(
            fixes("fault-left", &route(&format!("{{{delay}}}"))),
            [(at.to_owned(), gone(alone))]
        );
        let both = format!("{{{delay}, abort: {{httpStatus: 503, percentage: {{value: 0}}}}}}");
        assert_eq!(fixes("fault-left", &route(&both)), [(at.to_owned(), gone(at))]);
        // What an abort refuses, nobody may have meant to let in.
        let abort = "{abort: {httpStatus: 403, percentage: {value: 100}}}";
        assert_eq!(
            fixes("fault-left", &route(abort)),
            [("/spec/http/0/fault/abort".to_owned(), None)]
        );
        // A finding's name does not open other fields.
        let objects = objects(&route(&format!("{{{delay}}}")));
        let key = Key::new(Kind::VirtualService, "shop", "r");
        for path in [
            "/spec/http/0/route",
            "/spec/hosts",
            "/spec/http/0/fault",
            "/spec/http/0/fault/delay/fixedDelay",
        ] {
            assert_eq!(fix(&objects, "fault-left", &key, path), None, "{path}");
        }
    }

    #[test]
    fn a_short_name_is_said_in_full_where_only_one_service_can_be_meant() {
        let route = "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: r, namespace: default}, spec: {hosts: [a.example], \
                     http: [{route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]}]}}";
        let service = |namespace: &str| {
            format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: {namespace}}}, spec: {{ports: [{{port: 80}}]}}}}"
            )
        };
        let one = fixes(
            "destination-elsewhere",
            &[route, &service("shop")].join("\n---\n"),
        );
        let full = |at: u32| {
            let path = format!("/spec/http/0/route/{at}/destination/host");
            (path, Some(Value::from("web.shop.svc.cluster.local")))
        };
        // Both places at once: to mend one alone would send all requests there.
        assert_eq!(one[0].1, Some(vec![full(0), full(1)]));
        let two = fixes(
            "destination-elsewhere",
            &[route, &service("shop"), &service("other")].join("\n---\n"),
        );
        assert_eq!(two[0].1, None);
    }
}
