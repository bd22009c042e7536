//! Parameters of a PostgreSQL's address, and variables in their place: which there are, and their
//! values.

use std::{collections::HashSet, net::IpAddr};

/// Parameters that the driver knows.
const KNOWN: &str = "sslmode, sslrootcert, sslcert, sslkey, host, hostaddr, port, dbname, user, \
                     password, application_name, options, options[NAME], statement-cache-capacity";
const SSL_MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Variables of libpq that have no effect on the driver.
const IGNORED: [&str; 14] = [
    "PGCHANNELBINDING",
    "PGCONNECT_TIMEOUT",
    "PGGSSENCMODE",
    "PGLOADBALANCEHOSTS",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGREQUIRESSL",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGTARGETSESSIONATTRS",
];

/// Name of a parameter that the driver knows by one name or several.
pub fn known(key: &str) -> Option<&'static str> {
    Some(match key {
        "sslmode" | "ssl-mode" => "sslmode",
        "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "sslrootcert",
        "sslcert" | "ssl-cert" => "sslcert",
        "sslkey" | "ssl-key" => "sslkey",
        "host" => "host",
        "hostaddr" => "hostaddr",
        "port" => "port",
        "dbname" => "dbname",
        "user" => "user",
        "password" => "password",
        "application_name" => "application_name",
        "statement-cache-capacity" => "statement-cache-capacity",
        "options" => "options",
        _ if key.starts_with("options[") && key.ends_with(']') => "options",
        _ => return None,
    })
}

/// Checks the parameters of an address.
///
/// # Errors
/// Names the one that is wrong, and its value unless that may be of a password.
pub fn check(parameters: &[(String, String)]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for (key, value) in parameters {
        let Some(name) = known(key) else {
            // It may be the rest of a password.
            if seen.contains("password") {
                return Err(
                    "a parameter after the password is unknown: in a password, `&` is \
                            written %26"
                        .into(),
                );
            }
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
            if !key.bytes().all(is_name) {
                return Err("a parameter is unknown: in a password, `?` is written %3F".into());
            }
            return Err(format!("the parameter \"{key}\" is unknown: {}", cure(key)));
        };
        if !seen.insert(name) && name != "options" {
            return Err(format!("the parameter {name} is there twice"));
        }
        match name {
            "sslmode" => check_mode(name, value)?,
            "port" => check_port(name, value)?,
            "hostaddr" if value.parse::<IpAddr>().is_err() => {
                return Err(format!("hostaddr={value}: expected an IP address"));
            }
            "host" if value.contains(',') => {
                return Err("expected one host, the one that takes writes, not several".into());
            }
            "host" if value.starts_with('[') => {
                return Err(format!(
                    "host={value}: expected an IPv6 address without brackets"
                ));
            }
            "sslrootcert" | "sslcert" | "sslkey" if value.trim().starts_with("-----BEGIN") => {
                return Err(format!(
                    "{name}: expected the name of a file; the variable PG{} may hold the text itself",
                    name.to_uppercase()
                ));
            }
            "statement-cache-capacity" if value.parse::<u32>().is_err() => {
                return Err(format!("{name}={value}: expected a number"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Names the way to the effect that this parameter has on other programs.
fn cure(key: &str) -> String {
    match key {
        "ssl" | "tls" | "requiressl" | "useSSL" | "encrypt" => {
            "TLS is asked for by sslmode=verify-full".into()
        }
        "channel_binding" | "sslcrl" | "sslcrldir" | "require_auth" => {
            "the driver has no such check; sslmode=verify-full verifies the server".into()
        }
        "target_session_attrs" | "load_balance_hosts" => {
            "name the one server that takes writes".into()
        }
        "connect_timeout" | "keepalives" | "tcp_user_timeout" => {
            "Cloakroom has time limits of its own".into()
        }
        "connection_limit" | "pool_max_conns" => "this is database.max_connections".into(),
        "schema" | "search_path" | "currentSchema" => "write options[search_path]=NAME".into(),
        _ => format!("expected one of {KNOWN}"),
    }
}

/// Checks the variables whose wrong value the driver takes for none.
///
/// # Errors
/// Names the variable and its value.
pub fn check_variables() -> Result<(), String> {
    if let Ok(mode) = std::env::var("PGSSLMODE")
        && !mode.is_empty()
    {
        check_mode("PGSSLMODE", &mode)?;
    }
    if let Ok(port) = std::env::var("PGPORT")
        && !port.is_empty()
    {
        check_port("PGPORT", &port)?;
    }
    Ok(())
}

/// Variables that are set and ignored.
pub fn ignored_variables() -> Vec<&'static str> {
    let is_set = |name: &&str| std::env::var_os(name).is_some();
    IGNORED.into_iter().filter(is_set).collect()
}

fn check_mode(name: &str, value: &str) -> Result<(), String> {
    if SSL_MODES.contains(&&*value.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(format!(
        "{name}={value}: expected one of {}",
        SSL_MODES.join(", ")
    ))
}

fn check_port(name: &str, value: &str) -> Result<(), String> {
    match value.parse::<u16>() {
        Ok(1..) => Ok(()),
        _ => Err(format!("{name}={value}: expected a port, 1 to 65535")),
    }
}
