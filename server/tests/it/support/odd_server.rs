//! A server on a port of its own that answers as no server should: what stands in for a Prometheus or an API server gone wrong.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// How it answers every request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Odd {
    /// A proxy's login page.
    Html,
    /// 500.
    Fault,
    /// 403, as the API server says it.
    Forbidden,
    /// 200 with what is no JSON, although it says so.
    Garbage,
    /// 200 with JSON of another protocol.
    Stranger,
    /// The connection ends in the middle of the body.
    Half,
    /// It takes the request and never answers.
    Late,
    /// It ends the connection at once.
    HangUp,
}

/// Starts it; it runs until the tests end. Returns its URL.
pub(crate) fn start(odd: Odd) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || answer(odd, connection));
        }
    });
    url
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn answer(odd: Odd, mut connection: TcpStream) {
    if matches!(odd, Odd::HangUp) {
        return;
    }
    let mut request = Vec::new();
    let mut some = [0; 4096];
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        match connection.read(&mut some) {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&some[..n]),
        }
    }
    let (status, content, body) = match odd {
        Odd::Html => ("200 OK", "text/html", "<!doctype html><title>Sign in</title>"),
        Odd::Fault => ("500 Internal Server Error", "text/plain", "boom"),
        Odd::Forbidden => (
            "403 Forbidden",
            "application/json",
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden: User \"nobody\" cannot list","reason":"Forbidden","code":403}"#,
        ),
        Odd::Garbage => ("200 OK", "application/json", "\u{1}\u{2}not json"),
        Odd::Stranger => ("200 OK", "application/json", r#"{"hello":["world"]}"#),
        Odd::Half => (
            "200 OK",
            "application/json",
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"#,
        ),
        Odd::Late => {
            // Until the other side gives up.
            while !matches!(connection.read(&mut some), Ok(0) | Err(_)) {}
            return;
        }
        Odd::HangUp => return,
    };
    let length = if matches!(odd, Odd::Half) {
        body.len() + 1_000
    } else {
        body.len()
    };
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-type: {content}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}
