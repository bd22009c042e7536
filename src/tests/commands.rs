//! Lists and events of the operator's commands.

use crate::{
    app::{EMAIL, PASSWORD},
    place::Place,
};
use serde_json::Value;
use std::{io::Write, process::Output};

fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap());
    objects.collect()
}

/// The log lines and the error of a command.
pub fn events(output: &Output) -> String {
    without_database(&String::from_utf8_lossy(&output.stderr))
}

/// Standard error without the line that names the database.
pub fn without_database(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .filter(|line| !line.starts_with("Database: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn lists_are_one_object_a_line_and_show_who_is_disabled() {
    let place = Place::new();
    for email in [EMAIL, "grace@example.com"] {
        place.said(&["user", "add", "--email", email], PASSWORD);
    }
    let disabled = place.run(&["user", "disable", "--email", EMAIL], "");
    assert!(events(&disabled).contains("event=\"account_disabled\""));
    let users = lines(&place.run(&["user", "list", "--json"], "").stdout);
    assert_eq!(users.len(), 2);
    assert_eq!(users[0]["email"], EMAIL);
    assert!(users[0]["disabled_at"].as_i64().unwrap() > 0 && users[1]["disabled_at"].is_null());
    let text = place.said(&["user", "list"], "");
    let (first, second) = text.trim_end_matches('\n').split_once('\n').unwrap();
    let at = users[0]["disabled_at"].to_string();
    assert!(first.ends_with(&at) && second.ends_with('\t'), "{text}");
    let enabled = place.run(&["user", "enable", "--email", EMAIL], "");
    assert!(events(&enabled).contains("event=\"account_enabled\""));
    assert!(!events(&enabled).contains("account_disabled"));

    let add = [
        "client",
        "add",
        "--name",
        "Orders",
        "--grant-type",
        "client_credentials",
        "--scope",
        "orders:read",
    ];
    place.said(&add, "");
    let clients = lines(&place.run(&["client", "list", "--json"], "").stdout);
    assert_eq!(clients[0]["name"], "Orders");
    assert_eq!(clients[0]["grant_types"][0], "client_credentials");
    let id = clients[0]["id"].as_str().unwrap();
    for (command, event) in [("disable", "client_disabled"), ("enable", "client_enabled")] {
        let done = place.run(&["client", command, id], "");
        assert!(events(&done).contains(&format!("event=\"{event}\"")));
    }
    let keys = lines(&place.run(&["keys", "list", "--json"], "").stdout);
    assert_eq!(
        (&keys[0]["algorithm"], &keys[0]["state"]),
        (&"ES256".into(), &"signing".into())
    );
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let place = Place::new();
    for number in 0..3 {
        let email = format!("user{number}@example.com");
        place.said(&["user", "add", "--email", &email], PASSWORD);
    }
    for words in [
        &["user", "list"][..],
        &["user", "list", "--json"],
        &["config"],
        &["keys", "list"],
    ] {
        let mut child = place.command(words).spawn().unwrap();
        // Closed before it prints.
        drop(child.stdout.take());
        child.stdin.take().unwrap().flush().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert_eq!(events(&output), "", "{words:?}");
    }
}

#[test]
fn migrate_makes_the_tables_and_nothing_else() {
    let place = Place::new();
    for _ in 0..2 {
        let said = place.said(&["migrate"], "");
        assert!(
            said.contains("cloakroom.db: the tables are those of"),
            "{said}"
        );
    }
    assert!(!place.folder().join("data/secret.key").exists());
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    assert!(place.said(&["user", "list"], "").contains(EMAIL));
}
