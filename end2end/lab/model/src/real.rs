//! The mesh's side: what real proxies do with a case, and how it is known that they have heard of it.

mod call;
mod dump;
mod http;
mod kubectl;
mod made;

pub use kubectl::Kubectl;
pub use made::{objects as made_for, pod_to_be};

use crate::{Answer, Asks, By, Case, Document, place, standing::text};
use anyhow::{Context, Result, bail};
use call::{Got, Wanted};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A lab that is up, with the cases' system on it.
#[derive(Debug)]
pub struct Lab {
    kubectl: Kubectl,
    /// The objects that all cases stand on.
    pub standing: Vec<Value>,
    markers: u32,
}

/// What runs a peer, sidecars first; a push of istiod's goes to all of them.
const MESHED: [(&str, &str); 6] = [
    ("case-a", "caller"),
    ("case-a", "echo-v1"),
    ("case-b", "caller"),
    ("case-b", "echo-v1"),
    ("case-b", "echo-v2"),
    ("case-b", "solo"),
];

/// Kinds of which the model reads all there are.
const KINDS: &str = "namespaces,pods,services,endpointslices,deployments,replicasets,mutatingwebhookconfigurations,\
    gateways.networking.istio.io,virtualservices,destinationrules,serviceentries,workloadentries,sidecars,envoyfilters,\
    wasmplugins,peerauthentications,authorizationpolicies,requestauthentications,httproutes,referencegrants,gateways.gateway.networking.k8s.io";

/// Kinds that cases bring.
const CASE_KINDS: &str = "gateways.networking.istio.io,virtualservices,destinationrules,serviceentries,sidecars,\
    peerauthentications,authorizationpolicies,httproutes,referencegrants,gateways.gateway.networking.k8s.io";

/// What a case has put in carries it.
const LABEL: &str = "naru.dev/lab-case";

const MARKER: &str = "marker.case.test";

impl Lab {
    /// Reads what stands in the cluster.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn connect(kubectl: Kubectl) -> Result<Self> {
        let mut lab = Self {
            kubectl,
            standing: Vec::new(),
            markers: 0,
        };
        // What a run that was ended has left behind.
        lab.kubectl.forget(LABEL, CASE_KINDS)?;
        // The marker is among what stands; it is never a case's.
        lab.mark()?;
        let all = lab.kubectl.get(&["get", "-A", KINDS])?;
        let maps = lab.kubectl.get(&[
            "-n",
            "istio-system",
            "get",
            "configmaps",
            "istio",
            "istio-sidecar-injector",
        ])?;
        lab.standing = all.into_iter().chain(maps).collect();
        lab.await_marker()?;
        Ok(lab)
    }

    /// Puts objects in, and waits until every proxy of the cases has them. Returns them as they are stored.
    ///
    /// # Errors
    /// The API server or a webhook refuses one, or a proxy does not hear of them in time.
    pub fn put(&mut self, objects: &[Value]) -> Result<Vec<Value>> {
        let labelled: Vec<Value> = objects
            .iter()
            .map(|it| {
                let mut it = it.clone();
                it["metadata"]["labels"][LABEL] = json!("true");
                it
            })
            .collect();
        let stored = self.kubectl.apply(&labelled)?;
        self.mark()?;
        self.await_marker()?;
        Ok(stored)
    }

    /// Takes objects away; the next marker tells when that is in force.
    ///
    /// # Errors
    /// The API server does not.
    pub fn take(&self, objects: &[Value]) -> Result<()> {
        self.kubectl.delete(objects)
    }

    /// What the mesh says.
    ///
    /// # Errors
    /// A peer or the API server does not answer.
    pub fn ask(&self, document: &Document, case: &Case) -> Result<Answer> {
        match (document.asks, document.by) {
            (Asks::Injection, _) | (_, By::DryRun) => self.admitted(case),
            (_, By::Dump) => self.dumped(document, case),
            (Asks::Protocol, _) => self.protocol(document, case),
            (Asks::Host, _) => self.named(document, case),
            (Asks::Mtls, _) if case.expect.contains_key("mode") => self.mode(document, case),
            // The rule that sends to the subset is found by a name of its own.
            (Asks::Subset, By::Request) => {
                let mut asked = case.clone();
                asked.host = made::host_of(document, case);
                self.settled(document, &asked)
            }
            _ => self.settled(document, case),
        }
    }

    /// A VirtualService with an answer of its own, new each time: a proxy that gives it has had a push from after the case's objects.
    fn mark(&mut self) -> Result<()> {
        self.markers += 1;
        let body = format!("{}-{}", std::process::id(), self.markers);
        let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "case-marker", "namespace": "case-a"},
            "spec": {"hosts": [MARKER], "gateways": ["mesh", "case-gateway/marker"],
                "http": [{"directResponse": {"status": 200, "body": {"string": body}}}]}});
        self.kubectl.apply(&[route]).map(drop)
    }

    fn await_marker(&mut self) -> Result<()> {
        let body = format!("{}-{}", std::process::id(), self.markers);
        let pods = &self.standing;
        let port = |address: String, port: u16| format!("{address}:{port}");
        let solo = pods.iter().find(|it| {
            it["kind"] == "Service"
                && it["metadata"]["namespace"] == "case-b"
                && it["metadata"]["name"] == "solo"
        });
        let solo = port(
            text(solo.context("no Service solo")?, "/spec/clusterIP").to_owned(),
            80,
        );
        let gateway = port(
            place::pod_address(pods, place::GATEWAY.0, place::GATEWAY.1)?,
            8099,
        );
        let mut asked: Vec<(String, String)> = Vec::new();
        for (namespace, workload) in MESHED {
            asked.push((place::pod_address(pods, namespace, workload)?, solo.clone()));
        }
        asked.push((place::pod_address(pods, "case-plain", "caller")?, gateway));
        let end = Instant::now() + Duration::from_secs(20);
        for (peer, address) in asked {
            let wanted = Wanted {
                address,
                host: MARKER.into(),
                ..Wanted::default()
            };
            loop {
                let got = call::call(&peer, &wanted)?;
                if got.first().is_some_and(|it| it.body == body) {
                    break;
                }
                if Instant::now() > end {
                    bail!("the proxy at {peer} has not heard of the case's objects in 20 s");
                }
                pause(50);
            }
        }
        // Objects of kinds that istiod turns into others first (the Gateway API's) may come one push later.
        pause(300);
        Ok(())
    }

    /// The answer when it has settled: a pooled connection may still serve one request under the policy before this one, so some
    /// requests go ahead, and then two answers in a row must be the same.
    fn settled(&self, document: &Document, case: &Case) -> Result<Answer> {
        let n = match &case.expect["gets"] {
            Value::Object(_) => 300,
            Value::Array(_) => 24,
            _ => 2,
        };
        self.calls(document, case, 4)?;
        let mut before = self.calls(document, case, n)?;
        for _ in 0..8 {
            pause(150);
            let answer = self.calls(document, case, n)?;
            if answer.differs(&before).is_empty() {
                return Ok(answer);
            }
            before = answer;
        }
        bail!("the mesh's answer does not settle: {}", before.line())
    }

    fn calls(&self, document: &Document, case: &Case, n: u32) -> Result<Answer> {
        let place = place::of(&self.standing, document, case)?;
        let mut wanted = Wanted::of(case, &place);
        wanted.n = n;
        let mark = format!("{}-{}-{}", std::process::id(), self.markers, case.name);
        let mirrored = case.expect.contains_key("mirrors");
        if mirrored {
            wanted.headers.insert("mark".into(), mark.clone());
        }
        let from = if document.from(case).is_empty() {
            "case-plain/caller"
        } else {
            document.from(case)
        };
        let got = call::call(&self.peer(from)?, &wanted)?;
        let mut answer = call::answer(&got, case);
        if mirrored {
            pause(300);
            let mirrors = self.mirrors(&mark, &answer)?;
            answer = answer.with("mirrors", mirrors);
        }
        Ok(answer)
    }

    /// Services whose pods have seen the mark without answering.
    fn mirrors(&self, mark: &str, answer: &Answer) -> Result<Vec<Value>> {
        let mut hosts = Vec::new();
        for (namespace, workload) in MESHED {
            let name = format!("{namespace}/{workload}");
            let peer = place::pod_address(&self.standing, namespace, workload)?;
            let counts: Value = serde_json::from_str(&http::get(&peer, "/counts")?)?;
            if counts["by"]["mark"][mark].as_i64().unwrap_or(0) > 0 && !answer.gets.contains_key(&name) {
                hosts.push(json!(format!(
                    "{}.{namespace}.svc.cluster.local",
                    text(&counts, "/service")
                )));
            }
        }
        hosts.dedup();
        Ok(hosts)
    }

    /// Whether HTTP is read there (a rule for a path takes the request), whether other bytes pass, and what the workload is spoken to in.
    fn protocol(&self, document: &Document, case: &Case) -> Result<Answer> {
        let place = place::of(&self.standing, document, case)?;
        let peer = self.peer(document.from(case))?;
        let one = |path: &str, protocol: &str| -> Result<Got> {
            let mut wanted = Wanted::of(case, &place);
            path.clone_into(&mut wanted.path);
            protocol.clone_into(&mut wanted.protocol);
            let got = call::call(&peer, &wanted)?;
            got.into_iter().next().context("no answer to a call")
        };
        let ruled = one(made::READ, "http")?.status == made::READS;
        let bytes = one("/", "tcp")?.failed.is_empty();
        let reads = match (ruled, bytes) {
            (true, false) => "http",
            (true, true) => "sniffed",
            (false, true) => "no",
            (false, false) => "nothing passes",
        };
        let http2 = one("/", "http")?.saw("/protocol") == "HTTP/2.0";
        Ok(Answer::fact("reads", reads).with("http2", http2))
    }

    /// Who answers to a name written in a rule.
    fn named(&self, document: &Document, case: &Case) -> Result<Answer> {
        let mut asked = case.clone();
        asked.expect.insert("gets".into(), json!([]));
        asked.host = made::host_of(document, case);
        let answer = self.settled(document, &asked)?;
        let mut services: Vec<String> = answer
            .gets
            .keys()
            .map(|it| match it.as_str() {
                "503" => "absent".to_owned(),
                // A peer is called as its service is, with its version behind.
                workload => workload.split("-v").next().unwrap_or(workload).to_owned(),
            })
            .collect();
        services.dedup();
        Ok(Answer::fact("names", services.join(", ")))
    }

    /// The mode, by who is let in how.
    fn mode(&self, document: &Document, case: &Case) -> Result<Answer> {
        let asked = |from: &str| -> Result<Answer> {
            let mut asked = case.clone();
            from.clone_into(&mut asked.from);
            asked.expect = serde_json::Map::from_iter([("gets".to_owned(), json!([]))]);
            self.settled(document, &asked)
        };
        let plain = asked("case-plain/caller")?;
        let meshed = asked("case-a/caller")?;
        let let_in = |answer: &Answer| answer.gets.keys().all(|it| it.contains('/'));
        let mutual = meshed.facts.get("mutual").and_then(Value::as_bool);
        Ok(Answer::fact(
            "mode",
            match (let_in(&plain), let_in(&meshed), mutual) {
                (false, true, Some(true)) => json!("strict"),
                (true, true, Some(true)) => json!("permissive"),
                (true, true, Some(false)) => json!("disable"),
                _ => json!(format!("plaintext: {}, meshed: {}", plain.line(), meshed.line())),
            },
        ))
    }

    fn dumped(&self, document: &Document, case: &Case) -> Result<Answer> {
        let peer = self.peer(document.from(case))?;
        let place = place::of(&self.standing, document, case)?;
        let dump: Value = serde_json::from_str(&http::get(
            &peer,
            "/envoy/config_dump?resource=dynamic_active_clusters",
        )?)?;
        let name = format!("outbound|{}|{}|{}", place.port, case.subset, place.name);
        Ok(dump::policy(&dump, &name))
    }

    fn admitted(&self, case: &Case) -> Result<Answer> {
        let pod = self.kubectl.dry_run(&pod_to_be(&case.pod))?;
        let named = |list: &str| {
            pod["spec"][list]
                .as_array()
                .is_some_and(|all| all.iter().any(|it| it["name"] == "istio-proxy"))
        };
        Ok(Answer::fact(
            "injected",
            named("initContainers") || named("containers"),
        ))
    }

    fn peer(&self, path: &str) -> Result<String> {
        let (namespace, workload) = place::split(path)?;
        place::pod_address(&self.standing, namespace, workload)
    }
}

/// The lab's clock is the real one.
#[expect(clippy::disallowed_methods, reason = "real proxies take real time")]
fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}
