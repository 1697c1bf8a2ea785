//! What was asked: query parameters, ids and JSON bodies, refused as problems.

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::Problem;
use super::problem::of_status;

/// Query parameters; an unknown, repeated or unreadable one is a 400 that names it.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum_extra::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum_extra::extract::Query(asked)) => Ok(Self(asked)),
            Err(e) => Err(Fault::bad_input("a parameter cannot be understood")
                .because(e.body_text())
                .into()),
        }
    }
}

/// Reads a parameter that must say something when it is there: a number, a moment.
pub(crate) fn stated<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(from)?;
    let wrong = |e| D::Error::custom(format!("{text:?} cannot be read: {e}"));
    text.parse().map(Some).map_err(wrong)
}

/// Reads a parameter that must be one of a few words when it is there.
pub(crate) fn one_of<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = String::deserialize(from)?;
    T::deserialize(text.into_deserializer()).map(Some)
}

/// The asset that a path names. What is no id names nothing, and the answer says why.
pub(crate) struct Named(pub(crate) AssetId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let steps = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let steps = steps.map(|Path(steps)| steps).unwrap_or_default();
        let text = steps.into_iter().find(|(name, _)| name == "id").map(|(_, text)| text);
        let id = text.unwrap_or_default().parse();
        id.map(Self).map_err(|fault: Fault| Fault::not_found(fault.reason()).into())
    }
}

/// A step of a path that is any text; what is not UTF-8 names nothing.
pub(crate) struct Step(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Step {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let steps = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let last = steps.ok().and_then(|Path(mut steps)| steps.pop());
        let last = last.ok_or_else(|| Fault::not_found("there is nothing at this address"))?;
        Ok(Self(last.1))
    }
}

/// A body of JSON; what is not one, or not of the shape, is a 400 that says where.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem(Fault::unsupported("the body must be application/json"))
                    .into_response())
            }
            Err(JsonRejection::BytesRejection(e)) => Err(unread(&e)),
            Err(e) => Err(Problem(
                Fault::bad_input("the body cannot be understood").because(e.body_text()),
            )
            .into_response()),
        }
    }
}

fn unread(rejection: &BytesRejection) -> Response {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Problem(Fault::bad_input("the body broke off")).into_response(),
    }
}

/// Answers JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    written(value).map(json_bytes)
}

/// Writes JSON.
pub(crate) fn written(value: &impl Serialize) -> Result<Bytes, Problem> {
    let written = serde_json::to_vec(value);
    Ok(written.map_err(|e| Fault::broken("an answer cannot be written").because(e))?.into())
}

/// Answers JSON that is written already.
pub(crate) fn json_bytes(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
