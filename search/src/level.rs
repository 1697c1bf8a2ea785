//! Levels: where the best find of a word is, small enough to ride in a posting.
//!
//! A word of a plain query scores by the best place where a record holds it. That place is
//! known when the record is indexed, so it is worked out once, and a query reads one posting
//! list a word. tantivy keeps a small number with each posting of its own accord, how often
//! the term stands in the document; a level is that number, which is why a word is written so
//! often. The commonest levels are the lowest for that reason.
//!
//! | found | scores | steps |
//! |---|---|---|
//! | in a title | 10 | 1 |
//! | in another text that people wrote | 8 to 9.5, more in a short one | 6 |
//! | as a label that a person approved or added | 4 to 6, by nearness | 6 |
//! | as a machine's label above the bar | 0.5 to 3.5, by confidence times nearness | 24 |
//! | in a path, a collection's name, a camera's data | 0.3 | 1 |

use crate::claims::{Relation, Weight};

/// The score of a word in a title.
pub(crate) const IN_TITLE: f32 = 10.0;
/// The bounds of the score of a word in another text: lost in an endless one, alone.
pub(crate) const IN_TEXT: (f32, f32) = (8.0, 9.5);
/// The bounds of the score of a label that a person approved or added.
const RULED: (f32, f32) = (4.0, 6.0);
/// The bounds of the score of a machine's label, from a doubtful far term to a sure name.
const MACHINE: (f32, f32) = (0.5, 3.5);
/// The score of a word in a path, a collection's name or a camera's data.
pub(crate) const IN_TRACE: f32 = 0.3;

const TEXT_STEPS: u8 = 6;
const RULED_STEPS: u8 = 6;
const MACHINE_STEPS: u8 = 24;

const TEXT: u8 = 1;
const TRACE: u8 = TEXT + TEXT_STEPS;
const TITLE: u8 = TRACE + 1;
const BY_MACHINE: u8 = TITLE + 1;
const BY_PEOPLE: u8 = BY_MACHINE + MACHINE_STEPS;
/// One more than the highest level.
pub(crate) const LEVELS: usize = (BY_PEOPLE + RULED_STEPS) as usize;

/// Where the best find of a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(u8);

impl Level {
    /// In a title.
    pub(crate) const TITLE: Self = Self(TITLE);
    /// In a path, a collection's name or a camera's data.
    pub(crate) const TRACE: Self = Self(TRACE);

    /// In a text that people wrote: higher the more often it stands there, and in a short text.
    pub(crate) fn text(repetitions: usize, words: usize) -> Self {
        let repetitions = repetitions as f32;
        let share = repetitions / (repetitions + 0.5 + words as f32 / 50.0);
        Self(TEXT + step(share, TEXT_STEPS))
    }

    /// As a label.
    pub(crate) fn claim(weight: Weight) -> Self {
        let nearness = weight.relation().nearness();
        if weight.ruled() {
            return Self(BY_PEOPLE + step(nearness, RULED_STEPS));
        }
        Self(BY_MACHINE + step(nearness * weight.thousandths() as f32 / 1000.0, MACHINE_STEPS))
    }

    /// What it scores.
    pub(crate) fn score(self) -> f32 {
        let within = |first: u8, steps: u8, (low, high): (f32, f32)| {
            low + (high - low) * (f32::from(self.0 - first) + 0.5) / f32::from(steps)
        };
        match self.0 {
            TRACE => IN_TRACE,
            TITLE => IN_TITLE,
            level if level < TRACE => within(TEXT, TEXT_STEPS, IN_TEXT),
            level if level < BY_PEOPLE => within(BY_MACHINE, MACHINE_STEPS, MACHINE),
            _ => within(BY_PEOPLE, RULED_STEPS, RULED),
        }
    }

    /// How often its word is written.
    pub(crate) fn frequency(self) -> u8 {
        self.0
    }

    /// The scores by how often a word was written.
    pub(crate) fn scores() -> [f32; LEVELS] {
        std::array::from_fn(|level| match u8::try_from(level) {
            Ok(level @ TEXT..) => Self(level).score(),
            _ => 0.0,
        })
    }
}

/// Scores a label as exactly as its confidence is known, where levels are not asked.
pub(crate) fn claim_score(relation: Relation, ruled: bool, thousandths: u32) -> f32 {
    let (bounds, share) = match ruled {
        true => (RULED, relation.nearness()),
        false => (MACHINE, relation.nearness() * thousandths as f32 / 1000.0),
    };
    bounds.0 + (bounds.1 - bounds.0) * share
}

/// The step of a share between 0 and 1.
fn step(share: f32, steps: u8) -> u8 {
    ((share.clamp(0.0, 1.0) * f32::from(steps)) as u8).min(steps - 1)
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::label::LabelKind::Object;
    use glassplate_pipeline::record::LabelState::{Added, Proposed};

    use super::*;
    use crate::claims::Relation::{Broader, Own, Part, Synonym};

    #[test]
    fn people_rank_above_machines_and_near_above_far() {
        let claim =
            |relation, state, sure| Level::claim(Weight::new(relation, Object, state, sure));
        let descending = [
            Level::TITLE,
            Level::text(3, 5),
            Level::text(1, 10),
            Level::text(1, 400),
            claim(Own, Added, 1.0),
            claim(Broader(13), Added, 1.0),
            claim(Own, Proposed, 1.0),
            claim(Synonym, Proposed, 1.0),
            claim(Own, Proposed, 0.6),
            claim(Part, Proposed, 1.0),
            Level::TRACE,
        ];
        let scores = descending.map(Level::score);
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1]), "{scores:?}");
    }

    #[test]
    fn a_level_scores_nearly_what_its_claim_does() {
        for sure in [0.1, 0.45, 0.77, 0.93, 1.0] {
            let weight = Weight::new(Synonym, Object, Proposed, sure);
            let exact = claim_score(Synonym, false, weight.thousandths());
            assert!((Level::claim(weight).score() - exact).abs() <= 0.063, "{sure}");
        }
        let scores = Level::scores();
        assert_eq!(scores[usize::from(Level::TITLE.frequency())], IN_TITLE);
        assert_eq!(scores[0], 0.0, "no word is written no times");
    }
}
