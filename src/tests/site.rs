//! The built files: the names that pages give them, and how long browsers keep them.

use crate::{
    app::{Browser, TestApp},
    place::Place,
};
use std::{fs, path::Path};

const HASH: &str = "R5ZOlUkz0LOxV6wJEhVG9A";
/// The loader of a split program whose names carry no hash.
const LOADER: &str = "__wasm_split.______________________.js";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASKED_AGAIN: &str = "public, no-cache";

/// Writes a split program and its style sheet, with or without hashes in their names.
fn build(site: &Path, is_hashed: bool) {
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg).unwrap();
    for name in names(is_hashed) {
        fs::write(pkg.join(name), "").unwrap();
    }
    let (manifest, chunk) = if is_hashed {
        (
            format!("__wasm_split_manifest.{HASH}.json"),
            format!("home.{HASH}"),
        )
    } else {
        ("__wasm_split_manifest.json".to_owned(), "home".to_owned())
    };
    let manifest = pkg.join(manifest);
    fs::write(manifest, format!(r#"{{"__home_view_x":["{chunk}"]}}"#)).unwrap();
}

/// The files that the start page names, in alphabetical order.
fn names(is_hashed: bool) -> Vec<String> {
    if is_hashed {
        return [
            ("__wasm_split", "js"),
            ("cloakroom", "css"),
            ("cloakroom", "js"),
            ("cloakroom", "wasm"),
            ("home", "wasm"),
        ]
        .map(|(name, kind)| format!("{name}.{HASH}.{kind}"))
        .to_vec();
    }
    [
        LOADER,
        "cloakroom.css",
        "cloakroom.js",
        "cloakroom.wasm",
        "home.wasm",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A server over a site in its own folder, beside a list of hashes.
fn place() -> Place {
    let place = Place::new();
    let folder = place.folder().to_owned();
    let list = ["js", "wasm", "css", "manifest", "split"].map(|key| format!("{key}: {HASH}\n"));
    fs::write(folder.join("hash.txt"), list.concat()).unwrap();
    place
        .with("LEPTOS_SITE_ROOT", folder.join("site").to_str().unwrap())
        .with(
            "LEPTOS_HASH_FILE",
            folder.join("hash.txt").to_str().unwrap(),
        )
}

/// The files that the start page names, each with how long a browser may keep it.
async fn named(browser: &Browser) -> Vec<(String, String)> {
    let page = browser.open("/").await;
    let mut names: Vec<&str> = page
        .body
        .split("/pkg/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Vec::new();
    for name in names {
        let answer = browser.open(&format!("/pkg/{name}")).await;
        assert_eq!(answer.status, 200, "{name}");
        found.push((name.to_owned(), answer.header("cache-control").to_owned()));
    }
    found
}

fn kept(names: Vec<String>, lasting: &str) -> Vec<(String, String)> {
    names
        .into_iter()
        .map(|name| (name, lasting.to_owned()))
        .collect()
}

#[tokio::test]
async fn files_with_a_hash_in_their_names_are_named_and_kept_for_ever() {
    let mut place = place();
    build(&place.folder().join("site"), true);
    let browser = place.serve("info");
    assert_eq!(named(&browser).await, kept(names(true), FOR_EVER));
}

#[tokio::test]
async fn files_with_plain_names_are_named_and_never_kept_unasked() {
    let mut place = place();
    // The list of hashes is of another build.
    build(&place.folder().join("site"), false);
    let browser = place.serve("info");
    assert_eq!(named(&browser).await, kept(names(false), ASKED_AGAIN));
}

#[tokio::test]
async fn leftovers_with_plain_names_do_not_replace_a_release() {
    let mut place = place();
    for is_hashed in [true, false] {
        build(&place.folder().join("site"), is_hashed);
    }
    let browser = place.serve("info");
    assert_eq!(named(&browser).await, kept(names(true), FOR_EVER));
}

#[tokio::test]
async fn files_of_the_release_before_are_served_beside_those_of_this_one() {
    let before = "home.AAAAAAAAAAAAAAAAAAAAAA.wasm";
    let mut place = place();
    let site = place.folder().join("site");
    build(&site, true);
    fs::write(site.join("pkg").join(before), "").unwrap();
    let browser = place.serve("info");
    assert_eq!(named(&browser).await, kept(names(true), FOR_EVER));
    let answer = browser.open(&format!("/pkg/{before}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), FOR_EVER);
}

#[tokio::test]
async fn a_watched_build_is_named_as_soon_as_it_is_written() {
    let mut place = place().with("LEPTOS_WATCH", "true");
    let site = place.folder().join("site");
    build(&site, true);
    let browser = place.serve("info");
    assert_eq!(named(&browser).await, kept(names(true), FOR_EVER));
    build(&site, false);
    assert_eq!(named(&browser).await, kept(names(false), ASKED_AGAIN));
}

#[tokio::test]
async fn browsers_find_an_icon_at_the_addresses_that_they_try_by_themselves() {
    let public = concat!(env!("CARGO_MANIFEST_DIR"), "/public");
    let mut place = Place::new().with("LEPTOS_SITE_ROOT", public);
    let browser = place.serve("info");
    for (path, kind, signature) in [
        ("/favicon.ico", "image/", &b"\0\0\x01\0"[..]),
        ("/apple-touch-icon.png", "image/png", b"\x89PNG"),
        ("/favicon.svg", "image/svg+xml", b"<svg"),
    ] {
        let answer = browser.http().get(format!("{}{path}", browser.url()));
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let said = answer.headers()["content-type"].to_str().unwrap();
        assert!(said.starts_with(kind), "{path}: {said}");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=86400");
        let body = answer.bytes().await.unwrap();
        assert!(body.starts_with(signature), "{path}");
        assert!(body.len() < 6_000, "{path}: {}", body.len());
    }
}

#[tokio::test]
async fn search_engines_may_list_the_start_page_and_the_developers_page_alone() {
    let app = TestApp::new().await;
    let browser = app.browser();
    for listed in ["/", "/developers"] {
        let answer = browser.open(listed).await;
        assert_eq!(
            (answer.status, answer.header("x-robots-tag")),
            (200, ""),
            "{listed}"
        );
    }
    for other in [
        "/?done=signed_out",
        "/developers?q=1",
        "/sign-in",
        "/sign-in?next=/account",
        "/sign-up?next=/account",
        "/proof",
        "/nothing",
    ] {
        let answer = browser.open(other).await;
        assert_eq!(answer.header("x-robots-tag"), "noindex", "{other}");
    }
    let start = browser.open("/").await;
    assert!(
        start.body.contains("href=\"/developers\""),
        "{}",
        start.body
    );
}
