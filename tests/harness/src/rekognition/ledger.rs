//! What was asked and what was answered: who answers with labels sends a bill.

use std::collections::BTreeMap;

use super::Api;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number, from 1.
    pub number: u64,
    /// What was asked for; absent when that could not be told.
    pub api: Option<Api>,
    /// The SHA-256 of the picture; absent when the request was refused before it was read.
    pub picture: Option<String>,
    /// The SHA-256 of the request's body: what the fault proxy's list names as well.
    pub body: String,
    /// The error that was answered; `None` for an answer that is billed.
    pub error: Option<String>,
}

/// Every request, in the order they were answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The requests.
    pub calls: Vec<Call>,
}

impl Ledger {
    /// The answers that are billed, by what was asked for and the picture's SHA-256.
    pub fn billed(&self) -> BTreeMap<(Api, String), u64> {
        let mut billed = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.error.is_none()) {
            if let (Some(api), Some(picture)) = (call.api, &call.picture) {
                *billed.entry((api, picture.clone())).or_default() += 1;
            }
        }
        billed
    }

    /// How many answers are billed.
    pub fn bill(&self) -> u64 {
        self.calls.iter().filter(|call| call.error.is_none()).count() as u64
    }

    /// How many requests were answered with an error, by its code.
    pub fn errors(&self) -> BTreeMap<String, u64> {
        let mut errors = BTreeMap::new();
        for code in self.calls.iter().filter_map(|call| call.error.as_ref()) {
            *errors.entry(code.clone()).or_default() += 1;
        }
        errors
    }
}
