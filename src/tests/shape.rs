//! The rules of the rooms, read from the sources themselves.

use std::path::{Path, PathBuf};
use syn::{Item, ItemFn, Stmt, UseTree, visit::Visit};

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

/// The rooms that the `use` lines of a file name: `use crate::{app::App, wire}` names two.
#[derive(Default)]
struct Imports {
    rooms: Vec<String>,
    /// Inside a function, as `api` may import `server`.
    depth: usize,
    inside_functions: Vec<String>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.depth += 1;
        syn::visit::visit_item_fn(self, function);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let found = if self.depth == 0 {
            &mut self.rooms
        } else {
            &mut self.inside_functions
        };
        if let UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            first_names(&path.tree, found);
        }
    }
}

fn first_names(tree: &UseTree, found: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => found.push(path.ident.to_string()),
        UseTree::Name(name) => found.push(name.ident.to_string()),
        UseTree::Rename(rename) => found.push(rename.ident.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|it| first_names(it, found)),
        UseTree::Glob(_) => found.push("*".to_owned()),
    }
}

#[test]
fn rooms_import_whom_they_may() {
    for (room, allowed, allowed_inside_functions) in [
        ("src/wire", &[][..], &[][..]),
        ("src/api", &["wire"], &["server"]),
        ("src/app", &["app", "api", "wire"], &[]),
        ("src/server", &["server", "wire"], &[]),
    ] {
        for (path, text) in sources(room) {
            let mut imports = Imports::default();
            imports.visit_file(&syn::parse_file(&text).unwrap());
            let is_router = path.ends_with("router.rs");
            for name in &imports.rooms {
                let may = allowed.contains(&name.as_str()) || (is_router && name == "app");
                assert!(may, "{} imports {name}", path.display());
            }
            for name in &imports.inside_functions {
                let may = allowed_inside_functions.contains(&name.as_str());
                assert!(may, "{} imports {name}", path.display());
            }
        }
    }
    // Paths without a `use`, in macros too.
    for (room, others) in [
        (
            "src/wire",
            &["crate::api", "crate::app", "crate::server"][..],
        ),
        ("src/app", &["crate::server"]),
        ("src/server", &["crate::api"]),
        ("src/api", &["crate::app"]),
    ] {
        assert_none(room, others, &[]);
    }
    assert_none("src/server", &["crate::app"], &["router.rs"]);
}

#[test]
fn what_a_browser_must_not_have_is_in_the_server_room() {
    // The lab's page is made by the server alone, and speaks of what others do.
    let but = ["app/pages/lab.rs"];
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
            &but,
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
    let found = lines_with("src", "feature = \"", &["shape.rs"]);
    let (lab, usual): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|line| line.contains("feature = \"lab\""));
    // The worked example says which lines a product has without them.
    let for_lab = [
        "api/mod.rs",
        "app/mod.rs",
        "pages/mod.rs",
        "cli/serve.rs",
        "db/mod.rs",
        "server/doors.rs",
        "server/mod.rs",
        "tests/doors.rs",
        "tests/main.rs",
        "wire/mod.rs",
    ];
    for (lines, allowed, most) in [
        (
            usual,
            &["lib.rs", "app/mod.rs", "pages/not_found.rs"][..],
            5,
        ),
        (lab, &for_lab, 18),
    ] {
        for line in &lines {
            let file = line.split(": ").next().unwrap();
            assert!(
                allowed.iter().any(|allowed| file.ends_with(allowed)),
                "{line}"
            );
        }
        assert!(lines.len() <= most, "{lines:#?}");
    }
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    assert_none(
        "src",
        &["#[allow(", "#![allow(", "dangerous::", "insecure_decode"],
        &["shape.rs"],
    );
}

/// Every `#[server]` function of a file, however deep it stands and whatever it is called by.
#[derive(Default)]
struct ServerFunctions(Vec<ItemFn>);

impl<'ast> Visit<'ast> for ServerFunctions {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let is_server = function.attrs.iter().any(|attr| {
            let last = attr.path().segments.last();
            last.is_some_and(|segment| segment.ident == "server")
        });
        if is_server {
            self.0.push(function.clone());
        }
        syn::visit::visit_item_fn(self, function);
    }
}

#[test]
fn every_server_function_opens_with_its_door() {
    let mut doors = 0;
    for (path, text) in sources("src") {
        let mut functions = ServerFunctions::default();
        functions.visit_file(&syn::parse_file(&text).unwrap());
        for function in functions.0 {
            let place = format!("{}: {}", path.display(), function.sig.ident);
            assert!(path.to_string_lossy().contains("src/api/"), "{place}");
            assert!(opens_with_a_door(&function), "{place}");
            doors += 1;
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
    [
        "anyone",
        "signed_in",
        "signed_in_or_repeating",
        "recently_signed_in",
    ]
    .iter()
    .any(|door| called.path.is_ident(door))
}

#[test]
fn migrations_of_cloakroom_are_numbered_below_1000() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/migrations");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (number, _) = name.split_once('_').unwrap();
        let number: u32 = number.parse().unwrap();
        assert!(
            number < 1000,
            "{name}: numbers from 1000 are for products that are built on Cloakroom; \
             in a product, take this test out"
        );
        read += 1;
    }
    assert!(read >= 5);
}
