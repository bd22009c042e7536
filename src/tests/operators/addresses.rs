//! Addresses of databases that are wrong: each is refused with its fault, before anything is made.

use crate::place::Place;

/// No port here has a server; no address is one that could be reached.
fn refusal(url: &str, variables: &[(&str, &str)]) -> String {
    let mut place = Place::new().with("DATABASE_URL", url);
    for (name, value) in variables {
        place = place.with(name, value);
    }
    let complaint = place.complaint(&["user", "list"], "");
    assert_eq!(complaint.lines().count(), 1, "{url}: {complaint}");
    assert!(!complaint.contains("a-secret"), "{url}: {complaint}");
    assert!(!place.folder().join("data").exists(), "{url}");
    complaint
}

#[test]
fn a_wrong_address_of_a_database_is_refused_with_its_fault() {
    let at = "postgres://ada:a-secret@127.0.0.1:1/cloakroom";
    for (end, words) in [
        ("?ssl=true", ["\"ssl\" is unknown", "sslmode=verify-full"]),
        (
            "?target_session_attrs=read-write",
            ["\"target_session_attrs\"", "takes writes"],
        ),
        (
            "?connect_timeout=5",
            ["\"connect_timeout\" is unknown", "time limits"],
        ),
        (
            "?channel_binding=require",
            ["\"channel_binding\"", "sslmode=verify-full"],
        ),
        (
            "?pgbouncer=true",
            ["\"pgbouncer\" is unknown", "sslrootcert"],
        ),
        ("?SSLMODE=require", ["\"SSLMODE\" is unknown", "sslmode"]),
        (
            "?options[search_path=x",
            ["\"options[search_path\"", "options[NAME]"],
        ),
        (
            "?sslmode=verify_full",
            ["sslmode=verify_full", "verify-full"],
        ),
        (
            "?sslmode=verify-full&ssl-mode=disable",
            ["sslmode", "twice"],
        ),
        ("?port=70000", ["port=70000", "1 to 65535"]),
        ("?hostaddr=db", ["hostaddr=db", "IP address"]),
        ("?host=a,b", ["one host", "takes writes"]),
        ("?host=[::1]", ["host=[::1]", "without brackets"]),
        (
            "?statement-cache-capacity=no",
            ["statement-cache-capacity=no", "number"],
        ),
        (
            "?sslrootcert=system&sslmode=verify-full",
            ["sslrootcert=system", "file"],
        ),
        ("?sslcert=a.pem", ["sslkey", "together"]),
        (
            "?host=/run/postgresql&sslmode=require",
            ["sslmode=require", "Unix socket"],
        ),
        ("?password=a-secret&a-secret", ["%26", "password"]),
        (
            "?sslkey=-----BEGIN%20PRIVATE%20KEY-----a-secret",
            ["sslkey", "PGSSLKEY"],
        ),
        ("#a-secret", ["`#`", "%23"]),
    ] {
        let complaint = refusal(&format!("{at}{end}"), &[]);
        for word in words {
            assert!(complaint.contains(word), "{end}: {complaint}");
        }
    }
    for (url, word) in [
        ("mysql://ada:a-secret@127.0.0.1/cloakroom", "postgres:"),
        ("postgres://ada:a-secret#1@127.0.0.1/cloakroom", "%23"),
        ("postgres://ada:a-secret/1@127.0.0.1/cloakroom", "%2F"),
        (
            "postgres://ada:a-secret@/cloakroom?host=/run",
            "host=/run/postgresql&user=",
        ),
        ("postgres://ada:a-secret@a,b/cloakroom", "one host"),
        ("postgres://ada:a-secret@a:1,b:2/cloakroom", "one host"),
    ] {
        let complaint = refusal(url, &[]);
        assert!(complaint.contains(word), "{url}: {complaint}");
    }
    for (name, value, word) in [
        ("PGSSLMODE", "verify_full", "verify-full"),
        ("PGPORT", "postgres", "1 to 65535"),
        ("PGSSLKEY", "a.key", "sslcert"),
        ("PGSSLROOTCERT", "system", "file"),
    ] {
        let complaint = refusal(at, &[(name, value)]);
        assert!(
            complaint.contains(name) || name.contains("ROOT"),
            "{complaint}"
        );
        assert!(complaint.contains(word), "{name}: {complaint}");
    }
}
