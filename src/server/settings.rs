//! Where settings come from: the built-in defaults, then `Leptos.toml`, then the environment; and
//! what is said of them.

mod file;
mod names;
mod variables;

use super::{
    config::{Config, Metadata},
    error::Error,
    secret::Secret,
};
use figment::{Figment, providers::Serialized, value::Value};
use file::File;
use leptos::config::{LeptosOptions, errors::LeptosConfigError, get_config_from_str};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The settings file that the project ships; its values are the defaults, and a test says so.
pub const SHIPPED: &str = include_str!("../../Leptos.toml");

/// The settings in force, and where they came from.
pub struct Settings {
    /// Cloakroom's.
    pub config: Config,
    /// Leptos's.
    pub leptos: LeptosOptions,
    /// The settings file, if one was read.
    pub file: Option<PathBuf>,
    sources: Figment,
}

impl Settings {
    /// Reads `file`, or `Leptos.toml` of this folder if there is one, and the environment.
    ///
    /// # Errors
    /// Names every unknown setting and every value of another kind, with its file or variable, and what
    /// was expected. No secret is among the values.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let file = File::read(file)?;
        let defaults = Value::serialize(Config::default()).ok();
        let defaults = defaults.and_then(Value::into_dict).unwrap_or_default();
        let (variables, mut faults) = variables::read(&defaults);
        let mut sources = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = &file {
            let place = file.path.display().to_string();
            faults.extend(names::faults(&place, &file.tables, &defaults));
            sources = sources.merge(file);
        }
        if !faults.is_empty() {
            return Err(Error::Config(faults.join("; ")));
        }
        for variable in variables {
            sources = sources.merge(variable);
        }
        let config: Config = sources.extract().map_err(|errors| {
            let told: Vec<String> = errors.into_iter().map(|it| explain(&it)).collect();
            Error::Config(told.join("; "))
        })?;
        if let Some((key, expected)) = config.broken_rule() {
            let place = source_of(&sources, key);
            let value = sources.find_value(key);
            let got = value.map_or_else(|_| String::new(), |value| names::got(key, &value));
            return Err(Error::Config(format!(
                "{place}: {key}: expected {expected}{got}"
            )));
        }
        if !config.secret.key.is_empty() && Secret::parse(&config.secret.key).is_err() {
            let place = source_of(&sources, "secret.key");
            return Err(Error::Config(format!(
                "{place}: secret.key: expected 32 bytes in base64url (43 letters), several with commas; \
                 `openssl rand 32 | basenc --base64url` makes one"
            )));
        }
        let leptos = leptos_options(file.as_ref(), &config.package.metadata)?;
        Ok(Self {
            config,
            leptos,
            file: file.map(|file| file.path),
            sources,
        })
    }

    /// Settings that were worked out elsewhere.
    pub fn given(config: Config, leptos: LeptosOptions) -> Self {
        Self {
            config,
            leptos,
            file: None,
            sources: Figment::new(),
        }
    }

    /// Variable, file or default that a setting comes from, such as `CLOAKROOM_SECRET_KEY`.
    pub fn place_of(&self, name: &str) -> String {
        source_of(&self.sources, name)
    }

    /// One line a setting: its value and where it came from. Secrets are not shown.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.leptos_lines();
        let values = serde_json::to_value(&self.config).unwrap_or_default();
        for (table, keys) in values.as_object().into_iter().flatten() {
            for (key, value) in keys.as_object().into_iter().flatten() {
                let name = format!("{table}.{key}");
                let shown = if is_secret(&name) && value.as_str() != Some("") {
                    "(not shown)".to_owned()
                } else {
                    value.to_string()
                };
                let source = source_of(&self.sources, &name);
                lines.push(format!("{name} = {shown}    # {source}"));
            }
        }
        lines
    }

    fn leptos_lines(&self) -> Vec<String> {
        let LeptosOptions {
            output_name,
            site_root,
            site_pkg_dir,
            site_addr,
            reload_port,
            env,
            ..
        } = &self.leptos;
        [
            ("output-name", format!("{output_name:?}")),
            ("site-root", format!("{site_root:?}")),
            ("site-pkg-dir", format!("{site_pkg_dir:?}")),
            ("site-addr", format!("\"{site_addr}\"")),
            ("reload-port", reload_port.to_string()),
            ("env", format!("\"{env:?}\"")),
        ]
        .into_iter()
        .map(|(key, value)| {
            let variable = format!("LEPTOS_{}", key.replace('-', "_").to_uppercase());
            let source = if std::env::var_os(&variable).is_some() {
                variable
            } else {
                source_of(&self.sources, &format!("package.metadata.leptos.{key}"))
            };
            format!("{key} = {value}    # {source}")
        })
        .collect()
    }
}

/// The values of these are nobody's to read, not even where they are wrong.
fn is_secret(name: &str) -> bool {
    matches!(name, "secret.key" | "database.url")
}

/// The file, the variable, or the built-in default that a setting comes from.
fn source_of(sources: &Figment, name: &str) -> String {
    place(sources.find_metadata(name))
}

fn place(metadata: Option<&figment::Metadata>) -> String {
    if let Some(variable) = metadata.and_then(variables::variable_of) {
        return variable.to_owned();
    }
    match metadata {
        Some(figment::Metadata {
            source: Some(figment::Source::File(path)),
            ..
        }) => path.display().to_string(),
        _ => "default".to_owned(),
    }
}

/// Where, which key, and what was expected.
fn explain(error: &figment::Error) -> String {
    use figment::error::Kind;
    let name = error
        .path
        .iter()
        .map(|part| part.to_lowercase())
        .collect::<Vec<_>>()
        .join(".");
    let place = place(error.metadata.as_ref());
    let why = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("expected {expected}")
        }
        Kind::UnknownVariant(got, expected) => {
            format!(
                "expected {} (got \"{}\")",
                expected.join(" or "),
                got.escape_debug()
            )
        }
        // The path ends with its name.
        Kind::UnknownField(got, expected) => {
            let known: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
            let hint = names::hint(got, known.iter());
            format!("there is no such setting{hint}")
        }
        other => other.to_string(),
    };
    if name.is_empty() {
        format!("{place}: {why}")
    } else {
        format!("{place}: {name}: {why}")
    }
}

/// Leptos reads its own table. Where its default is not ours, ours holds.
fn leptos_options(file: Option<&File>, given: &Metadata) -> Result<LeptosOptions, Error> {
    check_address(file)?;
    let refuse = |error: LeptosConfigError| Error::Config(explain_leptos(file, &error));
    let shipped = get_config_from_str(SHIPPED).map_err(refuse)?;
    let mut options = match (file, &given.leptos) {
        (Some(file), Some(keys)) => {
            let mut options = get_config_from_str(&file.text).map_err(refuse)?;
            if keys.site_root.is_none() {
                options.site_root = shipped.site_root;
            }
            options
        }
        _ => shipped,
    };
    options.site_root = find_site(&options.site_root).into();
    Ok(options)
}

/// Leptos names the key and neither its file nor its variable.
fn explain_leptos(file: Option<&File>, error: &LeptosConfigError) -> String {
    let text = error.to_string().replace("Config Error: ", "");
    // A parser's text may quote a line of the file below.
    let text = text.lines().next().unwrap_or_default();
    let of_file = file.map_or("Leptos.toml".into(), |file| file.path.to_string_lossy());
    let Some((why, key)) = text.split_once(" for key `") else {
        return format!("{of_file}: {text}");
    };
    let key = key.split('`').next().unwrap_or_default();
    let variable = format!("LEPTOS_{}", key.replace('-', "_").to_uppercase());
    let place = match std::env::var_os(&variable) {
        Some(_) => variable,
        None => of_file.into_owned(),
    };
    format!("{place}: {key}: {}", why.trim_end_matches('.'))
}

/// Leptos's own error about an address says neither where it stands nor what one looks like.
fn check_address(file: Option<&File>) -> Result<(), Error> {
    const VARIABLE: &str = "LEPTOS_SITE_ADDR";
    let of_file = file.and_then(|file| {
        let tables = Value::from(file.tables.clone());
        let found = tables.find("package.metadata.leptos.site-addr")?;
        Some((file.path.display().to_string(), found.into_string()?))
    });
    let variable = std::env::var(VARIABLE).ok();
    let of_variable = variable.map(|address| (VARIABLE.to_owned(), address));
    let Some((place, address)) = of_variable.or(of_file) else {
        return Ok(());
    };
    if address.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    Err(Error::Config(format!(
        "{place}: site-addr: expected an IP address and a port, such as 127.0.0.1:3000 for this \
         machine alone, or 0.0.0.0:3000 or [::]:3000 for every network (got \"{}\")",
        address.escape_debug()
    )))
}

/// A relative site folder is looked for in this folder and then around the binary, so that the
/// binary starts from anywhere.
fn find_site(set: &str) -> String {
    let path = Path::new(set);
    if path.is_absolute() || path.is_dir() {
        return set.to_owned();
    }
    let exe = std::env::current_exe().ok();
    let beside = exe.as_deref().and_then(Path::parent);
    [beside, beside.and_then(Path::parent)]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("site"))
        .find(|site| site.is_dir())
        .map_or_else(|| set.to_owned(), |found| found.display().to_string())
}
