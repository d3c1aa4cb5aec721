//! An API server that only reads: it lists what it is given, and then has nothing to tell. For objects that no real one would take.

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// Starts one with these objects, each under the path of its collection (`/api/v1/pods`). Returns its URL; it runs until the tests end.
pub(crate) fn start(objects: Vec<(&'static str, Value)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let objects = Arc::new(objects);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let objects = objects.clone();
            thread::spawn(move || answer(&objects, connection));
        }
    });
    url
}

fn answer(objects: &[(&'static str, Value)], mut connection: TcpStream) {
    let mut request = Vec::new();
    let mut some = [0; 4096];
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        match connection.read(&mut some) {
            Ok(0) | Err(_) => return,
            Ok(n) => request.extend_from_slice(&some[..n]),
        }
    }
    let request = String::from_utf8_lossy(&request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if query.split('&').any(|it| it == "watch=true" || it == "watch=1") {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        let _ = connection.write_all(head.as_bytes());
        // Nothing happens until the other side gives up.
        while !matches!(connection.read(&mut some), Ok(0) | Err(_)) {}
        return;
    }
    let body = match path {
        "/version" => json!({"gitVersion": "v1.35.4"}),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            json!({"status": {"userInfo": {"username": "시험"}}})
        }
        _ => {
            let items: Vec<&Value> = objects
                .iter()
                .filter(|(collection, _)| *collection == path)
                .map(|(_, object)| object)
                .collect();
            json!({"metadata": {"resourceVersion": "7"}, "items": items})
        }
    }
    .to_string();
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}
