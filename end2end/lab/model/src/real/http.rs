//! Just enough HTTP to talk to a peer's admin port.

use anyhow::{Context, Result, bail};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

const ADMIN: u16 = 9090;

pub(super) fn get(peer: &str, path: &str) -> Result<String> {
    exchange(peer, &format!("GET {path} HTTP/1.0\r\nHost: peer\r\n\r\n"))
}

pub(super) fn post(peer: &str, path: &str, body: &str) -> Result<String> {
    let length = body.len();
    exchange(
        peer,
        &format!("POST {path} HTTP/1.0\r\nHost: peer\r\nContent-Length: {length}\r\n\r\n{body}"),
    )
}

/// HTTP/1.0, so that the answer is the rest of the connection.
fn exchange(peer: &str, request: &str) -> Result<String> {
    let mut stream =
        TcpStream::connect((peer, ADMIN)).with_context(|| format!("the peer at {peer} is not reached"))?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!(
            "the peer at {peer} says {}: {body}",
            head.lines().next().unwrap_or("")
        );
    }
    Ok(body.to_owned())
}
