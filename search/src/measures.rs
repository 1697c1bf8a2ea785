//! Measures: what was measured of a picture, as queries compare it: `noise>=10`.

use glassplate_pipeline::record::Record;

use crate::facts;

/// Values are kept in hundredths.
const HUNDREDTHS: f64 = 100.0;

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The deviation of noise, in units of 8 bits.
    Noise,
    /// The sigma of the blur, in pixels of the 1024 rendition.
    Blur,
    /// The share of the tonal range in use, 0 to 1.
    Contrast,
    /// How far the edges of blocks stand out, in units of 8 bits.
    Blockiness,
    /// The longer side, in pixels.
    Edge,
}

impl Measure {
    /// Every measure, in the order of the documentation.
    pub(crate) const ALL: [Self; 5] =
        [Self::Noise, Self::Blur, Self::Contrast, Self::Blockiness, Self::Edge];

    /// Its name in queries and in the index.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Blur => "blur",
            Self::Contrast => "contrast",
            Self::Blockiness => "blockiness",
            Self::Edge => "edge",
        }
    }

    /// What was measured of a record.
    fn of(self, record: &Record) -> Option<f64> {
        if self == Self::Edge {
            return facts::upright(record).map(|(width, height)| f64::from(width.max(height)));
        }
        let condition = record.assessment.and_then(|assessment| assessment.condition)?;
        match self {
            Self::Noise => Some(condition.noise),
            Self::Blur => condition.blur,
            Self::Contrast => Some(condition.contrast),
            Self::Blockiness => Some(condition.blockiness),
            Self::Edge => None,
        }
        .map(f64::from)
    }
}

/// Lists what was measured of a record, in hundredths.
pub(crate) fn measures(record: &Record) -> Vec<(Measure, u64)> {
    let each = Measure::ALL.into_iter();
    each.filter_map(|measure| Some((measure, hundredths(measure.of(record)?)))).collect()
}

/// The values of one measure that a query asks for, in hundredths, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) measure: Measure,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Span {
    /// Reads `noise>=10`, `blur<2`; nothing when a word compares no measure. `Err` says how it is
    /// written, when it does and is no comparison with a number.
    pub(crate) fn read(word: &str) -> Option<Result<Self, String>> {
        let name = word.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, rest) = word.split_at(name);
        let measure =
            Measure::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))?;
        let signs = rest.bytes().take_while(|b| b"<>=".contains(b)).count();
        if signs == 0 {
            return None;
        }
        let (sign, value) = rest.split_at(signs);
        let name = measure.name();
        let wrong = || Err(format!("compare {name} with a number, as in {name}>=10 or {name}<2"));
        let value = match value.parse::<f64>() {
            Ok(value) if (0.0..1e9).contains(&value) => hundredths(value),
            _ => return Some(wrong()),
        };
        let (from, to) = match sign {
            ">=" => (value, u64::MAX),
            ">" => (value + 1, u64::MAX),
            "<=" => (0, value),
            "<" if value > 0 => (0, value - 1),
            _ => return Some(wrong()),
        };
        Some(Ok(Self { measure, from, to }))
    }
}

fn hundredths(value: f64) -> u64 {
    (value * HUNDREDTHS).round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_read_exactly_and_a_wrong_one_is_told() {
        let read = |word| Span::read(word).map(|span| span.map(|s| (s.measure, s.from, s.to)));
        assert_eq!(read("noise>=10"), Some(Ok((Measure::Noise, 1000, u64::MAX))));
        assert_eq!(read("Blur<1.5"), Some(Ok((Measure::Blur, 0, 149))));
        assert_eq!(read("contrast<=0.5"), Some(Ok((Measure::Contrast, 0, 50))));
        assert_eq!(read("edge>1200"), Some(Ok((Measure::Edge, 120_001, u64::MAX))));
        assert_eq!(read("noise"), None);
        assert_eq!(read("noises>=1"), None);
        for word in ["noise>=", "noise=>3", "noise<0", "noise>=x", "noise>=-1", "noise>=nan"] {
            assert!(read(word).is_some_and(|read| read.is_err()), "{word}");
        }
    }
}
