//! Secrets: in files that variables name, and in no error.

use super::complaint_of_file;
use crate::place::Place;
use std::fs;

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
