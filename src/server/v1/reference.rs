//! The same description for people: what the page at `/developers` shows.

use super::{cause::Cause, openapi, problem::Kind};
use crate::{
    server::api_keys,
    wire::developers::{Answer, Operation, Parameter, Reference},
};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// What the page shows, made once a process from the document that programs read.
pub fn reference() -> Arc<Reference> {
    static REFERENCE: LazyLock<Arc<Reference>> = LazyLock::new(|| {
        let document = serde_json::to_value(openapi::document()).unwrap_or_default();
        let operations = members(&document["paths"])
            .flat_map(|(path, methods)| {
                members(methods).map(move |(method, operation)| describe(path, method, operation))
            })
            .collect();
        let answers = Kind::ALL.iter().map(|kind| {
            let (status, code, title) = kind.parts();
            Answer {
                status: status.to_string(),
                code: code.to_owned(),
                what: title.to_owned(),
                causes: causes_of(*kind),
            }
        });
        Arc::new(Reference {
            operations,
            problems: answers.collect(),
            key_prefix: api_keys::PREFIX,
            key_pattern: api_keys::PATTERN,
        })
    });
    Arc::clone(&REFERENCE)
}

fn describe(path: &str, method: &str, operation: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let method = method.to_uppercase();
    let parameters = items(&operation["parameters"]).map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        what: text(&parameter["description"]),
    });
    let answers = members(&operation["responses"]).map(|(status, response)| Answer {
        status: status.to_owned(),
        code: String::new(),
        what: text(&response["description"]),
        causes: Vec::new(),
    });
    Operation {
        summary: text(&operation["summary"]),
        what: text(&operation["description"]),
        scope: text(&operation["security"][0]["api_key"][0]),
        parameters: parameters.collect(),
        answers: answers.collect(),
        example: example(&method, path),
        path: path.to_owned(),
        method,
    }
}

fn causes_of(kind: Kind) -> Vec<&'static str> {
    let causes = Cause::ALL.iter().filter(|cause| cause.kind() == kind);
    causes.map(|cause| cause.detail()).collect()
}

/// A line for a shell in which `URL`, `KEY` and whatever the path asks for have been set.
fn example(method: &str, path: &str) -> String {
    let verb = if method == "GET" {
        String::new()
    } else {
        format!("-X {method} ")
    };
    let path = path
        .replace('{', "$")
        .replace('}', "")
        .replace("$id", "$ID");
    format!("curl {verb}-H \"Authorization: Bearer $KEY\" \"$URL{path}\"")
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
