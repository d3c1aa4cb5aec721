//! Trust domains and their aliases in rules (istio's `pilot/pkg/security/trustdomain`).

use crate::{
    Name,
    mesh::{DOMAIN, MeshConfig},
};

/// The mesh's trust domain, then its aliases.
pub(super) fn bundle(config: &MeshConfig) -> Vec<Name> {
    let own = std::iter::once(&config.trust_domain);
    own.chain(&config.trust_domain_aliases).cloned().collect()
}

/// A principal of the mesh's trust domain, of an alias, or of `cluster.local`, which always means the mesh's own, stands for the same in each
/// of them. Any other stays as it is.
pub(super) fn principals(bundle: &[Name], values: &[Name]) -> Vec<Name> {
    values.iter().flat_map(|value| principal(bundle, value)).collect()
}

fn principal(bundle: &[Name], value: &Name) -> Vec<Name> {
    let whole = value.split('/').count() == 5;
    let Some((domain, rest)) = value.split_once('/').filter(|_| whole) else {
        return vec![value.clone()];
    };
    let ours = bundle.iter().any(|it| same(domain, it)) || domain == DOMAIN;
    if domain == "*" || !ours {
        return vec![value.clone()];
    }
    let mut all: Vec<Name> = Vec::new();
    for own in bundle {
        let name = if ends_as(own, domain) {
            value.clone()
        } else {
            format!("{own}/{rest}").into()
        };
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn same(a: &str, b: &str) -> bool {
    let starts = |text: &str, pattern: &str| pattern.strip_suffix('*').is_some_and(|it| text.starts_with(it));
    a == b || starts(a, b) || starts(b, a) || ends_as(a, b) || ends_as(b, a)
}

fn ends_as(text: &str, pattern: &str) -> bool {
    pattern.strip_prefix('*').is_some_and(|it| text.ends_with(it))
}

/// A trust domain that is the mesh's or an alias stands for all of them.
pub(super) fn domains(bundle: &[Name], values: &[Name]) -> Vec<Name> {
    let expand = |value: &Name| {
        if bundle.contains(value) {
            bundle.to_vec()
        } else {
            vec![value.clone()]
        }
    };
    values.iter().flat_map(expand).collect()
}

#[cfg(test)]
mod tests {
    use super::{domains, principals};
    use crate::Name;

    fn expanded(bundle: &[&str], value: &str) -> Vec<String> {
        let bundle: Vec<Name> = bundle.iter().map(|&it| it.into()).collect();
        principals(&bundle, &[value.into()])
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn principals_of_the_mesh_stand_for_its_aliases_too() {
        let td = ["td1", "td2"];
        let both = ["td1/ns/a/sa/b", "td2/ns/a/sa/b"];
        assert_eq!(expanded(&td, "td1/ns/a/sa/b"), both);
        assert_eq!(expanded(&td, "td2/ns/a/sa/b"), both);
        assert_eq!(expanded(&td, "cluster.local/ns/a/sa/b"), both);
        assert_eq!(expanded(&td, "other/ns/a/sa/b"), ["other/ns/a/sa/b"]);
        assert_eq!(expanded(&td, "*/ns/a/sa/b"), ["*/ns/a/sa/b"]);
        assert_eq!(expanded(&td, "td1/ns/a/*"), ["td1/ns/a/*"]);
        assert_eq!(expanded(&td, "*"), ["*"]);
        assert_eq!(expanded(&["x-td", "y-td"], "*-td/ns/a/sa/b"), ["*-td/ns/a/sa/b"]);
        assert_eq!(
            expanded(&["x-td", "other"], "*-td/ns/a/sa/b"),
            ["*-td/ns/a/sa/b", "other/ns/a/sa/b"]
        );
        assert_eq!(expanded(&["td1", "td2"], "td*/ns/a/sa/b"), both);
    }

    #[test]
    fn trust_domains_of_the_mesh_stand_for_its_aliases_too() {
        let bundle: Vec<Name> = vec!["a".into(), "b".into()];
        assert_eq!(
            domains(&bundle, &["b".into(), "c".into()]),
            ["a".into(), "b".into(), Name::from("c")]
        );
    }
}
