//! URLs of the Kubernetes API.

use naru_domain::object::{Key, Kind};
use std::fmt::Write as _;

/// The URL of all objects of a kind, in one namespace or in all.
pub(crate) fn collection(kind: Kind, namespace: Option<&str>) -> String {
    let mut path = match kind.group() {
        "" => format!("/api/{}", kind.version()),
        group => format!("/apis/{group}/{}", kind.version()),
    };
    if let Some(namespace) = namespace.filter(|_| kind.namespaced()) {
        path.push_str("/namespaces/");
        path.push_str(&encode(namespace));
    }
    path.push('/');
    path.push_str(kind.plural());
    path
}

/// Where a kind is listed and watched: its URL and the beginning of its query. Of a kind of which Naru reads one object the API server is
/// asked for that one alone, which is also all that Naru's rights allow.
pub(crate) fn watched(kind: Kind) -> String {
    match kind.only() {
        Some((namespace, name)) => {
            let path = collection(kind, Some(namespace));
            format!("{path}?fieldSelector=metadata.name%3D{}&", encode(name))
        }
        None => format!("{}?", collection(kind, None)),
    }
}

/// The URL of one object; None if no object can be called so. A name is one segment of the URL: an empty one, `.` or `..` would lead
/// elsewhere.
pub(crate) fn object(key: &Key) -> Option<String> {
    let usable = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['/', '%']);
    if !usable(&key.name) || (key.kind.namespaced() && !usable(&key.namespace)) {
        return None;
    }
    Some(format!(
        "{}/{}",
        collection(key.kind, Some(&key.namespace)),
        encode(&key.name)
    ))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{collection, encode, object, watched};
    use naru_domain::object::{Key, Kind};

    #[test]
    fn each_kind_is_at_its_place() {
        assert_eq!(collection(Kind::Pod, None), "/api/v1/pods");
        assert_eq!(
            collection(Kind::Change, Some("shop")),
            "/apis/naru.dev/v1alpha1/namespaces/shop/changes"
        );
        let namespace = Key::new(Kind::Namespace, "", "shop");
        assert_eq!(object(&namespace).as_deref(), Some("/api/v1/namespaces/shop"));
        let crd = Key::new(Kind::CustomResourceDefinition, "", "a.b");
        assert_eq!(
            object(&crd).as_deref(),
            Some("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/a.b")
        );
    }

    #[test]
    fn of_config_maps_the_meshs_own_is_asked_for_alone() {
        assert_eq!(watched(Kind::Pod), "/api/v1/pods?");
        assert_eq!(
            watched(Kind::ConfigMap),
            "/api/v1/namespaces/istio-system/configmaps?fieldSelector=metadata.name%3Distio&"
        );
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        for name in ["", ".", "..", "a/b", "../secrets/x", "a%2fb"] {
            assert_eq!(object(&Key::new(Kind::Service, "shop", name)), None, "{name}");
            assert_eq!(object(&Key::new(Kind::Service, name, "a")), None, "{name}");
        }
        assert!(
            object(&Key::new(Kind::Service, "shop", "a?dryRun=All#"))
                .unwrap()
                .ends_with("/a%3FdryRun%3DAll%23")
        );
        assert_eq!(encode("가 b"), "%EA%B0%80%20b");
    }
}
