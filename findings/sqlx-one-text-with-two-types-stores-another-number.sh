#!/usr/bin/env bash
# sqlx 0.9.0 stores another number on PostgreSQL where one statement is bound with two Rust types.
#
# Seen: a connection keeps its prepared statements by their text alone, with the types of the first use.
# A second use of the same text with another type of the same width is sent as bytes of that type, and
# PostgreSQL reads them as the first. No error tells of it. On SQLite, where values carry their types, the
# same program stores what it was given.
# Output seen: 3 as i64, after the same text with an f64, is stored as 1.5e-323.
set -euo pipefail
folder=$(mktemp -d)
as_postgres=()
if ((EUID == 0)); then
  # PostgreSQL refuses to run as root; its Debian package brings a user.
  chown postgres "$folder"
  as_postgres=(runuser -u postgres --)
fi
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
[[ -x $bin/initdb ]] || bin=$(dirname "$(command -v initdb)")
postgres() { (cd "$folder" && "${as_postgres[@]}" "$bin/$1" "${@:2}"); }
stop() {
  [[ ! -f $folder/data/postmaster.pid ]] || postgres pg_ctl stop -D "$folder/data" -m immediate -s
  rm -rf "$folder"
}
trap stop EXIT
postgres initdb -D "$folder/data" -U postgres -A trust --no-sync >/dev/null
# A socket in the folder, and no port that another process could have.
postgres pg_ctl start -D "$folder/data" -l "$folder/log" -s -w \
  -o "-c listen_addresses= -c unix_socket_directories=$folder"

mkdir -p "$folder/program/src"
cd "$folder/program"
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["any", "postgres", "runtime-tokio", "sqlite"] }
tokio = { version = "1", features = ["macros", "net", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use sqlx::{AnyConnection, Connection};

const INSERT: &str = "INSERT INTO measured (id, value) VALUES ($1, $2)";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    sqlx::any::install_default_drivers();
    for (name, url) in [
        ("SQLite", "sqlite::memory:"),
        ("PostgreSQL", &std::env::args().nth(1).expect("an address")),
    ] {
        let mut connection = AnyConnection::connect(url).await.expect("a connection");
        sqlx::query("CREATE TABLE measured (id BIGINT, value DOUBLE PRECISION)")
            .execute(&mut connection)
            .await
            .expect("a table");
        let first = sqlx::query(INSERT).bind(1_i64).bind(1.5_f64);
        first.execute(&mut connection).await.expect("a row");
        let second = sqlx::query(INSERT).bind(2_i64).bind(3_i64);
        second.execute(&mut connection).await.expect("a row, and no error");
        let (stored,): (f64,) = sqlx::query_as("SELECT value FROM measured WHERE id = 2")
            .fetch_one(&mut connection)
            .await
            .expect("the row");
        println!("{name}: 3 is stored as {stored:e}");
    }
}
RUST
seen=$(cargo run --quiet -- "postgres:///postgres?host=$folder&user=postgres")
echo "$seen"
[[ $seen == *"SQLite: 3 is stored as 3e0"* && $seen == *"PostgreSQL: 3 is stored as 1.5e-323"* ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
