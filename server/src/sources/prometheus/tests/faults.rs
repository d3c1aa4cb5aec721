//! Each way of answering badly has its own reason, and none of them hangs or panics.

use super::{
    adapter, adapter_with, now, question,
    server::{Reply, serve},
};
use naru_domain::{SourceName::Prometheus, Why};
use naru_ports::Metrics;

/// Why there is no traffic, if the server answers everything like this; and that splits fail for the same reason.
async fn why(reply: Reply) -> Why {
    let (url, _) = serve(move |_| reply.clone()).await;
    let adapter = adapter(&url);
    let why = adapter.traffic(60).await.unwrap_err();
    let splits = adapter
        .splits(&[question("n", "a", now()), question("n", "b", now())])
        .await;
    assert_eq!(splits, [Err(why.clone()), Err(why.clone())]);
    why
}

#[tokio::test]
async fn a_page_for_people_is_not_an_answer() {
    let why = why(Reply::new(
        "200 OK",
        "text/html",
        "<html><body>Sign in</body></html>",
    ))
    .await;
    assert_eq!(
        why,
        Why::Garbled {
            source: Prometheus,
            detail: "no JSON: line 1, column 1".into()
        }
    );
}

#[tokio::test]
async fn an_error_status_is_told_with_what_prometheus_says() {
    let json = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples"}"#;
    assert_eq!(
        why(Reply::new("422 Unprocessable Entity", "application/json", json)).await,
        Why::Failed {
            source: Prometheus,
            status: 422,
            detail: "execution: query processing would load too many samples".into()
        }
    );
    assert_eq!(
        why(Reply::new(
            "502 Bad Gateway",
            "text/html",
            "<h1>upstream 10.0.0.7</h1>"
        ))
        .await,
        Why::Failed {
            source: Prometheus,
            status: 502,
            detail: "Bad Gateway".into()
        }
    );
    let endless = format!(r#"{{"error":"{}"}}"#, "x\\n".repeat(9000));
    let Why::Failed {
        status: 500, detail, ..
    } = why(Reply::new("500 Oops", "application/json", &endless)).await
    else {
        panic!("not failed")
    };
    assert_eq!((detail.len(), detail.contains('\n')), (199, false));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let reply =
        Reply::raw("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/login\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(
        why(reply).await,
        Why::Failed {
            source: Prometheus,
            status: 302,
            detail: "Found".into()
        }
    );
}

#[tokio::test]
async fn prometheus_own_time_out_is_a_time_out() {
    let json =
        r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    let why = why(Reply::new("503 Service Unavailable", "application/json", json)).await;
    assert_eq!(
        why,
        Why::TimedOut {
            source: Prometheus,
            after_ms: 500
        }
    );
}

#[tokio::test]
async fn garbage_half_a_body_and_json_of_another_kind_are_garbled() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"status\":\"success\",\"data\":{\"resultType\":\"vec";
    for reply in [
        Reply::raw(b"\x16\x03\x01\x02\x00garbage\r\n\r\n".to_vec()),
        Reply::raw(half),
        Reply::raw("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain"),
        Reply::json(r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1"#),
        Reply::json(
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":[],"value":[1,"2"]}]}}"#,
        ),
        Reply::json(r#"{"kind":"Status","status":"success","apiVersion":"v1"}"#),
        Reply::json(""),
    ] {
        let why = why(reply).await;
        assert!(matches!(why, Why::Garbled { .. }), "{why:?}");
    }
}

#[tokio::test]
async fn late_answers_are_not_waited_for() {
    let late = Why::TimedOut {
        source: Prometheus,
        after_ms: 500,
    };
    assert_eq!(why(Reply::raw("").and_hang()).await, late);
    assert_eq!(
        why(Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"sta").and_hang()).await,
        late
    );
}

#[tokio::test]
async fn a_connection_that_is_closed_without_an_answer_is_unreachable() {
    let why = why(Reply::raw("")).await;
    assert!(matches!(why, Why::Unreachable { .. }), "{why:?}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let why = adapter(&url).traffic(60).await.unwrap_err();
    assert!(
        matches!(&why, Why::Unreachable { detail, .. } if !detail.contains("127.0.0.1")),
        "{why:?}"
    );
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused_before_it_is_read() {
    let body = format!(
        r#"{{"status":"success","data":{{"result":[]}},"padding":"{}"}}"#,
        "x".repeat(64 << 10)
    );
    let expected = Why::TooLarge {
        kind: "Prometheus".into(),
        name: "/api/v1/query".into(),
        bytes: 65_537,
        limit: 65_536,
    };
    assert_eq!(why(Reply::json(&body)).await, expected);
}

#[tokio::test]
async fn the_limit_holds_after_decompression() {
    // 128 kB of spaces, compressed.
    let mut reply = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    reply.extend_from_slice(SPACES_GZ);
    assert!(matches!(
        why(Reply::raw(reply)).await,
        Why::TooLarge { limit: 65_536, .. }
    ));
}

#[tokio::test]
async fn a_token_that_cannot_be_read_is_told_without_its_place() {
    let (url, asked) = serve(|_| Reply::json("{}")).await;
    let adapter = adapter_with(&url, |it| {
        it.bearer_token_file = Some("/nowhere/secret-token".into())
    });
    let why = adapter.traffic(60).await.unwrap_err();
    assert!(
        matches!(&why, Why::Unreachable { detail, .. } if !detail.contains("nowhere")),
        "{why:?}"
    );
    assert!(asked.lock().unwrap().is_empty());
}

const SPACES_GZ: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\x2a\xeb\x9f\xd2\xc3\x1a\x40\x01\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\xdc\x00\x8b\x36\xbc\xbb\x00\x00\x02\x00";
