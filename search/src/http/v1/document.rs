//! The description of the API as OpenAPI 3.1, made from the code.

use std::sync::LazyLock;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder, Tag,
};
use utoipa::{PartialSchema as _, ToSchema};

use super::asset::Besides;
use crate::http::problem::{MEDIA_TYPE, Told};

/// Statuses that every resource may answer with, and why.
const PROBLEMS: [(&str, &str); 10] = [
    ("400", "The request cannot be understood; the detail says what to change"),
    ("401", "There is no key, or it does not hold"),
    ("403", "The key's role does not allow this"),
    ("404", "There is no such thing in this archive"),
    ("405", "The address knows other methods"),
    ("429", "Too many requests came within a minute; Retry-After says when to come again"),
    ("500", "The server could not answer"),
    ("503", "The server is busy; Retry-After says when to come again"),
    ("504", "A part of the server did not answer in time"),
    ("default", "Any other problem"),
];
/// Statuses of requests that send a body.
const OF_BODIES: [(&str, &str); 3] = [
    ("408", "The body did not come in time"),
    ("413", "The body is too large"),
    ("415", "A body of such a type is not taken"),
];
/// Statuses of requests for bytes.
const OF_FILES: [(&str, &str); 2] =
    [("412", "It is not what the condition demands"), ("416", "The range begins beyond the end")];

/// The name that the description has for keys.
const KEY: &str = "key";

/// The whole description, made once.
pub(crate) static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("glassplate")
        .version("1")
        .description(Some(
            "Archives of photographs, labelled and findable. Every error is a problem (RFC 9457). \
             Lists go on by `next.cursor`. Answers only grow: let pass what you do not know. Each \
             answer carries `x-request-id`; tell it when something is wrong. A key is sent as \
             `Authorization: Bearer`; while an archive has no key at all, its own machine needs none.",
        ))
        .build();
    let mut all = super::router().into_openapi();
    let tags = [
        ("search", "Finding pictures"),
        ("assets", "Pictures, what is known of them, and what people say of them"),
        ("files", "The bytes of pictures"),
        ("vocabulary", "What there is to search for"),
        ("review", "What a person should look at"),
        ("runs", "What was done"),
        ("tenancy", "Keys, quotas, and who did what"),
    ];
    let tags = tags.map(|(name, text)| {
        let mut tag = Tag::new(name);
        tag.description = Some(text.to_owned());
        tag
    });
    for (path, item) in &mut all.paths.paths {
        for (method, operation) in [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("delete", &mut item.delete),
        ] {
            if let Some(operation) = operation {
                operation.operation_id = Some(id_of(method, path));
                tell_problems(operation);
            }
        }
    }
    let mut components = all.components.take().unwrap_or_default();
    components.schemas.insert(Told::name().into_owned(), Told::schema());
    // A parameter's own shape is not found by itself, as a body's is.
    components.schemas.insert(Besides::name().into_owned(), Besides::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(KEY, SecurityScheme::Http(bearer));
    OpenApiBuilder::new()
        .info(info)
        .paths(all.paths)
        .components(Some(components))
        .tags(Some(tags))
        .security(Some([SecurityRequirement::new(KEY, Vec::<String>::new())]))
        .build()
}

/// An id that no other operation has: `get_assets_id_decisions`.
fn id_of(method: &str, path: &str) -> String {
    let steps = path.trim_start_matches("/v1/").split('/');
    let steps = steps.map(|step| step.trim_matches(['{', '}']));
    std::iter::once(method).chain(steps).collect::<Vec<_>>().join("_")
}

/// Adds every problem that an operation does not tell itself, and a body to those that it does.
fn tell_problems(operation: &mut Operation) {
    let is_of = |tag: &str| operation.tags.iter().flatten().any(|known| known == tag);
    let bodies: &[_] = if operation.request_body.is_some() { &OF_BODIES } else { &[] };
    let files: &[_] = if is_of("files") { &OF_FILES } else { &[] };
    let schema = Ref::from_schema_name(Told::name());
    let content = || -> Content { ContentBuilder::new().schema(Some(schema.clone())).build() };
    let told = &mut operation.responses.responses;
    for (status, response) in told.iter_mut() {
        if let (true, RefOr::T(response)) = (status.starts_with(['4', '5']), response) {
            response.content.entry(MEDIA_TYPE.to_owned()).or_insert_with(content);
        }
    }
    for (status, text) in PROBLEMS.iter().chain(bodies).chain(files) {
        let response = ResponseBuilder::new().description(*text).content(MEDIA_TYPE, content());
        told.entry((*status).to_owned()).or_insert_with(|| response.build().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `GLASSPLATE_BLESS=1 cargo test --workspace the_description` writes the snapshot anew.
    #[test]
    fn the_description_is_the_one_that_clients_know() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/snapshots/openapi.json");
        let now = format!("{:#}\n", serde_json::json!(&*DOCUMENT));
        if std::env::var_os("GLASSPLATE_BLESS").is_some() {
            std::fs::write(file, &now).expect("a written snapshot");
        }
        let known = std::fs::read_to_string(file).expect("the snapshot");
        assert!(now == known, "the API changed: bless the snapshot when that is meant");
    }

    #[test]
    fn every_operation_is_described_and_tells_its_problems() {
        let mut ids = std::collections::HashSet::new();
        for (path, item) in &DOCUMENT.paths.paths {
            for operation in [&item.get, &item.post, &item.delete].into_iter().flatten() {
                assert!(operation.summary.is_some(), "{path} has no summary");
                assert!(ids.insert(&operation.operation_id), "{path} shares its id");
                for status in ["400", "404", "500", "default"] {
                    assert!(operation.responses.responses.contains_key(status), "{path} {status}");
                }
            }
        }
    }
}
