//! The doorbell and the bodies behind it.

use crate::support::{Held, Shown, ask, get, request, ringing, served, view};
use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode},
};
use http_body_util::BodyExt;
use naru_view::{topology::Topology, version::Version};
use std::{io::Read, sync::Arc};

async fn part(
    router: &axum::Router,
    name: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut asked = request(Method::GET, &format!("/live/{name}"));
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    let (parts, body) = ask(router, asked.body(Body::empty()).unwrap()).await.into_parts();
    (
        parts.status,
        parts.headers,
        body.collect().await.unwrap().to_bytes().to_vec(),
    )
}

#[tokio::test]
async fn every_part_is_there_with_its_version_as_tag() {
    let router = served("parts", Shown::new(3));
    for name in ["overview", "topology", "canaries", "changes"] {
        let (status, headers, body) = part(&router, name, &[]).await;
        assert_eq!(status, 200, "{name}");
        assert_eq!(headers["etag"], "W/\"7:3\"");
        assert_eq!(headers["cache-control"], "private, no-cache");
        assert_eq!(headers["content-type"], "application/json");
        assert!(!headers.contains_key("content-encoding"));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            json["version"],
            serde_json::json!({"epoch": 7, "seq": 3}),
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_holds_the_version_gets_304_until_there_is_a_new_one() {
    let console = Shown::new(1);
    let router = served("etag", console.clone());
    let held = [("if-none-match", "W/\"7:1\"")];
    let (status, headers, body) = part(&router, "topology", &held).await;
    assert_eq!((status.as_u16(), body.len()), (304, 0));
    assert_eq!(headers["etag"], "W/\"7:1\"");
    console.show(view(2, &[]));
    let (status, headers, body) = part(&router, "topology", &held).await;
    assert_eq!(
        (status.as_u16(), headers["etag"].to_str().unwrap()),
        (200, "W/\"7:2\"")
    );
    assert_eq!(
        serde_json::from_slice::<Topology>(&body).unwrap().version,
        Version { epoch: 7, seq: 2 }
    );
}

#[tokio::test]
async fn all_encodings_carry_the_same() {
    let router = served("encodings", Shown::new(1));
    let (_, _, plain) = part(&router, "topology", &[]).await;
    let (_, headers, gzip) = part(&router, "topology", &[("accept-encoding", "gzip")]).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(headers["vary"].to_str().unwrap().contains("accept-encoding"));
    let mut back = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..])
        .read_to_end(&mut back)
        .unwrap();
    assert_eq!(back, plain);
    let (_, headers, brotli) = part(&router, "topology", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(headers["content-encoding"], "br");
    let mut back = Vec::new();
    brotli::BrotliDecompress(&mut &brotli[..], &mut back).unwrap();
    assert_eq!(back, plain);
    assert!(brotli.len() < plain.len() / 2 && gzip.len() < plain.len() / 2);
}

/// One event's lines.
async fn event(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn the_doorbell_tells_the_version_at_once_then_each_new_one_at_its_pace_and_ends_with_the_server() {
    let (console, clock) = (Shown::new(1), Arc::new(Held::default()));
    let (router, ring) = ringing("doorbell", console.clone(), clock.clone());
    let ring = tokio::spawn(ring);
    let response = ask(
        &router,
        request(Method::GET, "/live")
            .header("accept-encoding", "gzip, br")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert!(
        !response.headers().contains_key("content-encoding"),
        "an event must not wait in a compressor"
    );
    assert_eq!(response.headers()["cache-control"], "no-cache");
    let mut body = response.into_body();
    assert!(event(&mut body).await.unwrap().contains("data: 7:1\n"));
    console.show(view(2, &[]));
    assert!(event(&mut body).await.unwrap().contains("data: 7:2\n"));
    // Within the pace nothing rings; afterwards only the latest does.
    console.show(view(3, &[]));
    console.show(view(4, &[]));
    tokio::task::yield_now().await;
    clock.wake();
    assert!(event(&mut body).await.unwrap().contains("data: 7:4\n"));
    ring.abort();
    assert_eq!(event(&mut body).await, None);
}

#[tokio::test]
async fn a_stream_too_many_is_refused_until_another_ends() {
    // The ringing future is kept, or the streams would end at once.
    let (router, _ring) = ringing("crowd", Shown::new(1), Arc::new(Held::default()));
    let stream = || async {
        ask(
            &router,
            request(Method::GET, "/live").body(Body::empty()).unwrap(),
        )
        .await
    };
    let mut open = Vec::new();
    for _ in 0..naru::live::STREAMS {
        let response = stream().await;
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    let refused = stream().await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    open.pop();
    assert_eq!(stream().await.status(), 200);
}

#[tokio::test]
async fn many_viewers_of_one_version_cost_one_encoding() {
    let console = Shown::new(1);
    let router = served("shared", console.clone());
    let all = (0..50).map(|_| part(&router, "topology", &[("accept-encoding", "br")]));
    let answers = futures::future::join_all(all).await;
    let (_, _, first) = &answers[0];
    assert!(
        answers
            .iter()
            .all(|(status, _, body)| *status == 200 && body == first)
    );
    let (_, _, overview) = get(&router, "/live/overview").await;
    assert!(!overview.is_empty());
}
