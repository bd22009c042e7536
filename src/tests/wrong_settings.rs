//! Settings that the binary refuses, or ignores: its one sentence for an operator.

use crate::place::Place;
use std::fs;

/// Complaint of the binary in a folder with this settings file.
fn complaint_of_file(text: impl AsRef<[u8]>) -> String {
    let place = Place::new();
    fs::write(place.folder().join("Leptos.toml"), text).unwrap();
    place.complaint(&["config"], "")
}

#[test]
fn variables_that_kubernetes_injects_for_a_service_of_the_same_name_are_ignored() {
    let services = [
        ("CLOAKROOM_PORT", "tcp://10.96.0.7:80"),
        ("CLOAKROOM_SERVICE_HOST", "10.96.0.7"),
        ("CLOAKROOM_SERVICE_PORT", "80"),
        ("CLOAKROOM_SERVICE_PORT_HTTP", "80"),
        ("CLOAKROOM_PORT_80_TCP", "tcp://10.96.0.7:80"),
        ("CLOAKROOM_PORT_80_TCP_PROTO", "tcp"),
        ("CLOAKROOM_PORT_80_TCP_PORT", "80"),
        ("CLOAKROOM_PORT_80_TCP_ADDR", "10.96.0.7"),
        ("CLOAKROOM_PORT_53_UDP", "udp://10.96.0.7:53"),
        ("CLOAKROOM_PORT_53_UDP_ADDR", "10.96.0.7"),
        // Services named cloakroom-db and leptos.
        ("CLOAKROOM_DB_SERVICE_HOST", "10.96.0.8"),
        ("CLOAKROOM_DB_SERVICE_PORT", "5432"),
        ("CLOAKROOM_DB_PORT", "tcp://10.96.0.8:5432"),
        ("CLOAKROOM_DB_PORT_5432_TCP_ADDR", "10.96.0.8"),
        ("LEPTOS_SERVICE_HOST", "10.96.0.9"),
        ("LEPTOS_PORT", "tcp://10.96.0.9:80"),
    ];
    let place = services
        .iter()
        .fold(Place::new(), |place, (name, value)| place.with(name, value));
    let settings = place.said(&["config"], "");
    assert!(settings.contains("passwords.min_length = 15"), "{settings}");
}

#[test]
fn every_unknown_variable_is_named_at_once() {
    let place = Place::new()
        .with("CLOAKROOM_SESION_IDLE_TIMEOUT_S", "60")
        .with("CLOAKROOM_SESSION_IDLE_TIMEOUT", "60")
        .with("CLOAKROOM_PORT", "8080")
        .with("CLOAKROOM_PORT_HTTP", "8080")
        .with("LEPTOS_SITE_ADR", "0.0.0.0:3000")
        .with("CLOAKROOM_PASSWORDS_MIN_LENGTH_FILE", "/run/secrets/x");
    let complaint = place.complaint(&["config"], "");
    for word in [
        "CLOAKROOM_SESION_IDLE_TIMEOUT_S",
        "did you mean CLOAKROOM_SESSION_IDLE_TIMEOUT_S?",
        "CLOAKROOM_SESSION_IDLE_TIMEOUT:",
        "CLOAKROOM_PORT:",
        "CLOAKROOM_PORT_HTTP:",
        "LEPTOS_SITE_ADR",
        "did you mean LEPTOS_SITE_ADDR?",
        "CLOAKROOM_PASSWORDS_MIN_LENGTH_FILE:",
    ] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
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

/// Names from the sources of Leptos 0.8.23 and cargo-leptos 0.3.10, which sets some of them for the
/// server that it starts.
#[test]
fn variables_of_leptos_and_of_its_build_are_no_errors() {
    let names = "ASSETS_DIR BIN_CARGO_COMMAND BIN_DIR BIN_EXE_NAME BIN_TARGET BIN_TARGET_DIR \
        BIN_TARGET_TRIPLE BROWSERQUERY END2END_CMD END2END_DIR GRACEFUL_SHUTDOWN \
        GRACEFUL_SHUTDOWN_TIMEOUT_SECS GRACEFUL_SHUTDOWN_UNIX_SIGNAL HASH_FILE_NAME JS_MINIFY \
        LIB_DIR OUTPUT_NAME SASS_VERSION SITE_PKG_DIR SITE_ROOT STYLE_BUNDLE STYLE_FILE \
        TAILWIND_VERSION WASM_BINDGEN_VERSION WASM_OPT_FEATURES WASM_OPT_VERSION WATCH";
    let place = names.split_whitespace().fold(Place::new(), |place, name| {
        place.with(&format!("LEPTOS_{name}"), "cloakroom")
    });
    let place = place
        // Of another program.
        .with("DATABASE_URL_TEST", "postgres://x/y")
        .with("LEPTOS_ENV", "PROD")
        .with("LEPTOS_HASH_FILES", "false")
        .with("LEPTOS_RELOAD_PORT", "3001")
        .with("LEPTOS_SITE_ADDR", "127.0.0.1:3000");
    place.said(&["config"], "");
}

#[test]
fn a_text_that_looks_like_another_kind_is_taken_from_a_variable_as_a_text() {
    for (value, shown) in [
        ("7", "session.cookie_suffix = \"7\""),
        ("true", "session.cookie_suffix = \"true\""),
    ] {
        let place = Place::new().with("CLOAKROOM_SESSION_COOKIE_SUFFIX", value);
        let settings = place.said(&["config"], "");
        assert!(settings.contains(shown), "{settings}");
    }
}

#[test]
fn an_error_in_a_settings_file_never_prints_a_secret_of_it() {
    for (text, position) in [
        ("[secret]\nkey = \"hunter2-abc\n", "line 2"),
        ("[secret]\nkey = hunter2-abc\n", "line 2"),
        ("[secret]\nkey = 'hunter2-abc' 'hunter2'\n", "line 2"),
        ("[secret]\nkey = '''\nhunter2-abc\n", "line"),
        ("[secret]\nkey = \"\\hunter2-abc\"\n", "line 2"),
        ("[secret]\r\nkey = \"hunter2-abc\r\nx\"\r\n", "line 2"),
        (
            "secret.key = \"hunter2\"\nsecret.key = \"hunter2\"\n",
            "line 2",
        ),
        ("[database]\nurl = postgres://me:hunter2@x/y\n", "line 2"),
        (
            "[database]\nurl = \"x\"\nurl = \"postgres://me:hunter2@x/y\"\n",
            "line 3",
        ),
        // No syntax errors: a secret in a place of another kind.
        ("database = \"postgres://me:hunter2@x/y\"\n", "database"),
        ("secret = \"hunter2\"\n", "secret"),
        (
            "[database]\nmax_connections = \"hunter2\"\n",
            "database.max_connections",
        ),
        ("[secret]\nkey = [\"hunter2\"]\n", "secret.key"),
        ("[secret]\nkey = \"hunter2\"\n", "secret.key"),
    ] {
        let complaint = complaint_of_file(text);
        assert!(!complaint.contains("hunter2"), "{text}: {complaint}");
        for word in [position, "Leptos.toml"] {
            assert!(complaint.contains(word), "{word}: {text}: {complaint}");
        }
        assert_eq!(complaint.trim().lines().count(), 1, "{text}: {complaint}");
    }
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
fn a_secret_in_a_file_is_read_without_the_end_of_its_line() {
    let place = Place::new();
    let key = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
    let file = place.folder().join("secret");
    let url = place.folder().join("url");
    fs::write(&file, format!("{key}\n")).unwrap();
    fs::write(&url, "sqlite://elsewhere.db?mode=rwc\r\n").unwrap();
    let place = place
        .with("CLOAKROOM_SECRET_KEY_FILE", file.to_str().unwrap())
        .with("DATABASE_URL_FILE", url.to_str().unwrap());
    let settings = place.said(&["config"], "");
    for line in [
        "secret.key = (not shown)    # CLOAKROOM_SECRET_KEY_FILE",
        "database.url = (not shown)    # DATABASE_URL_FILE",
    ] {
        assert!(settings.contains(line), "{settings}");
    }
    place.said(
        &["user", "add", "--email", "a@b.example"],
        "a quiet lamp over seven stairs\n",
    );
    assert!(place.folder().join("elsewhere.db").is_file());
    assert!(!place.folder().join("data/secret.key").exists());
}

#[test]
fn a_secret_in_a_file_that_cannot_be_used_is_an_error_that_names_the_file() {
    let place = Place::new();
    fs::write(place.folder().join("empty"), "\n").unwrap();
    fs::write(place.folder().join("short"), "hunter2\n").unwrap();
    for (variables, words) in [
        (
            &[("CLOAKROOM_SECRET_KEY_FILE", "nowhere")][..],
            ["CLOAKROOM_SECRET_KEY_FILE: nowhere: there is no such file"],
        ),
        (
            &[("DATABASE_URL_FILE", "data")],
            ["DATABASE_URL_FILE: data: this is a folder"],
        ),
        (
            &[("DATABASE_URL_FILE", "empty")],
            ["DATABASE_URL_FILE: empty: the file is empty"],
        ),
        (
            &[("CLOAKROOM_SECRET_KEY_FILE", "short")],
            ["CLOAKROOM_SECRET_KEY_FILE: secret.key: expected 32 bytes"],
        ),
        (
            &[
                ("DATABASE_URL_FILE", "short"),
                ("DATABASE_URL", "postgres://x/hunter2"),
            ],
            ["both set"],
        ),
        (
            &[
                ("CLOAKROOM_SECRET_KEY_FILE", "short"),
                ("CLOAKROOM_SECRET_KEY", "hunter2"),
            ],
            ["both set"],
        ),
        (
            &[
                ("CLOAKROOM_DATABASE_URL", "postgres://x/hunter2"),
                ("DATABASE_URL", "postgres://x/y"),
            ],
            ["both set"],
        ),
    ] {
        fs::create_dir_all(place.folder().join("data")).unwrap();
        let output = place
            .command(&["config"])
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{variables:?}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        for word in words {
            assert!(complaint.contains(word), "{word}: {complaint}");
        }
        assert!(complaint.contains(variables[0].0), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
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
