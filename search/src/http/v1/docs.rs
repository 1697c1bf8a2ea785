//! `/v1/openapi.json` and `/v1/docs`: the description for programs, and the same for people.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value};

use super::document::DOCUMENT;
use crate::http::Site;

const STYLE: &str = include_str!("docs.css");

static JSON: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string(&*DOCUMENT).unwrap_or_default());
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&JSON).unwrap_or_default();
    page(&document).into_string()
});

/// What the page may load: its own style.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Routes that anybody may read: they tell nothing of an archive.
pub(super) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/docs", get(docs))
        .route("/v1/docs.css", get(style))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}

async fn docs() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE.as_str()).into_response()
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

fn page(document: &Value) -> Markup {
    let operations = operations(document);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "glassplate: the API" }
                link rel="stylesheet" href="/v1/docs.css";
            }
            body {
                header {
                    h1 { "The API of glassplate" }
                    p { (text(&document["info"], "description")) }
                    p { a href="/v1/openapi.json" { "OpenAPI 3.1" } }
                }
                nav aria-label="Resources" {
                    @for tag in list(&document["tags"]) {
                        h2 { (text(tag, "description")) }
                        ul {
                            @for operation in operations.iter().filter(|o| o.is_of(tag)) {
                                li { a href={ "#" (operation.id()) } {
                                    code { (operation.method) " " (operation.path) }
                                    " " (text(operation.body, "summary"))
                                } }
                            }
                        }
                    }
                }
                main {
                    @for operation in &operations { (section(operation)) }
                    section {
                        h2 id="shapes" { "Shapes" }
                        @for (name, schema) in entries(&document["components"]["schemas"]) {
                            (shape(name, schema))
                        }
                    }
                }
            }
        }
    }
}

/// One method of one path.
struct Operation<'a> {
    method: String,
    path: &'a str,
    body: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(self.body, "operationId")
    }

    fn is_of(&self, tag: &Value) -> bool {
        list(&self.body["tags"]).contains(&tag["name"])
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = entries(&document["paths"]);
    let of_path = |(path, item): (&'_ String, &'_ Value)| {
        entries(item)
            .filter(|(method, _)| ["get", "post", "put", "delete"].contains(&method.as_str()))
            .map(|(method, _)| (path.clone(), method.clone()))
            .collect::<Vec<_>>()
    };
    let names: Vec<(String, String)> = paths.flat_map(of_path).collect();
    names
        .into_iter()
        .filter_map(|(path, method)| {
            let (path, item) = document["paths"].as_object()?.get_key_value(&path)?;
            Some(Operation { path, body: item.get(&method)?, method: method.to_uppercase() })
        })
        .collect()
}

fn section(operation: &Operation<'_>) -> Markup {
    let Operation { method, path, body } = operation;
    html! {
        section id=(operation.id()) {
            h2 { code { (method) " " (path) } }
            p { strong { (text(body, "summary")) } }
            @if !text(body, "description").is_empty() { p { (text(body, "description")) } }
            @if !list(&body["parameters"]).is_empty() {
                table {
                    caption { "Parameters" }
                    thead { tr { th { "name" } th { "in" } th { "type" } th { "meaning" } } }
                    tbody {
                        @for parameter in list(&body["parameters"]) {
                            tr {
                                td { code { (text(parameter, "name")) } }
                                td { (text(parameter, "in")) }
                                td { (kind(&parameter["schema"])) }
                                td { (text(parameter, "description")) }
                            }
                        }
                    }
                }
            }
            @if body["requestBody"].is_object() {
                p {
                    "Body: "
                    @for (media, content) in entries(&body["requestBody"]["content"]) {
                        code { (media) } " " (kind(&content["schema"])) " "
                    }
                }
            }
            table {
                caption { "Answers" }
                thead { tr { th { "status" } th { "body" } th { "meaning" } } }
                tbody {
                    @for (status, answer) in entries(&body["responses"]) {
                        tr {
                            td { (status) }
                            td {
                                @for (media, content) in entries(&answer["content"]) {
                                    code { (media) } " " (kind(&content["schema"]))
                                }
                            }
                            td { (text(answer, "description")) }
                        }
                    }
                }
            }
        }
    }
}

fn shape(name: &str, schema: &Value) -> Markup {
    let required = list(&schema["required"]);
    let parts = list(&schema["allOf"]);
    html! {
        section id={ "shape-" (name) } {
            h3 { (name) }
            p { (text(schema, "description")) }
            @for part in std::iter::once(schema).chain(parts) {
                @if part["$ref"].is_string() { p { "All of " (kind(part)) } }
                @if part["enum"].is_array() { p { (kind(part)) } }
                @if part["properties"].is_object() {
                    table {
                        thead { tr { th { "member" } th { "type" } th { "meaning" } } }
                        tbody {
                            @for (member, of) in entries(&part["properties"]) {
                                tr {
                                    td {
                                        code { (member) }
                                        @if !required.contains(&Value::from(member.as_str())) {
                                            " (not always)"
                                        }
                                    }
                                    td { (kind(of)) }
                                    td { (text(of, "description")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A schema in a few words, with a link where it has a name.
fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return html! { a href={ "#shape-" (name) } { (name) } };
    }
    let choices = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
    let choices: Vec<&Value> = choices.filter(|choice| choice["type"] != "null").collect();
    if !choices.is_empty() {
        return html! { @for choice in choices { (kind(choice)) " " } };
    }
    if schema["enum"].is_array() {
        let values = list(&schema["enum"]).iter().filter_map(Value::as_str);
        return html! { (values.collect::<Vec<_>>().join(", ")) };
    }
    let types = match &schema["type"] {
        Value::String(one) => one.clone(),
        many => list(many).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
    };
    html! {
        (types)
        @if schema["items"].is_object() { " of " (kind(&schema["items"])) }
        @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
        @if !schema["default"].is_null() { ", else " (schema["default"]) }
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_tells_every_operation_and_no_link_leads_nowhere() {
        let page = &*PAGE;
        for path in DOCUMENT.paths.paths.keys() {
            assert!(page.contains(path.as_str()), "{path}");
        }
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
        }
        assert!(!page.contains("style=") && !page.contains("<script"));
    }
}
