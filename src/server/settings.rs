//! Where settings come from: the built-in defaults, then `Leptos.toml`, then the environment; and
//! what is said of them.

use super::{
    config::{Config, Metadata},
    error::Error,
};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use leptos::config::{LeptosOptions, get_config_from_str, get_configuration};
use std::path::{Path, PathBuf};

/// The settings file that the project ships; its values are the defaults, and a test says so.
pub const SHIPPED: &str = include_str!("../../Leptos.toml");

/// Environment variables that begin like settings and are none.
const NOT_SETTINGS: [&str; 3] = ["CONFIG", "BIN", "TEST_POSTGRES"];

/// The settings in force, and where they came from.
pub struct Settings {
    /// Cloakroom's.
    pub config: Config,
    /// Leptos's.
    pub leptos: LeptosOptions,
    sources: Figment,
}

impl Settings {
    /// Reads `file`, or `Leptos.toml` of this folder if there is one, and the environment.
    ///
    /// # Errors
    /// Names the key, the file or variable, and what was expected.
    pub fn load(file: Option<&Path>) -> Result<Self, Error> {
        let file = match file {
            Some(named) if !named.is_file() => {
                return Err(Error::Config(format!(
                    "{}: there is no such file",
                    named.display()
                )));
            }
            Some(named) => Some(named.to_owned()),
            None => Some(PathBuf::from("Leptos.toml")).filter(|usual| usual.is_file()),
        };
        let mut sources = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = &file {
            sources = sources.merge(Toml::file_exact(file));
        }
        sources = sources
            .merge(
                Env::prefixed("CLOAKROOM_")
                    .ignore(&NOT_SETTINGS)
                    .map(|key| path_of(key.as_str()).into()),
            )
            .merge(
                Env::raw()
                    .only(&["DATABASE_URL"])
                    .map(|_| "database.url".into()),
            );
        let config: Config = sources.extract().map_err(|errors| {
            let told: Vec<String> = errors.into_iter().map(|it| explain(&it)).collect();
            Error::Config(told.join("; "))
        })?;
        if let Some((key, expected)) = config.broken_rule() {
            let place = source_of(&sources, key);
            return Err(Error::Config(format!(
                "{place}: {key}: expected {expected}"
            )));
        }
        let leptos = leptos_options(file.as_deref(), &config.package.metadata)?;
        Ok(Self {
            config,
            leptos,
            sources,
        })
    }

    /// Settings that were worked out elsewhere.
    pub fn given(config: Config, leptos: LeptosOptions) -> Self {
        Self {
            config,
            leptos,
            sources: Figment::new(),
        }
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

/// Where a variable's setting stands: `<TABLE>_<KEY>`.
fn path_of(variable: &str) -> String {
    let name = variable.to_ascii_lowercase();
    // The one table whose own name has a line in it.
    match name.strip_prefix("forward_auth_") {
        Some(key) => format!("forward_auth.{key}"),
        None => name.replacen('_', ".", 1),
    }
}

/// The values of these are nobody's to read, not even where they are wrong.
fn is_secret(name: &str) -> bool {
    matches!(name, "secret.key" | "database.url")
}

/// The file, the variable, or the built-in default that a setting comes from.
fn source_of(sources: &Figment, name: &str) -> String {
    place(sources.find_metadata(name), name)
}

fn place(metadata: Option<&figment::Metadata>, name: &str) -> String {
    match metadata {
        Some(found) if found.name.contains("environment") => {
            if found.name.contains("CLOAKROOM_") {
                format!("CLOAKROOM_{}", name.replace('.', "_").to_uppercase())
            } else {
                "DATABASE_URL".to_owned()
            }
        }
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
    let place = place(error.metadata.as_ref(), &name);
    let why = match &error.kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) if is_secret(&name) => {
            format!("expected {expected}")
        }
        // An unknown key is named in the kind, and its table in the path.
        other => other.to_string(),
    };
    if name.is_empty() {
        format!("{place}: {why}")
    } else {
        format!("{place}: {name}: {why}")
    }
}

/// Leptos reads its own table. Where its default is not ours, ours holds.
fn leptos_options(file: Option<&Path>, given: &Metadata) -> Result<LeptosOptions, Error> {
    let refuse = |error| {
        let place = file.map_or_else(|| "the environment".into(), Path::to_string_lossy);
        Error::Config(format!("Leptos's options, from {place}: {error}"))
    };
    let shipped = get_config_from_str(SHIPPED).map_err(refuse)?;
    let mut options = match (file, &given.leptos) {
        (Some(file), Some(keys)) => {
            let mut options = get_configuration(file.to_str())
                .map_err(refuse)?
                .leptos_options;
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
