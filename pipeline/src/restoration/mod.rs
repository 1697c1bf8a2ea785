//! Restorations: repaired renditions, the plan that each was made by, and who decides on one.
//!
//! A restoration never takes its original's place: it is a file of its own that says what was
//! done to it, a line of the ledger that can be withdrawn, and in the record it stands apart.

mod policy;

use serde::{Deserialize, Serialize};

use crate::asset::Digest;
use crate::fault::Fault;
use crate::opinion::Maker;
use crate::rendition::Rendition;

pub use policy::{Policy, Seen, When};

/// What the steps of restorations begin with; the rest is the plan's name.
pub const RESTORE_PREFIX: &str = "restore:";

/// What IPTC calls pictures that a program enhanced without adding what a person made up.
/// Source: IPTC NewsCodes, digital source type.
pub const SOURCE_TYPE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced";

/// One way of repairing a picture, in the order in which they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Specks and scratches are drawn anew from what is around them.
    Dust,
    /// Noise is taken away.
    Denoise,
    /// Edges are made sharper.
    Deblur,
    /// The tonal range is spread where it has faded.
    Levels,
    /// Colours are guessed where there are none; lightness stays.
    Colourise,
    /// The picture is made four times as large.
    Upscale,
}

impl Repair {
    /// Every repair, in the order of the work.
    pub const ALL: [Self; 6] =
        [Self::Dust, Self::Denoise, Self::Deblur, Self::Levels, Self::Colourise, Self::Upscale];

    /// Its name, as people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dust => "dust",
            Self::Denoise => "denoise",
            Self::Deblur => "deblur",
            Self::Levels => "levels",
            Self::Colourise => "colourise",
            Self::Upscale => "upscale",
        }
    }
}

/// What matters most when a picture is made larger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is invented: for documents and evidence, and unless another is asked for.
    #[default]
    Fidelity,
    /// It looks best, and details are made up.
    Quality,
    /// Edges are drawn crisp, quickly.
    Fast,
}

impl Mode {
    /// Its name, as people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fidelity => "fidelity",
            Self::Quality => "quality",
            Self::Fast => "fast",
        }
    }
}

/// What is to be done to a picture: at least one repair, each once, in the order of the work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    repairs: Vec<Repair>,
    mode: Mode,
}

impl Plan {
    /// Puts repairs in order; nothing when there are none.
    pub fn new(repairs: impl IntoIterator<Item = Repair>, mode: Mode) -> Option<Self> {
        let mut repairs: Vec<Repair> = repairs.into_iter().collect();
        repairs.sort_unstable();
        repairs.dedup();
        (!repairs.is_empty()).then_some(Self { repairs, mode })
    }

    /// The repairs, in the order of the work.
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// What matters when the picture is made larger.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The plan in short, which is also the name of what it makes: `denoise+upscale-fast`.
    pub fn name(&self) -> String {
        let name = |repair: &Repair| match repair {
            Repair::Upscale => format!("{}-{}", repair.name(), self.mode.name()),
            other => other.name().to_owned(),
        };
        self.repairs.iter().map(name).collect::<Vec<_>>().join("+")
    }

    /// The step that opinions about what it makes carry.
    pub fn step(&self) -> String {
        format!("{RESTORE_PREFIX}{}", self.name())
    }
}

/// A repaired rendition, and how it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restoration {
    /// The plan in short.
    pub name: String,
    /// What was done, in order.
    pub repairs: Vec<Repaired>,
    /// The files, largest first: the restoration itself, and a smaller one to show where it is
    /// larger than 2048 pixels.
    pub files: Vec<Rendition>,
    /// The SHA-256 of the largest file.
    pub digest: Digest,
    /// What kind of picture it is, an IRI of IPTC's digital source types: [`SOURCE_TYPE`].
    pub source_type: String,
}

/// One repair that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repaired {
    /// Which.
    pub repair: Repair,
    /// By whom: model, version, parameters.
    pub maker: Maker,
    /// How strong the damage was taken to be: the sigma of noise in units of 8 bits, of blur in
    /// pixels; absent where there is no strength.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f32>,
    /// What there is to say of it: what was found, or why the picture was left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f32,
}

impl std::str::FromStr for Repair {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|repair| repair.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Fault::bad_input(format!("there is no repair {text:?}; there are {known}"))
        })
    }
}

impl std::str::FromStr for Mode {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let modes = [Self::Fidelity, Self::Quality, Self::Fast];
        modes.into_iter().find(|mode| mode.name() == text).ok_or_else(|| {
            Fault::bad_input(format!(
                "there is no mode {text:?}; there are fidelity, quality, fast"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_named_by_its_repairs_in_the_order_of_the_work() {
        let plan = Plan::new([Repair::Upscale, Repair::Denoise, Repair::Upscale], Mode::Fidelity);
        let plan = plan.expect("two repairs");
        assert_eq!(plan.name(), "denoise+upscale-fidelity");
        assert_eq!(plan.step(), "restore:denoise+upscale-fidelity");
        assert_eq!(Plan::new([], Mode::Fast), None);
    }
}
