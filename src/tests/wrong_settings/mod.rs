//! Settings that the binary refuses, or ignores: its one sentence for an operator.

mod secrets;
mod variables;

use crate::place::Place;
use std::fs;

/// Complaint of the binary in a folder with this settings file.
fn complaint_of_file(text: impl AsRef<[u8]>) -> String {
    let place = Place::new();
    fs::write(place.folder().join("Leptos.toml"), text).unwrap();
    place.complaint(&["config"], "")
}

#[test]
fn every_unknown_name_and_wrong_kind_of_a_file_is_named_at_once() {
    let complaint = complaint_of_file(
        "[sesion]\nidle_timeout_s = 60\n[session]\nidle_timeout = 60\nmax_per_user = \"ten\"\n\
         [server]\nhsts_include_sub_domains = \"yes\"\nbody_limit_bytes = -1\n\
         [forward_auth]\nallowed_hosts = \"app.example.com\"\n",
    );
    for words in [
        "[sesion]: there is no such table; did you mean session?",
        "session.idle_timeout: there is no such setting; did you mean idle_timeout_s?",
        "session.max_per_user: expected a whole number (got \"ten\")",
        "server.hsts_include_sub_domains: expected true or false (got \"yes\")",
        "server.body_limit_bytes: expected a whole number from 0 to 4294967295 (got -1)",
        "forward_auth.allowed_hosts: expected a list, such as [",
    ] {
        assert!(complaint.contains(words), "{words}: {complaint}");
    }
    assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
}

#[test]
fn a_settings_file_that_cannot_be_read_is_named_with_the_reason() {
    let place = Place::new();
    let file = place.folder().join("Leptos.toml");
    fs::create_dir(&file).unwrap();
    let complaint = place.complaint(&["config"], "");
    assert!(
        complaint.contains("Leptos.toml: this is a folder"),
        "{complaint}"
    );
    fs::remove_dir(&file).unwrap();
    std::os::unix::fs::symlink("Leptos.toml", &file).unwrap();
    let complaint = place.complaint(&["config"], "");
    assert!(
        complaint.contains("Leptos.toml: it cannot be read"),
        "{complaint}"
    );
    let complaint = complaint_of_file(b"[session]\ncookie_suffix = \"\xff\"\n");
    assert!(
        complaint.contains("Leptos.toml: the file is not UTF-8"),
        "{complaint}"
    );
    let complaint = place.complaint(&["config", "--config", "other.toml"], "");
    assert!(
        complaint.contains("other.toml: there is no such file"),
        "{complaint}"
    );
}

#[test]
fn an_address_to_listen_on_that_is_none_says_what_is_expected() {
    for address in [
        "localhost:3000",
        "3000",
        ":3000",
        "0.0.0.0",
        "http://0.0.0.0:3000",
        "",
    ] {
        let complaint = Place::new()
            .with("LEPTOS_SITE_ADDR", address)
            .complaint(&["config"], "");
        for word in ["LEPTOS_SITE_ADDR", "an IP address and a port", "[::]:3000"] {
            assert!(complaint.contains(word), "{address}: {complaint}");
        }
        assert!(
            complaint.contains(&format!("(got \"{address}\")")),
            "{complaint}"
        );
    }
    let complaint = complaint_of_file(
        "[package.metadata.leptos]\noutput-name = \"cloakroom\"\nsite-addr = \"localhost:3000\"\n",
    );
    for word in ["Leptos.toml: site-addr", "an IP address and a port"] {
        assert!(complaint.contains(word), "{complaint}");
    }
}

#[test]
fn the_error_of_a_setting_names_its_place_its_value_and_what_is_expected() {
    for (variable, value, words) in [
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "7",
            "expected 8 to 64 code points (got 7)",
        ),
        (
            "CLOAKROOM_SESSION_PRESET",
            "aal3",
            "expected aal1 or aal2 (got \"aal3\")",
        ),
        (
            "CLOAKROOM_OIDC_ISSUER",
            "http://x.example",
            "(got \"http://x.example\")",
        ),
        (
            "LEPTOS_RELOAD_PORT",
            "x",
            "LEPTOS_RELOAD_PORT: reload-port: invalid type",
        ),
        (
            "LEPTOS_ENV",
            "staging",
            "LEPTOS_ENV: env: staging is not a supported environment",
        ),
        (
            "LEPTOS_HASH_FILES",
            "maybe",
            "LEPTOS_HASH_FILES: hash-files: invalid type",
        ),
        (
            "CLOAKROOM_PORT",
            "8080",
            "unset it; `cloakroom config` then lists every setting",
        ),
    ] {
        let complaint = Place::new()
            .with(variable, value)
            .complaint(&["config"], "");
        assert!(complaint.contains(&format!("{variable}: ")), "{complaint}");
        assert!(complaint.contains(words), "{words}: {complaint}");
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }
    let leptos = "[package.metadata.leptos]\noutput-name = \"cloakroom\"\n";
    for (text, words) in [
        (
            "reload-port = \"x\"\n",
            "Leptos.toml: reload-port: invalid type",
        ),
        (
            "site-adr = \"127.0.0.1:1\"\n",
            "site-adr: there is no such setting; did you mean site-addr?",
        ),
    ] {
        let complaint = complaint_of_file(format!("{leptos}{text}"));
        assert!(complaint.contains(words), "{words}: {complaint}");
    }
}
