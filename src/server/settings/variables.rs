//! Settings from environment variables. A name that begins like one and is none is an error, unless
//! Kubernetes, Leptos or cargo-leptos put it there.

use super::{
    file::why_unread,
    names::{hint, misfit},
};
use figment::{
    Metadata, Profile, Provider,
    util::nest,
    value::{Dict, Map, Value},
};
use std::ffi::OsString;

/// Variables that begin like settings and are none: the command line's, the tests', the examples'.
const NOT_SETTINGS: [&str; 3] = ["CLOAKROOM_CONFIG", "CLOAKROOM_BIN", "CLOAKROOM_PYTHON"];
/// Begins the names of variables by which tests find their servers.
const OF_TESTS: &str = "CLOAKROOM_TEST_";
/// Ends the name of a variable that names a file with the value.
const FILE: &str = "_FILE";
/// Settings that a file may hold, with their variables.
const IN_FILES: [(&str, &str); 3] = [
    ("CLOAKROOM_SECRET_KEY", "secret.key"),
    ("CLOAKROOM_DATABASE_URL", "database.url"),
    ("DATABASE_URL", "database.url"),
];
/// Variables that Leptos 0.8 or cargo-leptos 0.3 reads or sets.
const OF_LEPTOS: [&str; 37] = [
    "LEPTOS_ASSETS_DIR",
    "LEPTOS_BIN_CARGO_COMMAND",
    "LEPTOS_BIN_DIR",
    "LEPTOS_BIN_EXE_NAME",
    "LEPTOS_BIN_TARGET",
    "LEPTOS_BIN_TARGET_DIR",
    "LEPTOS_BIN_TARGET_TRIPLE",
    "LEPTOS_BROWSERQUERY",
    "LEPTOS_DISABLE_SERVER_FN_HASH",
    "LEPTOS_END2END_CMD",
    "LEPTOS_END2END_DIR",
    "LEPTOS_ENV",
    "LEPTOS_GRACEFUL_SHUTDOWN",
    "LEPTOS_GRACEFUL_SHUTDOWN_TIMEOUT_SECS",
    "LEPTOS_GRACEFUL_SHUTDOWN_UNIX_SIGNAL",
    "LEPTOS_HASH_FILE",
    "LEPTOS_HASH_FILES",
    "LEPTOS_HASH_FILE_NAME",
    "LEPTOS_JS_MINIFY",
    "LEPTOS_LIB_DIR",
    "LEPTOS_NOT_FOUND_PATH",
    "LEPTOS_OUTPUT_NAME",
    "LEPTOS_RELOAD_EXTERNAL_PORT",
    "LEPTOS_RELOAD_PORT",
    "LEPTOS_RELOAD_WS_PROTOCOL",
    "LEPTOS_SASS_VERSION",
    "LEPTOS_SERVER_FN_MOD_PATH",
    "LEPTOS_SERVER_FN_PREFIX",
    "LEPTOS_SITE_ADDR",
    "LEPTOS_SITE_PKG_DIR",
    "LEPTOS_SITE_ROOT",
    "LEPTOS_STYLE_BUNDLE",
    "LEPTOS_STYLE_FILE",
    "LEPTOS_TAILWIND_VERSION",
    "LEPTOS_WASM_BINDGEN_VERSION",
    "LEPTOS_WASM_OPT_FEATURES",
    "LEPTOS_WASM_OPT_VERSION",
];
/// Also read by cargo-leptos, and set by it where it watches.
const OF_WATCH: &str = "LEPTOS_WATCH";

/// A setting from the environment.
pub(super) struct Variable {
    name: String,
    key: String,
    value: Value,
}

/// Begins the name that the sources of a setting give a variable.
const SOURCE: &str = "variable ";

/// Name of the variable that is the source of a setting.
pub(super) fn variable_of(source: &Metadata) -> Option<&str> {
    source.name.strip_prefix(SOURCE)
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("{SOURCE}{}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nested = nest(&self.key, self.value.clone()).into_dict();
        Ok(Profile::Default.collect(nested.unwrap_or_default()))
    }
}

/// Reads the variables that are settings, and lists the faults of those that begin like one.
pub(super) fn read(defaults: &Dict) -> (Vec<Variable>, Vec<String>) {
    let known = known(defaults);
    let all: Vec<(String, OsString)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.to_str()?.to_ascii_uppercase(), value)))
        .filter(|(name, _)| {
            // Other programs have variables that begin with DATABASE_URL.
            let is_url = name == "DATABASE_URL" || name == "DATABASE_URL_FILE";
            is_url || name.starts_with("CLOAKROOM_") || name.starts_with("LEPTOS_")
        })
        .collect();
    let services = services(&all);
    let (mut variables, mut faults) = (Vec::new(), Vec::new());
    let mut set: Vec<(&String, String)> = Vec::new();
    for (name, value) in all {
        let is_file = name.ends_with(FILE);
        let own_name = name.strip_suffix(FILE).unwrap_or(&name);
        let of_file = IN_FILES
            .iter()
            .find(|(known, _)| is_file && *known == own_name);
        let found = known.iter().find(|(known, ..)| *known == own_name);
        let (key, default) = match (found, of_file) {
            (Some((_, key, default)), Some(_)) => (key, default),
            (Some((known, key, default)), None) if *known == name => (key, default),
            _ => {
                if !is_of_others(&name, &value, &services) {
                    let names = known.iter().map(|(name, ..)| name);
                    faults.push(unknown(&name, names));
                }
                continue;
            }
        };
        if let Some((_, other)) = set.iter().find(|(other, _)| *other == key) {
            faults.push(format!("{other} and {name} are both set: keep one of them"));
            continue;
        }
        set.push((key, name.clone()));
        let text = match of_file {
            Some(_) => read_file(&name, &value),
            None => value
                .into_string()
                .map_err(|_| format!("{name}: the value is not UTF-8 text")),
        };
        let text = text.and_then(|text| refuse_empty(&name, text));
        match text.map(|text| typed(text, default)) {
            Ok(value) => {
                faults.extend(misfit(&name, key, &value, default));
                let key = key.clone();
                variables.push(Variable { name, key, value });
            }
            Err(fault) => faults.push(fault),
        }
    }
    faults.sort();
    (variables, faults)
}

/// Refuses a variable that names where data or the secret are and is empty, as a script leaves it whose own variable is
/// missing: a new database or secret would take the place of the right one.
fn refuse_empty(name: &str, text: String) -> Result<String, String> {
    let instead = match name {
        "DATABASE_URL" | "CLOAKROOM_DATABASE_URL" => "SQLite in the data folder",
        "CLOAKROOM_SECRET_KEY" => "secret.key in the data folder",
        "CLOAKROOM_DATA_DIR" => "the folder that the settings name",
        _ => return Ok(text),
    };
    if text.trim().is_empty() {
        return Err(format!(
            "{name} is empty: set it, or unset it for {instead}"
        ));
    }
    Ok(text)
}

/// Lists every variable that is a setting, with the setting and its default.
fn known(defaults: &Dict) -> Vec<(String, String, &Value)> {
    let mut known = Vec::new();
    for (table, keys) in defaults {
        for (key, default) in keys.as_dict().into_iter().flatten() {
            let name = format!("CLOAKROOM_{table}_{key}").to_ascii_uppercase();
            let key = format!("{table}.{key}");
            if key == "database.url" {
                known.push(("DATABASE_URL".to_owned(), key.clone(), default));
            }
            known.push((name, key, default));
        }
    }
    known
}

/// Reads a value as its setting's kind: a text is taken as it is, also one that looks like a number.
fn typed(text: String, default: &Value) -> Value {
    let Ok(read) = text.parse::<Value>();
    match (default, &read) {
        (Value::String(..), Value::String(..)) => read,
        (Value::String(..), _) => Value::from(text),
        _ => read,
    }
}

/// Reads the file that a variable names, without the line's end after the value.
fn read_file(name: &str, path: &OsString) -> Result<String, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{name}: {shown}: {}", why_unread(&error)))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("{name}: {shown}: the file is empty"));
    }
    Ok(text.to_owned())
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let of_leptos = OF_LEPTOS.map(str::to_owned);
    let hint = if name.starts_with("LEPTOS_") {
        hint(name, of_leptos.iter())
    } else {
        hint(name, known)
    };
    let hint = match &*hint {
        "" => ": unset it; `cloakroom config` then lists every setting",
        hint => hint,
    };
    format!("{name}: there is no such setting{hint}")
}

/// Names of Kubernetes Services that begin like settings, as its variables write them.
fn services(all: &[(String, OsString)]) -> Vec<String> {
    let named = all
        .iter()
        .filter_map(|(name, _)| name.strip_suffix("_SERVICE_HOST"));
    named.chain(["CLOAKROOM"]).map(str::to_owned).collect()
}

/// Whether a variable that is no setting has a reader or writer of its own.
fn is_of_others(name: &str, value: &OsString, services: &[String]) -> bool {
    NOT_SETTINGS.contains(&name)
        || name.starts_with(OF_TESTS)
        || OF_LEPTOS.contains(&name)
        || name == OF_WATCH
        || services.iter().any(|service| {
            let rest = name.strip_prefix(&**service);
            rest.is_some_and(|rest| is_of_service(rest, value))
        })
}

/// Whether Kubernetes injects a variable for a Service: by the part of its name after the Service's. A
/// bare `…_PORT` counts where its value is an address: an operator may have meant a setting by a number.
fn is_of_service(rest: &str, value: &OsString) -> bool {
    if rest == "_PORT" {
        return value.to_string_lossy().contains("://");
    }
    if let Some(port) = rest.strip_prefix("_PORT_") {
        let mut parts = port.split('_');
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_protocol = |part| ["TCP", "UDP", "SCTP"].contains(&part);
        let is_detail = |part| ["PROTO", "PORT", "ADDR"].contains(&part);
        return parts.next().is_some_and(is_number)
            && parts.next().is_some_and(is_protocol)
            && parts.next().is_none_or(is_detail)
            && parts.next().is_none();
    }
    rest == "_SERVICE_HOST" || rest == "_SERVICE_PORT" || rest.starts_with("_SERVICE_PORT_")
}
