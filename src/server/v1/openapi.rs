//! The description of the API (OpenAPI 3.1), made of the code that answers.

use super::{
    activity, keys, me,
    problem::{Body, CONTENT_TYPE, Kind},
    sessions,
};
use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use http::header;
use std::sync::LazyLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloakroom",
        description = "What a program may ask about an account, with an API key that the account's owner made.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(me::show, sessions::list, sessions::end, activity::list, keys::list),
    components(schemas(Body)),
    modifiers(&Keys, &Refusals),
    tags(
        (name = "Account", description = "Whose key it is."),
        (name = "Sessions", description = "The devices that are signed in."),
        (name = "Activity", description = "What happened to the account."),
        (name = "Keys", description = "The account's API keys."),
    ),
)]
struct Document;

/// How a program says who it is.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("ck_ and a JWT")
            .description(Some("An API key, made at /account/keys."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// What every operation may be refused for.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            for operation in [&mut path.get, &mut path.delete].into_iter().flatten() {
                refuse(operation);
            }
        }
    }
}

fn refuse(operation: &mut Operation) {
    for kind in [
        Kind::InvalidRequest,
        Kind::InvalidToken,
        Kind::InsufficientScope,
        Kind::TooManyRequests,
        Kind::Unavailable,
    ] {
        let (status, _, title) = kind.parts();
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description(title)
            .content(CONTENT_TYPE, content)
            .build();
        let responses = &mut operation.responses.responses;
        responses.insert(status.to_string(), response.into());
    }
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `/v1/openapi.json`: open to everybody, the same for everybody.
pub async fn show() -> Response {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| {
        let json = document().to_json().unwrap_or_default();
        Bytes::from(json)
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, JSON.clone()).into_response()
}
