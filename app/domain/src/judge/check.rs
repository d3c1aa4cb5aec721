//! The checks, one file each. A new one is a file here, a line in [`checks!`] below, and a sentence for each of its codes under `finding`
//! in both locales. Each is of one of the sixteen items; what is asked of an item of a team's own is [`OWN`]'s to judge.

use super::{Code, Found, World};
use crate::crossing::{Item, item::OwnItem};

/// Looks at one thing.
pub struct Check {
    /// The name of its file.
    pub name: &'static str,
    /// The item that it is part of.
    pub item: Item,
    /// What it can find.
    pub codes: &'static [&'static Code],
    /// Looks, and says what it found, saw, and could not know.
    pub run: fn(&World<'_>, &mut Found),
}

pub(super) use services_preflight::{CHECK as SERVICES_PREFLIGHT, CODES as SERVICE_CONCERNS};

/// Looks at what a team asks of an item of its own.
pub struct OwnCheck {
    /// The name of its file.
    pub name: &'static str,
    /// What it can find.
    pub codes: &'static [&'static Code],
    /// Looks at the item, and says what it found, saw, and could not know.
    pub run: fn(&World<'_>, OwnItem, &mut Found),
}

mod own_threshold;

pub(crate) use canary_separable::INSEPARABLE;
pub(crate) use own_threshold::{MISSED as OWN_MISSED, SERIES as OWN_SERIES};

/// The check of each item of a team's own.
pub const OWN: OwnCheck = own_threshold::CHECK;

/// Everything that any check can find.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    let of_own = OWN.codes.iter();
    ALL.iter().flat_map(|check| check.codes).chain(of_own).copied()
}

macro_rules! checks {
    ($($name:ident,)*) => {
        $(mod $name;)*

        /// All checks, in order of their items.
        pub const ALL: &[Check] = &[$($name::CHECK),*];
    };
}

checks! {
    istio_profile,
    istio_version,
    istiod_replicas,
    injector_present,
    trusted_proxies,
    mesh_config,
    control_plane_observed,
    gateway_selects,
    route_bound,
    gateway_conflict,
    destination_resolves,
    subset_defined,
    subset_has_pods,
    endpoints_ready,
    route_unreachable,
    route_conflict,
    port_protocol,
    identity_paths,
    unjudged_here,
    probe_observed,
    ingress_leads_to_gateway,
    ingress_annotations_lost,
    past_ingress,
    old_path,
    ingress_observed,
    frontend_nginx,
    tls_mode,
    gateway_credential,
    handshake_observed,
    certificate_renewal,
    entry_injected,
    entry_traps,
    entry_restarted,
    entry_preflight,
    proxy_skew,
    proxy_synced,
    rollout_observed,
    services_injected,
    services_traps,
    services_restarted,
    services_preflight,
    injection_order,
    callers_blocked,
    soak_errors,
    calls_work,
    calls_seen,
    calls_undeclared,
    balancing_deprecated,
    pool_small,
    requests_per_connection,
    regression,
    strict_scope,
    strict_callers,
    authorization_principals,
    authorization_shuts_out,
    refusals_observed,
    policies_matched,
    canary_header,
    canary_alive,
    canary_owner,
    canary_separable,
    canary_evidence,
    fault_left,
    outlier_detection,
    drill,
    benchmark,
    spring_properties,
    addons_pinned,
    tracing_configured,
    scrape_blocked,
    proxies_scraped,
    trace_evidence,
    alerts,
    training,
    own_items,
    ready,
}

#[cfg(test)]
mod tests;
