//! How the pod starts and ends with a proxy beside it.

use super::{Admitted, Case, Code, Severity, Topic, not_judged};
use crate::object::Kind;
use serde_json::Value;

pub(super) fn judge(case: &Case<'_>, found: &mut Admitted) {
    let template = &case.template;
    let job = matches!(template.owner.kind, Kind::Job | Kind::CronJob);
    let native = case.native();
    if job {
        match &native {
            Ok(true) => {}
            Ok(false) => found.concern(Severity::Stops, Code::JobNeverEnds, template.field("/spec")),
            Err(why) => found.unknown(Topic::JobEnd, why.clone()),
        }
    }
    match (holds(case), native) {
        (Ok(true), _) | (_, Ok(true)) => {}
        (Ok(false), Ok(false)) => {
            found.concern(Severity::Hurts, Code::StartsBeforeProxy, template.field("/spec"))
        }
        (Err(why), _) | (_, Err(why)) => found.unknown(Topic::StartOrder, why),
    }
    let serves =
        |it: &&crate::fact::Container| !it.init && !it.ports.is_empty() && &*it.name != "istio-proxy";
    if let Some(it) = template
        .pod
        .containers
        .iter()
        .filter(serves)
        .find(|it| !it.pre_stop)
        && !job
    {
        let container = it.name.clone();
        found.concern(
            Severity::Hurts,
            Code::NoDrain { container },
            template.field(&it.path),
        );
    }
    if let Some(it) = template.pod.containers.iter().find(|it| it.probed) {
        match rewrites(case) {
            Ok(true) => {}
            Ok(false) => found.concern(
                Severity::Hurts,
                Code::ProbesNotRewritten,
                template.field(&it.path),
            ),
            Err(why) => found.unknown(Topic::Probes, why),
        }
    }
}

/// `holdApplicationUntilProxyStarts`: the chart's value, or the proxy configuration's, where the pod's own goes before the mesh's.
fn holds(case: &Case<'_>) -> Result<bool, crate::Why> {
    const HOLD: &str = "holdApplicationUntilProxyStarts";
    if case.flag("/global/proxy/holdApplicationUntilProxyStarts", false) == Ok(true) {
        return Ok(true);
    }
    if let Some((text, by)) = case.template.annotation("proxy.istio.io/config") {
        let own = serde_saphyr::from_str::<Value>(text)
            .map_err(|_| not_judged(format!("{} {}", by.key.name, by.path)))?;
        match own.get(HOLD).and_then(Value::as_bool) {
            Some(true) => return Ok(true),
            Some(false) => return case.flag("/global/proxy/holdApplicationUntilProxyStarts", false),
            None => {}
        }
    }
    let config = &case.mesh.config;
    let of_mesh = config.json.pointer(&format!("/defaultConfig/{HOLD}"));
    match (&config.gap, of_mesh.and_then(Value::as_bool)) {
        (Some(why), _) => Err(why.clone()),
        (None, Some(true)) => Ok(true),
        (None, _) => case.flag("/global/proxy/holdApplicationUntilProxyStarts", false),
    }
}

/// `ShouldRewriteAppHTTPProbers` in istio's `pkg/kube/inject`; values as Go's `ParseBool` takes them.
fn rewrites(case: &Case<'_>) -> Result<bool, crate::Why> {
    let set = case.template.annotation("sidecar.istio.io/rewriteAppHTTPProbers");
    match set.map(|(value, _)| value) {
        Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
        Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
        _ => case.flag("/sidecarInjectorWebhook/rewriteAppHTTPProbe", true),
    }
}
