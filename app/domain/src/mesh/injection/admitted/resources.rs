//! Whether the namespace has room for the proxy: ResourceQuota and LimitRange.

use super::{Admitted, Case, Code, Severity, Topic};
use crate::{
    Why,
    mesh::{Decider, injection::quantity::milli, injection::template::escaped, unjudged::named},
    object::{Kind, Object},
    workload::pods_of,
};
use serde_json::Value;

/// What the proxy's container asks for, in thousandths; None where it asks for nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Asks {
    request: Option<i128>,
    limit: Option<i128>,
}

pub(super) fn judge(case: &Case<'_>, found: &mut Admitted) {
    let namespace = &case.template.owner.namespace;
    for (kind, topic) in [
        (Kind::ResourceQuota, Topic::Quota),
        (Kind::LimitRange, Topic::LimitRange),
    ] {
        if let Some(why) = case.mesh.objects.gap(kind) {
            found.unknown(topic, why);
        }
        for it in case.objects_in(kind, namespace) {
            match (asks(case, "cpu"), asks(case, "memory")) {
                (Ok(cpu), Ok(memory)) if kind == Kind::ResourceQuota => {
                    quota(case, it, [("cpu", cpu), ("memory", memory)], found)
                }
                (Ok(cpu), Ok(memory)) => limits(it, [("cpu", cpu), ("memory", memory)], found),
                (Err(why), _) | (_, Err(why)) => found.unknown(topic, why),
            }
        }
    }
}

/// Annotations replace all of the chart's values as soon as one of them is there (`resources` in istio's `files/injection-template.yaml`).
fn asks(case: &Case<'_>, resource: &str) -> Result<Asks, Why> {
    let (name, default_request, default_limit) = match resource {
        "cpu" => ("proxyCPU", "100m", "2000m"),
        _ => ("proxyMemory", "128Mi", "1024Mi"),
    };
    let read = |text: &str| milli(text).ok_or_else(|| super::not_judged(text));
    let note = |name: &str| case.template.annotation(&format!("sidecar.istio.io/{name}"));
    let all = ["proxyCPU", "proxyMemory", "proxyCPULimit", "proxyMemoryLimit"];
    let asks = if all.iter().any(|name| note(name).is_some()) {
        let own = |name: &str| note(name).map(|(value, _)| read(value)).transpose();
        Asks {
            request: own(name)?,
            limit: own(&format!("{name}Limit"))?,
        }
    } else {
        let chart = |pointer: String, default: &str| match case.value("/global/proxy/resources")? {
            None => read(default).map(Some),
            Some(set) => set
                .pointer(&pointer)
                .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
                .map(|text| read(&text))
                .transpose(),
        };
        Asks {
            request: chart(format!("/requests/{resource}"), default_request)?,
            limit: chart(format!("/limits/{resource}"), default_limit)?,
        }
    };
    // The API server takes a limit for the request where none is written.
    Ok(Asks {
        request: asks.request.or(asks.limit),
        ..asks
    })
}

fn quota(case: &Case<'_>, quota: &Object, asked: [(&str, Asks); 2], found: &mut Admitted) {
    if quota.get("/spec/scopeSelector").is_some() || !quota.list("/spec/scopes").is_empty() {
        return found.unknown(Topic::Quota, named(quota));
    }
    // Pods that have a proxy are counted already.
    let owner = &case.template.owner;
    let pods = pods_of(case.mesh.objects, &(owner.namespace.clone(), owner.name.clone()));
    let bare = pods.iter().filter(|pod| pod.sidecar.is_none()).count();
    let pods = i128::try_from(if pods.is_empty() { 1 } else { bare }).unwrap_or(1);
    for (resource, asks) in asked {
        let names = [
            (format!("requests.{resource}"), asks.request),
            (resource.to_owned(), asks.request),
            (format!("limits.{resource}"), asks.limit),
        ];
        for (name, value) in names {
            let amount = |side: &str| {
                quota
                    .get(&format!("{side}/{name}"))
                    .map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
            };
            let Some(hard) = amount("/spec/hard") else {
                continue;
            };
            let by = Decider::of(quota, format!("/spec/hard/{}", escaped(&name)));
            let Some(value) = value else {
                found.concern(
                    Severity::Stops,
                    Code::QuotaDemands {
                        resource: name.into(),
                    },
                    by,
                );
                continue;
            };
            match (milli(&hard), amount("/status/used").as_deref().and_then(milli)) {
                (Some(hard), Some(used)) => {
                    let (left, needed) = ((hard - used).max(0), value * pods);
                    if needed > left {
                        let resource = name.into();
                        found.concern(
                            Severity::Stops,
                            Code::Quota {
                                resource,
                                left,
                                needed,
                            },
                            by,
                        );
                    }
                }
                _ => found.unknown(Topic::Quota, named(quota)),
            }
        }
    }
}

/// Bounds of type Container hold for the proxy's own; those of a Pod for the sum, which is not judged.
fn limits(range: &Object, asked: [(&'static str, Asks); 2], found: &mut Admitted) {
    for (index, item) in range.list("/spec/limits").iter().enumerate() {
        let kind = item.get("type").and_then(Value::as_str);
        if kind == Some("Pod") {
            found.unknown(Topic::LimitRange, named(range));
        }
        if kind != Some("Container") {
            continue;
        }
        for (resource, asks) in asked {
            let amount = |bound: &str| {
                let value = item.get(bound)?.get(resource)?;
                milli(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            };
            let limit = asks.limit.or(amount("default"));
            let request = asks.request.or(amount("defaultRequest")).or(limit);
            let mut refused = |bound: &'static str| {
                let by = Decider::of(range, format!("/spec/limits/{index}/{bound}/{resource}"));
                found.concern(Severity::Stops, Code::LimitRange { bound, resource }, by);
            };
            if let Some(max) = amount("max")
                && limit.is_none_or(|it| it > max)
            {
                refused("max");
            }
            if let Some(min) = amount("min")
                && request.is_none_or(|it| it < min)
            {
                refused("min");
            }
            if let Some(ratio) = amount("maxLimitRequestRatio")
                && let (Some(limit), Some(request)) = (limit, request)
                && limit * 1000 > ratio * request
            {
                refused("maxLimitRequestRatio");
            }
        }
    }
}
