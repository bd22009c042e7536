//! The rules of the rooms, read from the sources themselves.

use std::path::{Path, PathBuf};
use syn::{Item, ItemFn, Stmt};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Lines of code that name a word, comments aside.
fn lines_with(folder: &str, word: &str, but: &[&str]) -> Vec<String> {
    sources(folder)
        .iter()
        .filter(|(path, _)| !but.iter().any(|but| path.ends_with(but)))
        .flat_map(|(path, text)| {
            text.lines()
                .filter(|line| !line.trim_start().starts_with("//") && line.contains(word))
                .map(|line| format!("{}: {line}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn assert_none(folder: &str, words: &[&str], but: &[&str]) {
    for word in words {
        let found = lines_with(folder, word, but);
        assert!(
            found.is_empty(),
            "{word} in {folder}:\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn rooms_import_whom_they_may() {
    assert_none(
        "src/wire",
        &["crate::api", "crate::app", "crate::server"],
        &[],
    );
    assert_none("src/api", &["crate::app"], &[]);
    assert_none("src/app", &["crate::server"], &[]);
    assert_none("src/server", &["crate::api"], &[]);
    assert_none(
        "src/server",
        &["crate::app", "use crate::{app"],
        &["router.rs"],
    );
}

#[test]
fn what_a_browser_must_not_have_is_in_the_server_room() {
    for room in ["src/wire", "src/api", "src/app"] {
        assert_none(room, &["sqlx", "argon2::", "jsonwebtoken"], &[]);
        assert_none(
            room,
            &[
                "localStorage",
                "sessionStorage",
                "local_storage",
                "session_storage",
                "document.cookie",
                "Authorization",
                "Bearer",
                "set_cookie",
                "ServerFnError;",
            ],
            &[],
        );
    }
    assert_none(
        "src/server",
        &["SET_COOKIE", "Set-Cookie", "set-cookie"],
        &["cookie.rs", "answer.rs"],
    );
}

#[test]
fn features_are_named_on_few_lines() {
    let found: Vec<String> = lines_with("src", "cfg(feature", &["shape.rs"]);
    let allowed = ["lib.rs", "app/mod.rs", "pages/not_found.rs"];
    for line in &found {
        let file = line.split(": ").next().unwrap();
        assert!(
            allowed.iter().any(|allowed| file.ends_with(allowed)),
            "{line}"
        );
    }
    assert!(found.len() <= 5, "{found:#?}");
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    assert_none(
        "src",
        &["#[allow(", "#![allow(", "dangerous::", "insecure_decode"],
        &["shape.rs"],
    );
}

#[test]
fn every_server_function_opens_with_its_door() {
    let mut doors = 0;
    for (path, text) in sources("src") {
        let file = syn::parse_file(&text).unwrap();
        for item in &file.items {
            if let Item::Fn(function) = item
                && function
                    .attrs
                    .iter()
                    .any(|attr| attr.path().is_ident("server"))
            {
                assert!(
                    path.to_string_lossy().contains("src/api/"),
                    "{}",
                    path.display()
                );
                assert!(
                    opens_with_a_door(function),
                    "{}: {}",
                    path.display(),
                    function.sig.ident
                );
                doors += 1;
            }
        }
    }
    assert!(doors >= 4);
}

fn opens_with_a_door(function: &ItemFn) -> bool {
    let first = function
        .block
        .stmts
        .iter()
        .find(|statement| !matches!(statement, Stmt::Item(Item::Use(_))));
    let Some(Stmt::Local(local)) = first else {
        return false;
    };
    let Some(init) = &local.init else {
        return false;
    };
    let syn::Expr::Try(tried) = &*init.expr else {
        return false;
    };
    let syn::Expr::Call(call) = &*tried.expr else {
        return false;
    };
    let syn::Expr::Path(called) = &*call.func else {
        return false;
    };
    ["anyone", "signed_in"]
        .iter()
        .any(|door| called.path.is_ident(door))
}
