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
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContactBuilder, Content, Ref, ResponseBuilder, Server,
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
            .bearer_format("cloakroom_, a JWT and a checksum")
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

/// The document as a server at this origin publishes it.
pub fn published(origin: &str) -> Bytes {
    let mut document = document();
    document.servers = Some(vec![Server::new(origin)]);
    let contact = ContactBuilder::new()
        .name(Some("The operator of this server"))
        .url(Some(format!("{origin}/developers")));
    document.info.contact = Some(contact.build());
    document.to_json().unwrap_or_default().into()
}

/// `/v1/openapi.json`: public, and the same for every client. Tools that draw it in a browser read it
/// from pages of other origins, which may not send a cookie with that.
pub fn show(document: &Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, document.clone()).into_response()
}
