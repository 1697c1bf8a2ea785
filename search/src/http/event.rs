//! Requests as events: what API Gateway hands to a Lambda function (payload format 2.0), and what
//! it wants back.
//!
//! The form is described under "Create AWS Lambda proxy integrations for HTTP APIs" in the
//! developer guide of API Gateway. Who reads events off the service is the caller's part.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glassplate_pipeline::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

use super::problem::Problem;

/// The most bytes of an answer's body: Lambda carries 6 MB, in which bytes are written as base64.
const MOST_BYTES: usize = 4_500_000;

/// A request, as API Gateway writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    /// Several values of one name are joined by commas.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Taken out of the headers, one `name=value` each.
    #[serde(default)]
    cookies: Vec<String>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct Context {
    http: Described,
}

#[derive(Debug, Deserialize)]
struct Described {
    method: String,
}

/// An answer, as API Gateway reads it. The body is always base64, which it undoes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    status_code: u16,
    headers: BTreeMap<String, String>,
    /// What would be `Set-Cookie`, of which headers hold one alone.
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

/// Answers an event by a site's router. An answer of more than 4.5 MB is refused as too large, and
/// an event that is no request as bad input.
pub async fn answer(router: Router, event: Event) -> Reply {
    let response = match event.request() {
        Ok(request) => router.oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(fault) => Problem(fault).into_response(),
    };
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, MOST_BYTES).await {
        Ok(body) => body,
        Err(_) => return Reply::refused().await,
    };
    Reply::of(parts.status.as_u16(), &parts.headers, &body)
}

impl Event {
    fn request(self) -> Result<Request, Fault> {
        let wrong =
            |what: &str| Fault::bad_input(format!("the event's {what} cannot be understood"));
        let query = &self.raw_query_string;
        let address = match query.is_empty() {
            true => self.raw_path,
            false => format!("{}?{query}", self.raw_path),
        };
        let uri: Uri = address.parse().map_err(|e| wrong("address").because(e))?;
        let method: Method =
            self.request_context.http.method.parse().map_err(|e| wrong("method").because(e))?;
        let body = self.body.unwrap_or_default();
        let body = match self.is_base64_encoded {
            true => STANDARD.decode(body).map_err(|e| wrong("body").because(e))?,
            false => body.into_bytes(),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let name: HeaderName = name.parse().map_err(|e| wrong("header").because(e))?;
            let value: HeaderValue = value.parse().map_err(|e| wrong("header").because(e))?;
            headers.insert(name, value);
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.join("; ");
            headers
                .insert(header::COOKIE, cookies.parse().map_err(|e| wrong("cookie").because(e))?);
        }
        let mut request = Request::new(Body::from(body));
        *request.uri_mut() = uri;
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl Reply {
    fn of(status_code: u16, given: &HeaderMap, body: &[u8]) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in given.iter().filter(|(name, _)| *name != header::SET_COOKIE) {
            headers
                .entry(name.to_string())
                .and_modify(|joined| *joined = format!("{joined}, {}", text(value)))
                .or_insert_with(|| text(value));
        }
        Self {
            status_code,
            headers,
            cookies: given.get_all(header::SET_COOKIE).iter().map(text).collect(),
            body: STANDARD.encode(body),
            is_base64_encoded: true,
        }
    }

    /// What is told instead of an answer that is too large, or that broke off.
    async fn refused() -> Self {
        let fault = Fault::new(
            FaultKind::TooLarge,
            format!(
                "a function cannot answer with more than {MOST_BYTES} bytes: ask for less, or the server"
            ),
        );
        let (parts, body) = Problem(fault).into_response().into_parts();
        let body = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
        Self::of(parts.status.as_u16(), &parts.headers, &body)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::Response;
    use axum::routing::{get, post};
    use serde_json::{Value, json};

    use super::*;

    async fn told(router: Router, event: Value) -> (Value, Vec<u8>) {
        let event = serde_json::from_value(event).expect("an event");
        let reply = serde_json::to_value(answer(router, event).await).expect("JSON");
        let body = STANDARD.decode(reply["body"].as_str().expect("a body")).expect("base64");
        (reply, body)
    }

    /// As the developer guide shows it, shortened.
    fn event() -> Value {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/v1/a%20b",
            "rawQueryString": "q=turtle%20%26&limit=2",
            "cookies": ["one=1", "two=2"],
            "headers": {"accept": "text/html, application/json", "x-of-ours": "there"},
            "queryStringParameters": {"q": "turtle &", "limit": "2"},
            "requestContext": {"http": {"method": "POST", "path": "/v1/a b", "sourceIp": "192.0.2.1"}},
            "body": "/9g=",
            "isBase64Encoded": true
        })
    }

    #[tokio::test]
    async fn a_request_comes_as_it_was_sent() {
        async fn seen(request: Request) -> String {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 100).await.expect("a body");
            let header = |name: &str| parts.headers[name].to_str().expect("text").to_owned();
            let (accept, cookie, ours) = (header("accept"), header("cookie"), header("x-of-ours"));
            format!("{} {accept} {cookie} {ours} {body:?}", parts.uri)
        }
        let router = Router::new().route("/v1/{name}", post(seen));
        let (reply, body) = told(router, event()).await;
        assert_eq!(reply["statusCode"], 200);
        assert_eq!(
            String::from_utf8(body).expect("text"),
            r#"/v1/a%20b?q=turtle%20%26&limit=2 text/html, application/json one=1; two=2 there b"\xff\xd8""#
        );
    }

    #[tokio::test]
    async fn cookies_and_repeated_headers_leave_whole() {
        async fn picture() -> Response {
            let mut response = vec![0xff, 0xd8].into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
            for (name, value) in [
                (header::VARY, "accept"),
                (header::VARY, "cookie"),
                (header::SET_COOKIE, "a=1; Path=/"),
                (header::SET_COOKIE, "b=2"),
            ] {
                headers.append(name, HeaderValue::from_static(value));
            }
            response
        }
        let router = Router::new().route("/v1/{name}", post(picture));
        let (reply, body) = told(router, event()).await;
        assert_eq!(reply["headers"]["vary"], "accept, cookie");
        assert_eq!(reply["headers"]["content-type"], "image/jpeg");
        assert_eq!(reply["headers"]["set-cookie"], Value::Null);
        assert_eq!(reply["cookies"], json!(["a=1; Path=/", "b=2"]));
        assert_eq!(body, [0xff, 0xd8]);
    }

    #[tokio::test]
    async fn what_no_function_can_carry_is_refused() {
        let router = Router::new().route("/v1/{name}", get(|| async { vec![0; MOST_BYTES + 1] }));
        let mut asked = event();
        asked["requestContext"]["http"]["method"] = json!("GET");
        let (reply, _) = told(router.clone(), asked.clone()).await;
        assert_eq!(reply["statusCode"], 413);
        asked["rawPath"] = json!("no path");
        assert_eq!(told(router.clone(), asked.clone()).await.0["statusCode"], 400);
        asked["rawPath"] = json!("/v1/x");
        asked["body"] = json!("no base64!");
        assert_eq!(told(router, asked).await.0["statusCode"], 400);
    }
}
