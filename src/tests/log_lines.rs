//! Lines of the log by which an operator, or a firewall, knows an address.

use crate::{
    app::{Browser, EMAIL, PASSWORD, Program},
    place::Place,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Command,
};

/// Lines with this event.
fn lines<'a>(log: &'a str, event: &str) -> Vec<&'a str> {
    let field = format!("event=\"{event}\"");
    log.lines().filter(|line| line.contains(&field)).collect()
}

fn behind_a_proxy() -> Place {
    Place::new().with("CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS", "1")
}

#[tokio::test]
async fn a_sign_up_and_a_sign_in_are_logged_with_the_address() {
    let mut place = behind_a_proxy();
    let browser = place.serve("info");
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let there = "::ffff:198.51.100.7";
    assert_eq!(browser.call_from(there, "sign_up", &form).await.status, 200);
    let there = "2001:db8::7";
    assert_eq!(browser.call_from(there, "sign_in", &form).await.status, 200);
    let log = place.stop();
    for (event, address) in [("signed_up", "198.51.100.7"), ("signed_in", "2001:db8::7")] {
        let found = lines(&log, event);
        assert_eq!(found.len(), 1, "{log}");
        assert!(
            found[0].ends_with(&format!(" address={address}")),
            "{}",
            found[0]
        );
    }
}

#[tokio::test]
async fn refused_tries_are_one_line_a_minute_for_each_address() {
    let mut place = behind_a_proxy()
        .with("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "1")
        .with("CLOAKROOM_LIMITS_SIGN_UPS_PER_ADDRESS", "1");
    let browser = place.serve("info");
    let form = [("email", EMAIL), ("password", "not this one at all")];
    for there in ["198.51.100.1", "198.51.100.2"] {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let visitor = Browser::at(browser.url().to_owned());
            statuses.push(visitor.call_from(there, "sign_in", &form).await.status);
        }
        assert_eq!(statuses, [401, 429, 429, 429], "{there}");
    }
    let there = "198.51.100.3";
    for (email, status) in [("one@example.com", 200), ("two@example.com", 429)] {
        let form = [("email", email), ("password", PASSWORD)];
        let visitor = Browser::at(browser.url().to_owned());
        let answer = visitor.call_from(there, "sign_up", &form).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let log = place.stop();
    let found = lines(&log, "too_many_requests");
    for (address, limit) in [
        ("198.51.100.1", "sign_ins_of_network"),
        ("198.51.100.2", "sign_ins_of_network"),
        ("198.51.100.3", "sign_ups"),
    ] {
        let fields = format!("address={address} limit=\"{limit}\"");
        let own: Vec<_> = found.iter().filter(|line| line.contains(&fields)).collect();
        assert_eq!(own.len(), 1, "{fields}: {log}");
    }
    assert_eq!(found.len(), 3, "{log}");
}

#[tokio::test]
async fn refused_requests_of_an_api_key_are_one_line_with_the_address() {
    let mut place = Place::new().with("CLOAKROOM_LIMITS_REQUESTS_PER_KEY", "1");
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let program = Program::new(browser.url(), &browser.key("profile:read").await);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(program.get("/v1/me").await.status);
    }
    assert_eq!(statuses, [200, 429, 429]);
    let log = place.stop();
    let found = lines(&log, "too_many_requests");
    assert_eq!(found.len(), 1, "{log}");
    let fields = "address=127.0.0.1 limit=\"requests_of_key\"";
    assert!(found[0].contains(fields), "{}", found[0]);
}

/// Events that the sources of this folder log. The lab is in no release.
fn events_of(folder: &Path, events: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("lab") {
            events_of(&path, events);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text.split("event = \"").skip(1);
            let named = named.filter_map(|rest| rest.split('"').next());
            events.extend(named.filter(|it| !it.contains(':')).map(str::to_owned));
        }
    }
}

#[test]
fn the_document_for_operators_lists_every_event_of_the_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut logged = BTreeSet::new();
    events_of(&root.join("src/server"), &mut logged);
    assert!(logged.len() > 50, "{logged:?}");
    let document = fs::read_to_string(root.join("docs/operate.md")).unwrap();
    let (_, section) = document.split_once("\n## The log\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut listed = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let events = row.split('|').nth(1).unwrap();
        listed.extend(events.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let missing: Vec<_> = logged.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&logged).collect();
    assert!(missing.is_empty(), "not in docs/operate.md: {missing:?}");
    assert!(
        gone.is_empty(),
        "in docs/operate.md, and not logged: {gone:?}"
    );
}

#[tokio::test]
async fn a_missing_site_folder_is_said_at_the_start() {
    let folder = std::env::temp_dir();
    let missing = folder.join("cloakroom-no-such-site");
    for (site, is_said) in [(&missing, true), (&folder, false)] {
        let mut place = Place::new().with("LEPTOS_SITE_ROOT", site.to_str().unwrap());
        place.serve("info");
        let log = place.stop();
        assert_eq!(
            lines(&log, "site_missing").len(),
            usize::from(is_said),
            "{log}"
        );
        assert_eq!(log.contains("LEPTOS_SITE_ROOT"), is_said, "{log}");
    }
}

/// The log of a server with these variables, line by line, until it was asked to stop.
fn json_log(place: &Place, variables: &[(&str, &str)]) -> Vec<Value> {
    let mut child = place
        .command(&[])
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
        .env("CLOAKROOM_LOG_FORMAT", "json")
        .envs(variables.iter().copied())
        .spawn()
        .unwrap();
    let mut log = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let object: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        if object["event"] == "listening" {
            let id = child.id().to_string();
            assert!(Command::new("kill").arg(id).status().unwrap().success());
        }
        log.push(object);
    }
    child.wait().unwrap();
    log
}

fn has(log: &[Value], field: &str, value: &str) -> bool {
    log.iter().any(|line| line[field] == value)
}

#[test]
fn lines_are_json_objects_where_the_settings_say_so() {
    let place = Place::new();
    let log = json_log(&place, &[]);
    assert!(has(&log, "event", "listening"), "{log:?}");
    assert!(
        log.iter().all(|line| line["timestamp"].is_string()),
        "{log:?}"
    );
    assert!(
        has(&log, "level", "INFO") && !has(&log, "level", "DEBUG"),
        "{log:?}"
    );
    // The line about an early end is one as well.
    fs::write(place.folder().join("data/secret.key"), "another\n").unwrap();
    let log = json_log(&place, &[]);
    assert!(has(&log, "event", "stopped"), "{log:?}");
}

#[test]
fn the_level_of_the_settings_holds_and_the_variable_of_rust_goes_over_it() {
    let debug = ("CLOAKROOM_LOG_LEVEL", "debug");
    assert!(has(&json_log(&Place::new(), &[debug]), "level", "DEBUG"));
    let log = json_log(&Place::new(), &[debug, ("RUST_LOG", "info")]);
    assert!(!has(&log, "level", "DEBUG"), "{log:?}");
    let log = json_log(&Place::new(), &[("RUST_LOG", "")]);
    assert!(has(&log, "event", "listening"), "{log:?}");
    for (variable, value, words) in [
        (
            "CLOAKROOM_LOG_LEVEL",
            "inof",
            "expected error or warn or info",
        ),
        (
            "CLOAKROOM_LOG_FORMAT",
            "xml",
            "expected text or json (got \"xml\")",
        ),
        ("RUST_LOG", "info,=,", "such as info or info,sqlx=debug"),
    ] {
        let complaint = Place::new().with(variable, value).complaint(&[], "");
        assert!(complaint.contains(variable), "{complaint}");
        assert!(complaint.contains(words), "{complaint}");
    }
}

#[test]
fn the_error_of_a_command_or_of_a_setting_is_one_line_without_a_line_of_the_log() {
    let place = Place::new();
    place.said(&["config"], "");
    for (words, variables) in [
        (&["config"][..], &[("CLOAKROOM_SESION", "1")][..]),
        (&[], &[("CLOAKROOM_SESION", "1")]),
        (&["user", "disable", "--email", "a@b.example"], &[]),
    ] {
        let mut command = place.command(words);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(!output.status.success(), "{words:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        let last = complaint.lines().last().unwrap();
        assert!(last.starts_with("cloakroom: "), "{complaint}");
        assert!(!complaint.contains("ERROR"), "{complaint}");
    }
}
