//! Cursors: the place of an answer's last hit, as text that a client hands back.
//!
//! A cursor holds the order, the place, and a digest of what was asked, so that one that was
//! kept for another search is refused instead of giving hits from nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};

use crate::ask::{Ask, Cursor};
use crate::collect::Place;

/// The bytes of the digest of what was asked.
const DIGEST: usize = 6;

/// Writes the cursor behind a place.
pub(crate) fn write(tenant: &Tenant, ask: &Ask, place: Place) -> Cursor {
    let mut bytes = Vec::with_capacity(16 + DIGEST);
    bytes.extend(place.key.to_be_bytes());
    bytes.extend(place.order.to_be_bytes());
    bytes.extend(asked(tenant, ask));
    Cursor(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a cursor.
///
/// # Errors
/// `BadInput` when it is none, or another search's.
pub(crate) fn read(tenant: &Tenant, ask: &Ask, cursor: &Cursor) -> Result<Place, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(&cursor.0).unwrap_or_default();
    let number = |at: usize| bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok());
    match (number(0), number(8), bytes.get(16..)) {
        (Some(key), Some(order), Some(digest)) if digest == asked(tenant, ask) => {
            Ok(Place { key: u64::from_be_bytes(key), order: u64::from_be_bytes(order) })
        }
        (Some(_), Some(_), Some(digest)) if digest.len() == DIGEST => {
            Err(Fault::bad_input("the cursor is of another search: begin this one without it"))
        }
        _ => Err(Fault::bad_input("the cursor is none of ours")),
    }
}

/// A digest of whose search it is, what it asks, and in which order.
fn asked(tenant: &Tenant, ask: &Ask) -> [u8; DIGEST] {
    let mut within = ask.within.clone();
    within.sort();
    let text = format!("{tenant} {:?} {within:?} {:?} {}", ask.query, ask.sort, ask.typing);
    let digest = Sha256::digest(text);
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ask::Sort;

    proptest! {
        #[test]
        fn a_cursor_reads_back_for_the_same_search_and_no_other(key: u64, order: u64) {
            let (tenant, ask) = (Tenant::default(), Ask::words("dog", 5));
            let cursor = write(&tenant, &ask, Place { key, order });
            let more = Ask { limit: 50, ..ask.clone() };
            prop_assert_eq!(read(&tenant, &more, &cursor).expect("ours"), Place { key, order });
            for other in [Ask::words("cat", 5), Ask { sort: Sort::Added, ..ask.clone() }] {
                prop_assert!(read(&tenant, &other, &cursor).is_err());
            }
            let other: Tenant = "other".parse().expect("a name");
            prop_assert!(read(&other, &ask, &cursor).is_err());
        }

        #[test]
        fn no_text_from_outside_does_harm(text in ".{0,40}") {
            let fault = read(&Tenant::default(), &Ask::default(), &Cursor::given(text));
            prop_assert!(fault.is_err());
        }
    }
}
