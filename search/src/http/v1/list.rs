//! Lists: what all that are read page by page have in common.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glassplate_pipeline::fault::Fault;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::asked::stated;

/// How many things a page has unless the client says another number.
const PAGE: usize = 50;
/// The most things of one page.
const MOST: usize = 1000;

/// Where in a list, and how much of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many things at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    pub(super) limit: Option<usize>,
    /// Where an earlier page ended: its `next.cursor`.
    pub(super) cursor: Option<String>,
}

/// Where to go on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Next {
    /// What to give as `cursor`.
    pub(super) cursor: String,
    /// The same question again, going on there.
    #[schema(format = "uri-reference")]
    pub(super) href: String,
}

/// Checks how many things are asked for.
///
/// # Errors
/// `BadInput` for none, and for more than one page holds.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Fault> {
    match asked {
        None => Ok(PAGE),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(limit) => Err(Fault::bad_input(format!("limit is {limit}: 1 to {MOST}"))),
    }
}

/// Writes the place after which a list goes on.
pub(super) fn cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// Reads what [`cursor`] wrote.
///
/// # Errors
/// `BadInput` for any other text.
pub(super) fn place(cursor: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::bad_input(format!("{cursor:?} is no cursor of this list")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for text in ["", "a/b c.jpg", "caf\u{e9}"] {
            assert_eq!(place(&cursor(text)).expect("our own"), text);
        }
        for wrong in ["=", "a b", "_w"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
