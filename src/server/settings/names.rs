//! Names and kinds of settings: all that are unknown or of another kind are listed in one go.

use figment::value::{Dict, Num, Value};

/// Lists the faults in the tables of a file: unknown names, and values of another kind than the
/// default.
pub(super) fn faults(file: &str, given: &Dict, defaults: &Dict) -> Vec<String> {
    let mut faults = Vec::new();
    // Leptos's own options stand below it.
    for (table, keys) in given.iter().filter(|(table, _)| *table != "package") {
        let Some(Value::Dict(_, known)) = defaults.get(table) else {
            let hint = hint(table, defaults.keys());
            faults.push(format!("{file}: [{table}]: there is no such table{hint}"));
            continue;
        };
        let Value::Dict(_, keys) = keys else {
            faults.push(format!("{file}: {table}: expected a table, [{table}]"));
            continue;
        };
        for (key, value) in keys {
            let name = format!("{table}.{key}");
            match known.get(key) {
                None => {
                    let hint = hint(key, known.keys());
                    faults.push(format!("{file}: {name}: there is no such setting{hint}"));
                }
                Some(default) => faults.extend(misfit(file, &name, value, default)),
            }
        }
    }
    faults
}

/// Says what was expected where a value is of another kind than the default.
pub(super) fn misfit(place: &str, name: &str, value: &Value, default: &Value) -> Option<String> {
    let is_text = |value: &Value| matches!(value, Value::String(..));
    let expected = match (default, value) {
        (Value::Num(..), Value::Num(_, it)) => {
            let whole = it.to_u128_lossy();
            let fits = whole.is_some_and(|it| u32::try_from(it).is_ok());
            (!fits).then_some("a whole number from 0 to 4294967295")?
        }
        (Value::Num(..), _) => "a whole number",
        (Value::Bool(..), Value::Bool(..)) => return None,
        (Value::Bool(..), _) => "true or false",
        (Value::Array(..), Value::Array(_, items)) if items.iter().all(is_text) => return None,
        (Value::Array(..), _) => "a list, such as [\"a.example\", \"b.example\"]",
        (_, Value::String(..)) => return None,
        _ => "a text in quotes",
    };
    let got = got(name, value);
    Some(format!("{place}: {name}: expected {expected}{got}"))
}

/// Shows a value that cannot be used, unless it may be a secret: a password may stand in the wrong key of
/// its table.
pub(super) fn got(name: &str, value: &Value) -> String {
    if name.starts_with("secret.") || name.starts_with("database.") {
        return String::new();
    }
    match value {
        Value::String(_, text) => format!(" (got \"{}\")", text.escape_debug()),
        Value::Bool(_, it) => format!(" (got {it})"),
        Value::Num(_, it) => format!(" (got {})", number(*it)),
        Value::Array(..) => " (got a list)".to_owned(),
        Value::Dict(..) => " (got a table)".to_owned(),
        _ => String::new(),
    }
}

fn number(it: Num) -> String {
    let whole = it.to_u128_lossy().map(|whole| whole.to_string());
    whole
        .or_else(|| it.to_i128().map(|negative| negative.to_string()))
        .or_else(|| it.to_f64().map(|fraction| fraction.to_string()))
        .unwrap_or_default()
}

/// Asks after the known name that differs by the fewest letters, or lists the known ones if they are few.
pub(super) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let nearest = known
        .iter()
        .map(|other| (distance(name, other), other))
        .min()
        .filter(|(letters, _)| *letters <= name.len() / 3);
    match nearest {
        Some((_, other)) => format!("; did you mean {other}?"),
        None if known.len() <= 20 => format!("; there are {}", known.join(", ")),
        None => String::new(),
    }
}

/// Letters to insert, remove or replace until two names are equal.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.bytes().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (left, own) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != own);
            diagonal = row[left + 1];
            row[left + 1] = replaced.min(row[left] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
