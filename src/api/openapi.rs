//! What the API is, in OpenAPI 3.1, made from its types and routes.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, Required, ResponseBuilder, SecurityRequirement};
use utoipa::{Modify, OpenApi as _};

use super::App;
use super::access::Access;
use super::errors::{PROBLEM, Problem};
use super::events::{Changed, Hello};
use super::idempotency;
use crate::access::Role;

/// The name of the way in which callers say who they are.
const TOKEN: &str = "token";

/// What there is besides the routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "meter95",
        description = "Bandwidth of dedicated servers, metered and accounted by the 95th percentile.\n\n\
            Times are RFC 3339; on input Unix milliseconds will do as well. Rates are whole numbers of bit/s, money is a \
            decimal string. Whatever is refused is told as `application/problem+json` (RFC 9457) with the field and the \
            value that can't be."
    ),
    components(schemas(Problem<'_>, Hello, Changed)),
    modifiers(&Tokens),
    tags(
        (name = "Usage", description = "A month's figures so far, or as it ended"),
        (name = "Servers", description = "What is metered, and every sample"),
        (name = "Billing", description = "Closing months; statements, and what follows from them"),
        (name = "Cases", description = "Servers that use far more than they should"),
        (name = "Inventory", description = "What is sold, with its history"),
        (name = "Metering", description = "Where readings come from"),
        (name = "Alerts", description = "What is the matter, and who was told"),
        (name = "Operation", description = "For whoever runs the service"),
    )
)]
struct Frame;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut OpenApi) {
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme(TOKEN, token);
    }
}

/// The document before any route.
pub(super) fn frame() -> OpenApi {
    let mut document = Frame::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document
}

/// Writes in the document to whom its routes are open.
pub(super) fn guard(document: &mut OpenApi, access: Access) {
    let roles = access.roles.iter().chain(&[Role::Admin]).map(|role| role.name());
    let security = SecurityRequirement::new(TOKEN, roles);
    for operation in operations(document) {
        operation.security = Some(vec![security.clone()]);
    }
    refusing(document);
}

/// Writes in the document what every refusal looks like.
pub(super) fn refusing(document: &mut OpenApi) {
    let refusal = ResponseBuilder::new()
        .description("Why it is refused")
        .content(PROBLEM, ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build())
        .build();
    for operation in operations(document) {
        operation.responses.responses.insert("default".to_owned(), refusal.clone().into());
    }
}

/// Writes in the document that its routes take an `Idempotency-Key`.
pub(super) fn keyed(document: &mut OpenApi) {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(idempotency::KEY_OCTETS_MAX))
        .pattern(Some("^[!-~]+$"));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "What is asked for twice under one key within two days is done once, and answered alike both times.",
        ))
        .schema(Some(text))
        .build();
    for operation in operations(document) {
        operation.parameters.get_or_insert_default().push(key.clone().into());
    }
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.put, &mut item.post, &mut item.delete]
            .into_iter()
            .filter_map(Option::as_mut)
    })
}

/// `/openapi.json`.
pub(super) fn serve(document: OpenApi) -> Router<App> {
    // Made of strings and numbers, it can be written.
    let text: Arc<str> = document.to_pretty_json().unwrap_or_default().into();
    let answer = move || async move {
        ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
    };
    Router::new().route("/openapi.json", get(answer))
}
