//! Embedding: where a network puts a picture among all others, in a form that is cheap to keep.
//!
//! Pictures that look alike lie in like directions. How a network's values become an embedding is
//! the labellers' part; here is what is kept of it, and how two are compared.

use serde::{Deserialize, Serialize};

/// How many numbers an embedding has.
pub const DIMENSIONS: usize = 128;

/// What an embedding was made by, and so what it can be compared with: the model's name, a slash,
/// and a digest of all that moves pictures in the space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space(String);

impl Space {
    /// Names a space.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The space as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One picture's place in a space: a direction, so only the values' proportions count.
///
/// The first values tell the most, so that a beginning of them is an embedding too, a coarser one.
/// As JSON the values are base64 (RFC 4648, section 4, without padding), a byte each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedding {
    /// What it was made by.
    pub space: Space,
    /// The direction, the greatest value 127 or -127.
    #[serde(with = "text")]
    pub values: [i8; DIMENSIONS],
}

impl Embedding {
    /// Rounds a direction to what is kept of it; nothing where it has none, or is no number.
    pub fn of(space: &Space, direction: &[f32; DIMENSIONS]) -> Option<Self> {
        let greatest = direction.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        if !(direction.iter().all(|value| value.is_finite()) && greatest > f32::MIN_POSITIVE) {
            return None;
        }
        let values = direction.map(|value| (value / greatest * 127.0).round() as i8);
        Some(Self { space: space.clone(), values })
    }

    /// The cosine of the angle between two, -1 to 1; nothing between those of different spaces.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        (self.space == other.space).then(|| cosine(&self.values, &other.values))
    }
}

/// The cosine of the angle between two directions of one space, -1 to 1; 0 where one is none.
pub fn cosine(a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]) -> f32 {
    let product = |a: &[i8; DIMENSIONS], b: &[i8; DIMENSIONS]| -> f32 {
        a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>() as f32
    };
    let lengths = (product(a, a) * product(b, b)).sqrt();
    if lengths > 0.0 { (product(a, b) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The values as text.
mod text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::DIMENSIONS;
    use crate::fault::Fault;

    pub(super) fn serialize<S: Serializer>(
        values: &[i8; DIMENSIONS],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD_NO_PAD.encode(values.map(|value| value as u8)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[i8; DIMENSIONS], D::Error> {
        read(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    fn read(text: &str) -> Result<[i8; DIMENSIONS], Fault> {
        let wrong = || Fault::bad_input(format!("not {DIMENSIONS} bytes as base64: {text:?}"));
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|error| wrong().because(error))?;
        let bytes: [u8; DIMENSIONS] = bytes.try_into().map_err(|_| wrong())?;
        let values = bytes.map(|byte| byte as i8);
        // A direction without length would be as near to everything as to nothing.
        if values.iter().all(|value| *value == 0) { Err(wrong()) } else { Ok(values) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn space() -> Space {
        Space::named("m/1")
    }

    #[test]
    fn only_embeddings_of_one_space_are_compared() {
        let direction = std::array::from_fn(|at| at as f32 - 40.0);
        let here = Embedding::of(&space(), &direction).expect("a direction");
        let there = Embedding::of(&Space::named("m/2"), &direction).expect("a direction");
        assert_eq!(here.cosine(&there), None);
        let turned =
            Embedding::of(&space(), &direction.map(|value| -3.0 * value)).expect("a direction");
        assert_eq!(here.cosine(&turned), Some(-1.0));
    }

    #[test]
    fn what_has_no_direction_is_no_embedding() {
        for bad in [0.0, f32::NAN, f32::INFINITY] {
            let mut direction = [0.0; DIMENSIONS];
            direction[3] = bad;
            assert_eq!(Embedding::of(&space(), &direction), None, "{bad}");
        }
    }

    #[test]
    fn text_that_is_no_embedding_is_refused() {
        let good = Embedding::of(&space(), &[1.0; DIMENSIONS]).expect("a direction");
        let text = serde_json::to_string(&good).expect("json");
        assert!(text.len() < 220, "{} bytes with every picture", text.len());
        let longer = text.replacen("\"f39", "\"AAAAf39", 1);
        for bad in [text.replace("f38\"", "f3\""), text.replace("f38", "f?8"), longer] {
            assert!(bad != text && serde_json::from_str::<Embedding>(&bad).is_err(), "{bad}");
        }
        let silent = serde_json::json!({ "space": "m/1", "values": "A".repeat(171) });
        assert!(serde_json::from_value::<Embedding>(silent).is_err());
    }

    proptest! {
        #[test]
        fn what_is_kept_is_the_direction_through_json_and_back(
            values in prop::collection::vec(-9.0_f32..9.0, DIMENSIONS),
        ) {
            let direction: [f32; DIMENSIONS] = values.try_into().expect("so many");
            let kept = Embedding::of(&space(), &direction).expect("a direction");
            let back: Embedding =
                serde_json::from_str(&serde_json::to_string(&kept).expect("json")).expect("json");
            prop_assert_eq!(&back, &kept);
            let dot: f32 = direction.iter().zip(kept.values).map(|(a, b)| a * f32::from(b)).sum();
            let own: f32 = direction.iter().map(|a| a * a).sum();
            let its: f32 = kept.values.iter().map(|b| f32::from(*b).powi(2)).sum();
            prop_assert!(dot / (own * its).sqrt() > 0.999);
        }
    }
}
