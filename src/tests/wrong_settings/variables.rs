//! Variables that begin like settings.

use crate::place::Place;

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
