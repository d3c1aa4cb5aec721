//! `/pkg`: what was built.

use crate::support::{Shown, ask, assets, get, request, served};
use axum::{body::Body, http::Method};
use naru::{failure::Failure, http::site::Site};
use std::fs;

#[tokio::test]
async fn a_hashed_name_is_kept_for_good_and_another_is_not() {
    let router = served("assets", Shown::new(1));
    let (status, headers, body) = get(&router, "/pkg/naru-0123456789abcdef.js").await;
    assert_eq!((status.as_u16(), &*body), (200, "export default () => {};"));
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert!(
        headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );
    let (status, headers, _) = get(&router, "/pkg/fonts/a.woff2").await;
    assert_eq!(status, 200);
    assert!(!headers["cache-control"].to_str().unwrap().contains("immutable"));
    let (status, headers, _) = get(&router, "/pkg/naru-fedcba9876543210.js").await;
    assert_eq!(status, 404);
    assert!(
        !headers["cache-control"].to_str().unwrap().contains("immutable"),
        "that a file is missing is not for good"
    );
}

#[tokio::test]
async fn a_file_compressed_beforehand_is_preferred() {
    let router = served("precompressed", Shown::new(1));
    let brotli = request(Method::GET, "/pkg/naru-0123456789abcdef.js")
        .header("accept-encoding", "br")
        .body(Body::empty())
        .unwrap();
    let response = ask(&router, brotli).await;
    assert_eq!(response.headers()["content-encoding"], "br");
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let router = served("outside", Shown::new(1));
    fs::write(assets("outside").parent().unwrap().join("secret.txt"), "secret").unwrap();
    for path in [
        "/pkg/../secret.txt",
        "/pkg/%2e%2e/secret.txt",
        "/pkg/..%2fsecret.txt",
        "/pkg//etc/passwd",
        "/pkg/%2fetc%2fpasswd",
        "/pkg/",
    ] {
        let (status, _, body) = get(&router, path).await;
        assert!(status.is_client_error(), "{path}: {status}");
        assert!(!body.contains("secret\n") && !body.contains("root:"), "{path}");
    }
}

#[test]
fn without_usable_assets_the_console_does_not_start() {
    let folder = assets("unusable");
    assert!(Site::open(folder.clone()).is_ok());
    fs::write(folder.join("index.html"), "<head><script>1</script></head>").unwrap();
    assert!(matches!(
        Site::open(folder.clone()),
        Err(Failure::SiteWithoutNonce { .. })
    ));
    fs::write(folder.join("index.html"), "<p>hello").unwrap();
    assert!(matches!(Site::open(folder.clone()), Err(Failure::NoSite { .. })));
    fs::remove_file(folder.join("index.html")).unwrap();
    assert!(matches!(Site::open(folder), Err(Failure::NoSite { .. })));
}
