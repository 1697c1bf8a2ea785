//! Purchases: calls to a service that costs money, written down before and after each.
//!
//! A purchase is reserved in the ledger before the call and settled after it. Of many workers
//! that want the same answer one gets the reservation; a crash between the two leaves a
//! reservation that says "perhaps paid", so that the same is asked at most once more.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::asset::AssetId;
use crate::fault::Fault;
use crate::opinion::{Maker, Subject};
use crate::run::RunId;

/// US dollars, kept in millionths: prices of a call are fractions of a cent. Written as text.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Dollars(u64);

impl TryFrom<String> for Dollars {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<Dollars> for String {
    fn from(amount: Dollars) -> Self {
        amount.to_string()
    }
}

impl Dollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many millionths of a dollar.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// In millionths of a dollar.
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// Tells whether it is nothing.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// What is left of this after taking the other; nothing when the other is more.
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// How many calls of this price it pays for; everything is for free at price 0.
    pub const fn pays_for(self, price: Self) -> u64 {
        match self.0.checked_div(price.0) {
            Some(calls) => calls,
            None => u64::MAX,
        }
    }
}

impl Add for Dollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<u64> for Dollars {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for Dollars {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Dollars {
    /// Two decimals, more only where they say something: `25.00`, `0.001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let digits = format!("{part:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &digits[..kept])
    }
}

impl FromStr for Dollars {
    type Err = Fault;

    /// Reads `25`, `25.00`, `0.001`; at most six decimals.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::bad_input(format!("{text:?} is no amount of dollars such as 25.00"));
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) || part.len() > 6
        {
            return Err(wrong());
        }
        let number = |text: &str| match text {
            "" => Ok(0),
            text => text.parse::<u64>().map_err(|_| wrong()),
        };
        let millionths = number(whole)?.checked_mul(1_000_000).ok_or_else(wrong)?;
        Ok(Self(millionths.checked_add(number(&format!("{part:0<6}"))?).ok_or_else(wrong)?))
    }
}

/// What is bought: one answer of one maker about one subject; 24 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurchaseId(String);

impl PurchaseId {
    /// Names the answer of this step's maker about a subject, whichever asset or run wants it.
    pub fn of(step: &str, subject: &Subject, maker: &Maker) -> Self {
        let mut hasher = Sha256::new();
        for part in [
            step,
            &subject.to_string(),
            &maker.backend,
            &maker.model,
            &maker.version,
            &maker.parameters,
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hasher.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One call to a service that costs money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// What is bought.
    pub id: PurchaseId,
    /// Which call for the same answer it is, from 1.
    pub attempt: u32,
    /// The asset that it is bought for.
    pub asset: AssetId,
    /// The run that buys.
    pub run: RunId,
    /// The worker of the run that buys, where a run has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The collection that it is bought for.
    pub collection: String,
    /// The step that asks, such as `label:rekognition`.
    pub step: String,
    /// What one call costs.
    pub price: Dollars,
    /// When it was reserved.
    pub at: Timestamp,
    /// What became of it.
    pub state: PurchaseState,
}

/// What became of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseState {
    /// The call is about to be made, or the worker died over it: perhaps paid.
    Reserved,
    /// The service answered: paid.
    Answered,
    /// The call was made and no answer came: perhaps paid.
    Lost,
    /// The service refused or failed the call: not paid.
    Free,
}

impl PurchaseState {
    /// Tells whether money may have been spent.
    pub const fn may_cost(self) -> bool {
        !matches!(self, Self::Free)
    }
}

impl Purchase {
    /// Who alone may settle it: the run, and its worker where it has several.
    pub fn buyer(&self) -> String {
        match &self.holder {
            Some(holder) => format!("{} {holder}", self.run),
            None => self.run.to_string(),
        }
    }

    /// What may have been spent on it.
    pub fn spent(&self) -> Dollars {
        if self.state.may_cost() { self.price } else { Dollars::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_they_are_written() {
        for (text, millionths, written) in [
            ("25.00", 25_000_000, "25.00"),
            ("25", 25_000_000, "25.00"),
            ("0.001", 1_000, "0.001"),
            (".5", 500_000, "0.50"),
            ("0.000001", 1, "0.000001"),
        ] {
            let amount: Dollars = text.parse().expect(text);
            assert_eq!((amount.millionths(), amount.to_string().as_str()), (millionths, written));
        }
        for text in ["", ".", "-1", "1e3", "1.0000001", "$5", "1,5", "99999999999999999999"] {
            assert!(text.parse::<Dollars>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_budget_pays_for_whole_calls() {
        let price = Dollars::from_millionths(1_000);
        assert_eq!(Dollars::from_millionths(2_999).pays_for(price), 2);
        assert_eq!(Dollars::ZERO.pays_for(price), 0);
        assert_eq!(Dollars::ZERO.pays_for(Dollars::ZERO), u64::MAX);
        assert_eq!((price * 3 + price).less(price * 5), Dollars::ZERO);
    }
}
