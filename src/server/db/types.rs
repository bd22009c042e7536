//! Looks that each text of a statement is bound with one Rust type for each parameter, in builds for
//! development and tests.
//!
//! The driver keeps prepared statements by their text alone, with the types of the first use. PostgreSQL
//! reads the octets of another type as those, without an error; SQLite never does.

use sqlx::any::AnyArguments;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

static BOUND: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);

/// Refuses a text that was bound with other types before.
pub(super) fn check(sql: &str, arguments: Option<&AnyArguments>) -> Result<(), sqlx::Error> {
    let Some(arguments) = arguments else {
        return Ok(());
    };
    let values = arguments.values.0.iter();
    let types: Vec<String> = values.map(|value| name(&format!("{value:?}"))).collect();
    let mut bound = BOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let bound = bound.get_or_insert_default();
    let Some(before) = bound.get(sql) else {
        bound.insert(sql.to_owned(), types);
        return Ok(());
    };
    if *before == types {
        return Ok(());
    }
    let error = format!(
        "one text is bound with two types: {} and {}: {sql}",
        before.join(", "),
        types.join(", ")
    );
    Err(sqlx::Error::Encode(error.into()))
}

/// The type of a value as the driver writes it for developers: `BigInt(5)`, `Null(BigInt)`.
fn name(written: &str) -> String {
    let (kind, rest) = written.split_once('(').unwrap_or((written, ""));
    let name = match kind {
        "Null" => rest.trim_end_matches(')'),
        "TextSlice" => "Text",
        kind => kind,
    };
    name.to_owned()
}
