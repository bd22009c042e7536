#!/usr/bin/env bash
# sqlx 0.9.0's pool waits out its time where `after_connect` fails, and then does not say why.
#
# Seen: an error of the statement that prepares each new connection is taken for a database that is still
# starting. The pool connects again until `acquire_timeout` is over, 30 s by default, and returns
# `PoolTimedOut`. The database's own message, here of a table that is missing, is in no error and in
# no source of one. The same statement on a connection without a pool fails at once with that message.
# Output seen:
#   without a pool: error returned from database: no such table: missing
#   in a pool: pool timed out while waiting for an open connection, after 2 s
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
sqlx = { version = "=0.9.0", default-features = false, features = ["sqlite", "runtime-tokio"] }
tokio = { version = "1", features = ["macros", "rt", "time"] }
TOML
mkdir src
cat >src/main.rs <<'RUST'
use sqlx::{Connection, Executor, SqliteConnection, sqlite::SqlitePoolOptions};
use std::{error::Error, time::{Duration, Instant}};

const PREPARE: &str = "SELECT 1 FROM missing";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut alone = SqliteConnection::connect("sqlite::memory:").await.expect("a connection");
    let refused = alone.execute(PREPARE).await.expect_err("there is no such table");
    println!("without a pool: {refused}");

    let began = Instant::now();
    let refused = SqlitePoolOptions::new()
        .acquire_timeout(Duration::from_secs(2))
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(PREPARE).await.map(drop) })
        })
        .connect("sqlite::memory:")
        .await
        .expect_err("no connection is prepared");
    assert!(refused.source().is_none(), "{refused:?}");
    println!("in a pool: {refused}, after {} s", began.elapsed().as_secs());
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
[[ $seen == "without a pool: "*"no such table: missing"* ]] &&
  [[ $seen == *"in a pool: pool timed out while waiting for an open connection, after "* ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
