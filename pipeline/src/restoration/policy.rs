//! Policies: which pictures a collection wants repaired, and how.
//!
//! A condition is written as people say it: `long edge < 1200 and noise >= 8`,
//! `monochrome photographs`. It is read strictly: what is not understood is a fault that points
//! at the place.

use serde::Deserialize;

use super::{Mode, Plan, Repair};
use crate::assessment::Assessment;
use crate::fault::Fault;

/// What is wanted of a collection; by default nothing is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What matters when pictures are made larger.
    pub mode: Mode,
    /// When specks and scratches are drawn anew.
    pub dust: When,
    /// When noise is taken away.
    pub denoise: When,
    /// When edges are made sharper.
    pub deblur: When,
    /// When the tonal range is spread.
    pub levels: When,
    /// When colours are guessed.
    pub colourise: When,
    /// When the picture is made larger.
    pub upscale: When,
    /// When labellers that cost nothing are asked about what was repaired, too; what they see
    /// there and not on the original is kept apart.
    pub label: When,
}

impl Policy {
    /// What `auto` means: each repair where the damage shows and the repair helps. Dust is left to
    /// who asks for it: assess does not see it, and in a picture without dust the repair can only harm.
    pub fn auto() -> Self {
        let when = |text: &str| text.parse().expect("a test reads every condition of it");
        Self {
            mode: Mode::Fidelity,
            dust: When::default(),
            denoise: when("noise >= 8"),
            deblur: when("blur >= 1.3 and blur <= 4 and noise < 4 and photographs"),
            levels: when("contrast < 0.6 and photographs"),
            colourise: when("monochrome photographs"),
            upscale: when("long edge < 1000"),
            label: when("noise >= 20"),
        }
    }

    /// Tells whether it wants anything of anybody.
    pub fn is_idle(&self) -> bool {
        self.rules().iter().all(|(_, when)| when.0.is_none())
    }

    /// Plans for one picture; nothing when nothing is wanted of it.
    pub fn plan(&self, seen: &Seen) -> Option<Plan> {
        let wanted = self.rules().into_iter().filter(|(_, when)| when.holds(seen));
        Plan::new(wanted.map(|(repair, _)| repair), self.mode)
    }

    fn rules(&self) -> [(Repair, &When); 6] {
        [
            (Repair::Dust, &self.dust),
            (Repair::Denoise, &self.denoise),
            (Repair::Deblur, &self.deblur),
            (Repair::Levels, &self.levels),
            (Repair::Colourise, &self.colourise),
            (Repair::Upscale, &self.upscale),
        ]
    }
}

/// What a policy goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The longer side of the original, in pixels.
    pub long_edge: u32,
    /// The pixels of the original.
    pub pixels: u64,
    /// What assess found.
    pub assessment: Assessment,
}

/// A condition on a picture; by default it never holds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct When(Option<Vec<Test>>);

/// One part of a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Test {
    Monochrome,
    Colour,
    Photograph,
    Page,
    Compare { quantity: Quantity, sign: Sign, with: f32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    LongEdge,
    Noise,
    Blur,
    Contrast,
    Blockiness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// The words of conditions; a quantity is followed by a comparison.
const KNOWN: &str = "always, never, monochrome, colour, photographs, pages, long edge, noise, blur, \
                     contrast or blockiness";

impl When {
    /// Tells whether the condition holds; what was not measured meets no comparison.
    pub fn holds(&self, seen: &Seen) -> bool {
        self.0.as_ref().is_some_and(|tests| tests.iter().all(|test| test.holds(seen)))
    }
}

impl Test {
    fn holds(self, seen: &Seen) -> bool {
        let condition = seen.assessment.condition;
        match self {
            Self::Monochrome => seen.assessment.tone.is_monochrome(),
            Self::Colour => !seen.assessment.tone.is_monochrome(),
            Self::Photograph => condition.is_none_or(|condition| !condition.is_page()),
            Self::Page => condition.is_some_and(|condition| condition.is_page()),
            Self::Compare { quantity, sign, with } => {
                let value = match quantity {
                    Quantity::LongEdge => Some(seen.long_edge as f32),
                    Quantity::Noise => condition.map(|found| found.noise),
                    // What moved cannot be undone as what lay out of focus can.
                    Quantity::Blur => condition.and_then(|f| f.blur.filter(|_| !f.motion)),
                    Quantity::Contrast => condition.map(|found| found.contrast),
                    Quantity::Blockiness => condition.map(|found| found.blockiness),
                };
                value.is_some_and(|value| match sign {
                    Sign::Below => value < with,
                    Sign::AtMost => value <= with,
                    Sign::Above => value > with,
                    Sign::AtLeast => value >= with,
                })
            }
        }
    }
}

impl TryFrom<String> for When {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl std::str::FromStr for When {
    type Err = Fault;

    /// Reads a condition: `always`, `never`, or tests joined by `and`.
    ///
    /// # Errors
    /// `BadInput` that quotes the condition and points at the place.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let mut words = Words { text, rest: pieces(text) };
        match text.trim() {
            "never" => return Ok(Self(None)),
            "always" => return Ok(Self(Some(Vec::new()))),
            _ => {}
        }
        let mut tests = Vec::new();
        loop {
            words.test(&mut tests)?;
            match words.next() {
                None => return Ok(Self(Some(tests))),
                Some((_, "and")) => {}
                Some((at, word)) => {
                    return Err(words.wrong(at, &format!("expected and, not {word:?}")));
                }
            }
        }
    }
}

/// The words of a condition, each with its place, counted in characters from 1.
struct Words<'a> {
    text: &'a str,
    /// The next one last.
    rest: Vec<(usize, &'a str)>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        self.rest.pop()
    }

    fn test(&mut self, tests: &mut Vec<Test>) -> Result<(), Fault> {
        let (at, word) = self.next().unwrap_or((self.end(), ""));
        let test = match word {
            "monochrome" | "colour" => {
                tests.push(if word == "colour" { Test::Colour } else { Test::Monochrome });
                // `monochrome photographs` says two things.
                return match self.rest.last() {
                    Some((_, "photographs" | "pages")) => self.test(tests),
                    _ => Ok(()),
                };
            }
            "photographs" => Test::Photograph,
            "pages" => Test::Page,
            "long" if self.rest.last().is_some_and(|(_, word)| *word == "edge") => {
                self.next();
                self.comparison(Quantity::LongEdge)?
            }
            "long" => return Err(self.wrong(at, "expected long edge")),
            "noise" => self.comparison(Quantity::Noise)?,
            "blur" => self.comparison(Quantity::Blur)?,
            "contrast" => self.comparison(Quantity::Contrast)?,
            "blockiness" => self.comparison(Quantity::Blockiness)?,
            _ => return Err(self.wrong(at, &format!("expected {KNOWN}, not {word:?}"))),
        };
        tests.push(test);
        Ok(())
    }

    fn comparison(&mut self, quantity: Quantity) -> Result<Test, Fault> {
        let (at, sign) = self.next().unwrap_or((self.end(), ""));
        let sign = match sign {
            "<" => Sign::Below,
            "<=" => Sign::AtMost,
            ">" => Sign::Above,
            ">=" => Sign::AtLeast,
            _ => return Err(self.wrong(at, &format!("expected <, <=, > or >=, not {sign:?}"))),
        };
        let (at, number) = self.next().unwrap_or((self.end(), ""));
        match number.parse::<f32>() {
            Ok(with) if with.is_finite() => Ok(Test::Compare { quantity, sign, with }),
            _ => Err(self.wrong(at, &format!("expected a number, not {number:?}"))),
        }
    }

    /// The place behind the last character.
    fn end(&self) -> usize {
        self.text.chars().count() + 1
    }

    fn wrong(&self, at: usize, message: &str) -> Fault {
        Fault::bad_input(format!("at character {at} of the condition {:?}: {message}", self.text))
    }
}

/// Cuts a condition into words and signs, the first one last.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let kind = |c: char| match c {
        c if c.is_whitespace() => 0,
        '<' | '>' | '=' => 1,
        _ => 2,
    };
    let mut pieces: Vec<(usize, &str)> = Vec::new();
    let (mut start, mut before) = (0, 0);
    let ends = text.char_indices().map(|(at, c)| (at, kind(c))).chain([(text.len(), 0)]);
    for (at, now) in ends {
        if now != before {
            if before != 0 {
                pieces.push((text[..start].chars().count() + 1, &text[start..at]));
            }
            (start, before) = (at, now);
        }
    }
    pieces.reverse();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{Condition, Tone};

    fn seen(tone: Tone, noise: f32, paper: f32) -> Seen {
        let condition = Condition {
            noise,
            blur: None,
            motion: false,
            contrast: 0.9,
            blockiness: 0.0,
            border: [0.0; 4],
            paper,
        };
        Seen {
            long_edge: 1100,
            pixels: 1100 * 800,
            assessment: Assessment { tone, chroma: 0.0, condition: Some(condition) },
        }
    }

    fn holds(condition: &str, seen: &Seen) -> bool {
        condition.parse::<When>().expect(condition).holds(seen)
    }

    #[test]
    fn a_condition_means_what_it_says() {
        let grey = seen(Tone::Grey, 9.0, 0.1);
        for condition in [
            "always",
            "long edge < 1200",
            "long edge<=1100 and noise>=9",
            "monochrome photographs",
            "photographs and monochrome",
        ] {
            assert!(holds(condition, &grey), "{condition}");
        }
        for condition in ["never", "long edge < 1100", "colour", "blur >= 0", "monochrome pages"] {
            assert!(!holds(condition, &grey), "{condition}");
        }
        assert!(!holds("monochrome photographs", &seen(Tone::Grey, 9.0, 0.8)));
        assert!(!When::default().holds(&grey));
    }

    #[test]
    fn a_wrong_condition_is_pointed_at() {
        for (condition, at) in [
            ("", "at character 1 "),
            ("monochrom", "at character 1 "),
            ("noise >= ", "at character 10 "),
            ("noise about 3", "at character 7 "),
            ("noise >= x", "at character 10 "),
            ("noise >= 3 or blur > 1", "at character 12 "),
            ("noise >= 3 and", "at character 15 "),
            ("long shot < 3", "at character 1 "),
            ("noise >= nan", "at character 10 "),
        ] {
            let fault = condition.parse::<When>().expect_err(condition);
            assert!(fault.to_string().contains(at), "{condition}: {fault}");
        }
    }

    #[test]
    fn the_default_wants_nothing_and_auto_what_shows() {
        let grey = seen(Tone::Grey, 9.0, 0.1);
        assert!(Policy::default().is_idle());
        assert_eq!(Policy::default().plan(&grey), None);
        let plan = Policy::auto().plan(&grey).expect("a noisy grey photograph");
        assert_eq!(plan.name(), "denoise+colourise");
        assert_eq!(Policy::auto().plan(&seen(Tone::Colour, 1.0, 0.1)), None);
    }
}
