//! What rules do at a gateway, by the same model that sidecars' rules are read with.

use super::choose::{Asked, Rules};
use crate::{
    Why,
    mesh::{
        Mesh, Proxy,
        route::{
            Choice, Request,
            action::{self, Taken},
            bound,
            matching::{self, Fit, Seen},
            scope::{self, Known, Scope},
        },
    },
};
use serde_json::Value;
use std::sync::Arc;

/// Rules as this proxy has them.
pub(super) struct Own<'a> {
    mesh: &'a Mesh<'a>,
    proxy: &'a Proxy,
    scope: Arc<Scope>,
}

impl<'a> Own<'a> {
    pub(super) fn of(mesh: &'a Mesh<'a>, proxy: &'a Proxy) -> Self {
        let scope = scope::of(mesh, proxy);
        Self { mesh, proxy, scope }
    }

    fn seen<'s>(&'s self, asked: Asked<'s>, request: &'s Request) -> Seen<'s> {
        Seen {
            request,
            proxy: self.proxy,
            port: asked.port,
            gateway: asked.gateway,
            scheme: if asked.tls { "https" } else { "http" },
        }
    }
}

impl Rules for Own<'_> {
    fn takes(
        &self,
        asked: Asked<'_>,
        entry: Option<&Value>,
        request: &Request,
    ) -> (bool, Result<bool, Vec<Why>>) {
        let Some(entry) = entry else {
            return (true, Ok(true));
        };
        let seen = self.seen(asked, request);
        let concerns = matching::concerns(entry, &seen, &asked.virtual_service.key().namespace);
        let subnets = entry.get("destinationSubnets").and_then(Value::as_array);
        let fits = match asked.list {
            "http" => match matching::fits(entry, &seen) {
                Fit::Yes => Ok(true),
                Fit::No => Ok(false),
                Fit::Unknown(why) => Err(vec![why]),
            },
            // The server name was looked at where the filter chain was chosen.
            _ if subnets.is_none_or(Vec::is_empty) => Ok(true),
            _ => Err(vec![Why::NotJudged {
                what: "match.destinationSubnets at a gateway".into(),
            }]),
        };
        (concerns, fits)
    }

    fn act(&self, asked: Asked<'_>, request: &Request) -> Choice {
        let object = asked.virtual_service;
        let rule = bound::resolved(asked.rule, &object.key().namespace);
        let blocks = rule.get("match").and_then(Value::as_array);
        let block = blocks.into_iter().flatten().find(|entry| {
            let (concerns, fits) = self.takes(asked, Some(entry), request);
            concerns && fits == Ok(true)
        });
        let (at, deciders) = bound::written(object, asked.list, asked.index as usize);
        let taken = Taken {
            rule: &rule,
            block,
            at,
            deciders,
            port: asked.port,
        };
        // Where no port is written, a gateway takes the service's only one.
        let clusters = Known {
            mesh: self.mesh,
            proxy: self.proxy,
            scope: &self.scope,
            port: asked.port,
            bytes: true,
        };
        action::act(self.mesh, &taken, request, &clusters)
    }
}
