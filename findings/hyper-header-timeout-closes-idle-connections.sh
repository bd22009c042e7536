#!/usr/bin/env bash
# hyper 1.12.0 closes an idle keep-alive connection at `header_read_timeout`.
#
# Seen: the deadline for the headers of a request also runs while a kept connection waits for its next
# request, from the end of the response before. A server with a short deadline for slow headers so
# closes the connections that a proxy keeps, at the moment when the proxy may send on one of them.
# hyper 1.12.0 has no other setting for the wait between two requests.
# Output seen: with a deadline of 1 s, a response, then the end of the stream after about 1 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
hyper = { version = "=1.12.0", features = ["http1", "server"] }
hyper-util = { version = "=0.1.21", features = ["tokio"] }
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "time"] }
TOML
mkdir src
cat >src/main.rs <<'RUST'
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, time::{Duration, Instant}};
use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        let service = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(String::from("ok")))
        });
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(1))
            .serve_connection(TokioIo::new(socket), service)
            .await;
    });
    let mut client = TcpStream::connect(address).await.expect("a connection");
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let answered = Instant::now();
    let mut all = Vec::new();
    // The client sends nothing more, and waits for half a minute at most.
    let end = tokio::time::timeout(Duration::from_secs(30), client.read_to_end(&mut all)).await;
    let all = String::from_utf8_lossy(&all).into_owned();
    assert!(all.starts_with("HTTP/1.1 200 OK") && all.ends_with("ok"), "{all}");
    match end {
        Ok(_) => println!("closed after {:.1} s without a request", answered.elapsed().as_secs_f32()),
        Err(_) => println!("still open after 30 s"),
    }
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
[[ $seen == "closed after "* ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
