//! Settings: the shipped file is the defaults, and a wrong key is named.

use cloakroom::server::{
    config::Config,
    settings::{SHIPPED, Settings},
};
use std::path::PathBuf;

fn load(text: &str) -> Result<Settings, String> {
    let file: PathBuf = std::env::temp_dir().join(format!(
        "cloakroom-settings-{}-{}.toml",
        std::process::id(),
        text.len()
    ));
    std::fs::write(&file, text).unwrap();
    let loaded = Settings::load(Some(&file)).map_err(|error| error.to_string());
    std::fs::remove_file(&file).unwrap();
    loaded
}

const LEPTOS: &str = "[package.metadata.leptos]\noutput-name = \"cloakroom\"\n";

#[test]
fn the_shipped_file_holds_every_key_with_its_default() {
    let shipped: toml::Table = toml::from_str(SHIPPED).unwrap();
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    for (table, keys) in &defaults {
        assert_eq!(shipped.get(table), Some(keys), "[{table}]");
    }
    assert_eq!(shipped.len(), defaults.len() + 1, "and Leptos's own table");
}

#[test]
fn keys_that_two_files_share_are_equal() {
    let shipped: toml::Table = toml::from_str(SHIPPED).unwrap();
    let built: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
    let table = |file: &toml::Table| {
        file["package"]["metadata"]["leptos"]
            .as_table()
            .unwrap()
            .clone()
    };
    let (shipped, built) = (table(&shipped), table(&built));
    let shared: Vec<_> = shipped
        .keys()
        .filter(|key| built.contains_key(*key))
        .collect();
    assert!(shared.len() >= 5, "{shared:?}");
    for key in shared {
        assert_eq!(shipped[key], built[key], "{key}");
    }
}

#[test]
fn a_wrong_key_is_named_with_its_file_and_what_was_expected() {
    for (text, named) in [
        (
            "[session]\nidle_timeout = 5\n",
            ["idle_timeout", "idle_timeout_s", ".toml"],
        ),
        (
            "[sesion]\nidle_timeout_s = 5\n",
            ["sesion", "session", ".toml"],
        ),
        (
            "[session]\nidle_timeout_s = \"soon\"\n",
            ["session.idle_timeout_s", "whole number", ".toml"],
        ),
        (
            "[passwords]\nmin_length = 7\n",
            ["passwords.min_length", "8 to 64", ".toml"],
        ),
        (
            "[passwords]\nmemory_kib = 300000\n",
            ["passwords.memory_kib", "262144", ".toml"],
        ),
        (
            "[retention]\nsessions_days = 30\n",
            ["retention.sessions_days", "31 to 36500 days", ".toml"],
        ),
        (
            "[server]\nheader_timeout_s = 0\n",
            ["server.header_timeout_s", "at least 1", ".toml"],
        ),
    ] {
        let error = load(&format!("{LEPTOS}{text}")).err().unwrap();
        for part in named {
            assert!(error.contains(part), "{text}: {error}");
        }
    }
    for (key, value) in [("site-adr", "x"), ("site-addr", "nonsense")] {
        let error = load(&format!("{LEPTOS}{key} = \"{value}\"\n"))
            .err()
            .unwrap();
        assert!(error.contains(key) && error.contains(".toml"), "{error}");
    }
    let missing = Settings::load(Some(&PathBuf::from("nowhere.toml")))
        .err()
        .unwrap();
    assert!(missing.to_string().contains("nowhere.toml"));
}

#[test]
fn whatever_is_left_out_of_the_file_keeps_its_default() {
    let whole = load(SHIPPED).unwrap();
    let known = |settings: &Settings| {
        let leptos = &settings.leptos;
        (
            settings
                .lines()
                .iter()
                .map(|line| without_source(line))
                .collect::<Vec<_>>(),
            format!("{leptos:?}"),
        )
    };
    let lines: Vec<&str> = SHIPPED.lines().collect();
    let mut left_out = 0;
    for (at, line) in lines.iter().enumerate() {
        // Leptos asks for its output-name wherever its table is.
        if !line.contains(" = ") || line.starts_with("output-name") {
            continue;
        }
        let mut rest = lines.clone();
        rest.remove(at);
        let settings = load(&rest.join("\n")).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(known(&settings), known(&whole), "{line}");
        left_out += 1;
    }
    assert!(left_out > 20);
    let ours_alone = load("[passwords]\nmin_length = 15\n").unwrap();
    assert_eq!(known(&ours_alone), known(&whole));
}

fn without_source(line: &str) -> String {
    line.split("    # ").next().unwrap().to_owned()
}

#[test]
fn secrets_are_not_printed() {
    let settings = load(&format!(
        "{LEPTOS}[database]\nurl = \"postgres://me:hunter2@x/y\"\n"
    ))
    .unwrap();
    let lines = settings.lines().join("\n");
    assert!(lines.contains("database.url = (not shown)"));
    assert!(!lines.contains("hunter2"));
    assert!(lines.contains("session.idle_timeout_s = 3600    # default"));
}
