//! Who asks what of whom, how often.

use naru_domain::{
    Name,
    snapshot::Objects,
    traffic::{Protocol, ServiceId},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// All that is asked of a system.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// What comes in.
    pub arrivals: Vec<Arrivals>,
    /// What workloads do with a request, by namespace and name. One that is not named here answers in 5 ms and never fails.
    pub works: BTreeMap<(Name, Name), Work>,
    /// When workloads do something else: looked at each second, the last that fits counts. What they do then they go on doing.
    pub turns: Vec<Turn>,
}

/// A workload does something else.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Which, by namespace and name.
    pub workload: (&'static str, &'static str),
    /// When, by the objects as the proxies have them and the seconds since the start.
    pub when: fn(&Objects, i64) -> bool,
    /// What it does then.
    pub work: Work,
}

/// Requests that come in.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Whose they are, for what they had to bear: `people`, a job's name.
    pub name: Name,
    /// From whom.
    pub caller: Caller,
    /// To what. Where the caller is asked for a host (a gateway, an Ingress controller), only its port counts.
    pub call: Call,
    /// Requests per second on average.
    pub rate: f64,
    /// How much the rate itself wanders from moment to moment: 0 not at all, 1 between nothing and twice as much.
    pub unrest: f64,
    /// Seconds of each minute in which it asks; None always.
    pub seconds: Option<u32>,
    /// What the requests look like; none at all means one: `GET /`.
    pub shapes: Vec<Shape>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            name: "".into(),
            caller: Caller::default(),
            call: Call::default(),
            rate: 1.0,
            unrest: 0.2,
            seconds: None,
            shapes: Vec::new(),
        }
    }
}

/// What some requests look like. Applications send method, path, headers and token on with what they call.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Their part of the arrivals, relative to the others'.
    pub share: f64,
    /// In capitals.
    pub method: Name,
    /// With the query.
    pub path: Name,
    /// Names in lower case.
    pub headers: BTreeMap<Name, Name>,
    /// Where they have one.
    pub token: Token,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            share: 1.0,
            method: "GET".into(),
            path: "/".into(),
            headers: BTreeMap::new(),
            token: Token::None,
        }
    }
}

impl Shape {
    /// This part of the arrivals gets a path.
    pub fn get(share: f64, path: &str) -> Self {
        Self {
            share,
            path: path.into(),
            ..Self::default()
        }
    }

    /// The same with one more header; its name in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }
}

/// A JSON Web Token, where rules look for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Token {
    /// None.
    #[default]
    None,
    /// One that its issuer has signed, and that is not over.
    Valid {
        /// `iss`.
        issuer: Name,
        /// `sub`.
        subject: Name,
        /// Further claims: an object, or Null for none.
        claims: Value,
    },
    /// One that is over: refused where anything looks at tokens.
    Expired,
}

/// Where requests begin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// An ingress gateway, asked for a host.
    Gateway {
        /// Namespace of its workload.
        namespace: Name,
        /// Its workload.
        workload: Name,
        /// The host asked for.
        host: Name,
    },
    /// An Ingress controller without a proxy, asked for a host: the Ingresses of the moment say which service gets it. One that leads to
    /// an ingress gateway goes on as the gateway's.
    Nginx {
        /// Namespace of its workload.
        namespace: Name,
        /// Its workload.
        workload: Name,
        /// The host asked for.
        host: Name,
    },
    /// A CronJob's pods: they call while one of them is ready, through a proxy if it has one.
    CronJob {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
    /// A workload that calls by itself: any of its ready pods, through the proxy that the pod has.
    Workload {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        workload: Name,
        /// Whether it has a proxy, if none of its pods is there to tell.
        meshed: bool,
    },
}

impl Default for Caller {
    /// Someone without a name or a proxy.
    fn default() -> Self {
        Self::Workload {
            namespace: "".into(),
            workload: "".into(),
            meshed: false,
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service called.
    pub service: ServiceId,
    /// What is spoken.
    pub protocol: Protocol,
    /// How many of the caller's requests lead to it.
    pub share: f64,
    /// Whether the caller fails when it does.
    pub essential: bool,
    /// Only requests whose path begins so lead to it; None: all.
    pub path: Option<Name>,
    /// The host as the application has it in its URL, without a port; None: `service.namespace`.
    pub host: Option<Name>,
    /// The port in its URL; None: the service's first. At a gateway the server's port, 80 unless said; 443 means HTTPS.
    pub port: Option<u16>,
}

impl Default for Call {
    fn default() -> Self {
        Self {
            service: ServiceId::default(),
            protocol: Protocol::Http,
            share: 1.0,
            essential: true,
            path: None,
            host: None,
            port: None,
        }
    }
}

impl Call {
    /// An HTTP call that every request leads to, and that the caller needs.
    pub fn http(namespace: &str, service: &str) -> Self {
        Self {
            service: ServiceId {
                namespace: namespace.into(),
                name: service.into(),
            },
            ..Self::default()
        }
    }

    /// Only this share of requests leads to it.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Only requests whose path begins so lead to it.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self {
            path: Some(path.into()),
            ..self
        }
    }
}

/// What a workload does with a request.
#[derive(Clone, Debug)]
pub struct Work {
    /// Mean time of its own, in milliseconds.
    pub ms: f64,
    /// Share of requests that fail by its own fault, with 500.
    pub failing: f64,
    /// Requests per second that each ready pod bears. Of more, what is too much fails by its own fault, and all take longer. None: any
    /// number.
    pub capacity: Option<f64>,
    /// Whom it calls for each.
    pub calls: Vec<Call>,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            ms: 5.0,
            failing: 0.0,
            capacity: None,
            calls: Vec::new(),
        }
    }
}
