#!/usr/bin/env bash
# leptos_router 0.8.17 percent-decodes the values of a query twice.
#
# Seen: `RequestUrl::parse` decodes the query, as forms are encoded, and `ParamsMap::insert` decodes
# each value once more. A value that itself holds an encoded character, such as an address that is
# handed on in a parameter, comes back as another; a browser's `URLSearchParams` gives it whole.
# Output seen: `a&b=c` for `?next=a%2526b%3Dc`, where one decoding gives `a%26b=c`.
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
leptos_router = { version = "=0.8.17", features = ["ssr"] }
form_urlencoded = "=1.2.2"
TOML
mkdir src
cat >src/main.rs <<'RUST'
use leptos_router::location::RequestUrl;

fn main() {
    let query = "next=a%2526b%3Dc";
    let url = RequestUrl::new(&format!("/?{query}")).parse().expect("a URL");
    let from_router = url.search_params().get("next").expect("a value");
    let (_, once) = form_urlencoded::parse(query.as_bytes()).next().expect("a value");
    println!("router: {from_router}");
    println!("once: {once}");
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
[[ $seen == $'router: a&b=c\nonce: a%26b=c' ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
