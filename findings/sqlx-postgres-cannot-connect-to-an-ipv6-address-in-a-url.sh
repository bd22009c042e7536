#!/usr/bin/env bash
# sqlx 0.9.0 on tokio does not connect to `postgres://user@[::1]/db`.
#
# Seen: the brackets that a URL has around an IPv6 address (RFC 3986, 3.2.2) stay in the name of the
# host, and the resolver is asked for a host that is called "[::1]". The same address without brackets, as the
# parameter `host`, is connected to.
# Output seen (the resolver's words are the system's):
#   postgres://user@[::1]:PORT/db: not connected: error communicating with database: failed to lookup address information: Name or service not known
#   postgres:///db?host=::1&port=PORT&user=user: connected
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
sqlx = { version = "=0.9.0", default-features = false, features = ["postgres", "runtime-tokio"] }
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "time"] }
TOML
mkdir src
cat >src/main.rs <<'RUST'
use sqlx::{Connection, PgConnection};
use std::{sync::{Arc, atomic::{AtomicBool, Ordering}}, time::Duration};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("[::1]:0").await.expect("a port of the loopback address");
    let port = listener.local_addr().expect("an address").port();
    let is_reached = Arc::new(AtomicBool::new(false));
    let reached = Arc::clone(&is_reached);
    // It speaks no PostgreSQL: that a client came is all that counts.
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            reached.store(true, Ordering::SeqCst);
            drop(socket);
        }
    });
    for url in [
        "postgres://user@[::1]:PORT/db",
        "postgres:///db?host=::1&port=PORT&user=user",
    ] {
        is_reached.store(false, Ordering::SeqCst);
        let connecting = PgConnection::connect(&url.replace("PORT", &port.to_string()));
        let error = tokio::time::timeout(Duration::from_secs(10), connecting).await;
        let end = match (is_reached.load(Ordering::SeqCst), error) {
            (true, _) => "connected".to_owned(),
            (false, Ok(Err(error))) => format!("not connected: {error}"),
            (false, other) => format!("{other:?}"),
        };
        println!("{url}: {end}");
    }
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
[[ $seen == *"@[::1]:PORT/db: not connected: "*"lookup"* && $seen == *"user=user: connected" ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
