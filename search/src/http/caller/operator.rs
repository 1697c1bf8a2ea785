//! The operator's token: what opens new archives over HTTP. It opens no archive itself.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::super::Site;
use super::super::problem::of_status;

/// The fewest characters of a token: nobody guesses 32 random ones.
const SHORTEST: usize = 32;

/// A hash of the token that the server's operator set.
#[derive(Clone)]
pub struct OperatorToken([u8; 32]);

impl OperatorToken {
    /// Tells whether a request shows it, in the same time whatever it shows.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.split_once(' ')).map_or("", |(scheme, token)| {
            if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" }
        });
        bool::from(self.0.ct_eq(&Sha256::digest(token)))
    }
}

impl FromStr for OperatorToken {
    type Err = Fault;

    /// Takes a token of at least 32 characters; a fault never tells it.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.len() < SHORTEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Fault::bad_input(format!(
                "the operator's token is to have at least {SHORTEST} characters without spaces, as \
                 `openssl rand -hex 32` makes them"
            )));
        }
        Ok(Self(Sha256::digest(text).into()))
    }
}

/// Whoever shows the token; to everybody else there is nothing at the address.
pub(crate) struct Operator;

impl FromRequestParts<Arc<Site>> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        match site.door.is_operator(&parts.headers) {
            true => Ok(Self),
            false => Err(of_status(StatusCode::NOT_FOUND)),
        }
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken")
    }
}
