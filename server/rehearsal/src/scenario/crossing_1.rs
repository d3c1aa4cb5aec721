//! Phase 1 of the guide: people's requests go through Istio's gateway, and they notice nothing.

use super::{
    Scenario,
    before::at_the_edge,
    build::{gateway, ingress, routes, routes_of},
};
use crate::{
    api::ObjectStore,
    run::Look,
    story::{Ends, Goal, Harm, Hint, Move, Play, Step, Story},
    world::{
        guide::{HOST, before},
        hands::{apply, delete},
    },
};
use naru_domain::object::Kind;
use serde_json::{Value, json};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crossing-1",
    objects: before,
    demand: at_the_edge,
    story: Some(&STORY),
};

/// The Ingress leads to Istio's gateway.
fn moved(look: &Look<'_>) -> bool {
    look.ingress(HOST)
        .is_some_and(|it| &*it.name == "istio-ingressgateway")
}

/// The VirtualService is for this host, at this gateway.
fn bound(look: &Look<'_>) -> bool {
    let routes = look.object(Kind::VirtualService, "default", "sangsang-vs");
    routes.is_some_and(|it| {
        let has = |list: &str, wanted: &str| it.list(list).contains(&Value::from(wanted));
        has("/spec/hosts", HOST) && has("/spec/gateways", "sangsang-gateway")
    })
}

fn gated(look: &Look<'_>) -> bool {
    look.object(Kind::Gateway, "default", "sangsang-gateway")
        .is_some()
}

/// An Ingress names a Service beside it, so that the old one has to go.
fn lead(store: &ObjectStore, port: u16) {
    delete(store, Kind::Ingress, "default", "sangsang");
    apply(store, ingress("istio-system", "istio-ingressgateway", port));
}

const STORY: Story = Story {
    starts: "2026-11-23T01:10:00Z",
    minutes: 60,
    goals: &[
        Goal::now("gateway", gated),
        Goal::now("routes", bound),
        Goal::once("certificate", |it| it.did("credential-gateway")),
        Goal::now("moved", |it| {
            moved(it)
                && it.led(
                    "people",
                    "istio-ingressgateway",
                    "sangsang-plus-gateway",
                    120,
                    0.99,
                )
        })
        .held(120),
    ],
    harms: &[
        Harm {
            name: "users-harmed",
            done: |it| it.wronged() >= 100,
        },
        Harm {
            name: "no-certificate",
            done: |it| {
                let last = it.latest(&["ingress", "ingress-tls", "ingress-back"]);
                last == Some("ingress-tls") && moved(it) && !it.did("credential-gateway")
            },
        },
    ],
    events: &[],
    hints: &[
        Hint {
            name: "take-back",
            when: |it| moved(it) && it.wronged() > 0,
        },
        Hint {
            name: "gateway",
            when: |it| !gated(it),
        },
        Hint {
            name: "routes",
            when: |it| !bound(it),
        },
        Hint {
            name: "certificate",
            when: |it| !it.met("certificate"),
        },
        Hint {
            name: "move",
            when: |it| !moved(it),
        },
        Hint {
            name: "hold",
            when: |_| true,
        },
    ],
    moves: &[
        Move {
            name: "credential-default",
            command: "kubectl create secret tls -n default oauth-buildingbite-com-tls --cert=tls.crt --key=tls.key",
            offered: |it| !it.did("credential-default"),
            does: |_| {},
        },
        Move {
            name: "routes-mesh",
            command: "kubectl apply -n default -f virtual-service-without-gateways.yaml",
            offered: |it| !it.did("routes-mesh") && !bound(it),
            does: |it| apply(it, routes_of(&json!([HOST]), &Value::Null)),
        },
        Move {
            name: "ingress-tls",
            command: "kubectl replace -n istio-system -f ingress-to-gateway-443.yaml",
            offered: |it| it.latest(&["ingress", "ingress-tls", "ingress-back"]) != Some("ingress-tls"),
            does: |it| lead(it, 443),
        },
        Move {
            name: "gateway",
            command: "kubectl apply -n default -f gateway.yaml",
            offered: |it| !gated(it),
            does: |it| apply(it, gateway()),
        },
        Move {
            name: "ingress",
            command: "kubectl replace -n istio-system -f ingress-to-gateway-80.yaml",
            offered: |it| it.latest(&["ingress", "ingress-tls", "ingress-back"]) != Some("ingress"),
            does: |it| lead(it, 80),
        },
        Move {
            name: "routes-other-host",
            command: "kubectl apply -n default -f virtual-service-for-app.buildingbite.com.yaml",
            offered: |it| !it.did("routes-other-host") && !bound(it),
            does: |it| {
                apply(
                    it,
                    routes_of(&json!(["app.buildingbite.com"]), &json!(["sangsang-gateway"])),
                )
            },
        },
        Move {
            name: "credential-gateway",
            command: "kubectl create secret tls -n istio-system oauth-buildingbite-com-tls --cert=tls.crt --key=tls.key",
            offered: |it| !it.did("credential-gateway"),
            does: |_| {},
        },
        Move {
            name: "routes",
            command: "kubectl apply -n default -f virtual-service.yaml",
            offered: |it| !bound(it),
            does: |it| apply(it, routes()),
        },
        Move {
            name: "ingress-back",
            command: "kubectl replace -n default -f ingress-before.yaml",
            offered: moved,
            does: |it| {
                delete(it, Kind::Ingress, "istio-system", "sangsang");
                apply(it, ingress("default", "sangsang-plus-gateway", 8080));
            },
        },
    ],
    plays: &[
        Play {
            name: "from-the-inside-out",
            steps: &[
                (30, Step::Move("credential-gateway")),
                (60, Step::Move("gateway")),
                (90, Step::Move("routes")),
                (180, Step::Move("ingress")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "encrypted-to-the-gateway",
            steps: &[
                (30, Step::Move("credential-gateway")),
                (60, Step::Move("gateway")),
                (90, Step::Move("routes")),
                (180, Step::Move("ingress-tls")),
            ],
            ends: Ends::Won,
        },
        Play {
            name: "no-gateway-named",
            steps: &[
                (60, Step::Move("gateway")),
                (90, Step::Move("routes-mesh")),
                (180, Step::Move("ingress")),
            ],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "another-host",
            steps: &[
                (60, Step::Move("gateway")),
                (90, Step::Move("routes-other-host")),
                (180, Step::Move("ingress")),
            ],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "ingress-first",
            steps: &[(30, Step::Move("ingress"))],
            ends: Ends::Lost("users-harmed"),
        },
        Play {
            name: "certificate-elsewhere",
            steps: &[
                (30, Step::Move("credential-default")),
                (60, Step::Move("gateway")),
                (90, Step::Move("routes")),
                (180, Step::Move("ingress-tls")),
            ],
            ends: Ends::Lost("no-certificate"),
        },
    ],
    away: &[],
};
