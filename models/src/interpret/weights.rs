//! How much each claim weighs: the fitted numbers of `taxonomy/weights.toml`.

use std::collections::HashMap;

use serde::Deserialize;

use super::claims::Eyes;

pub(super) const TEXT: &str = include_str!("../../taxonomy/weights.toml");

/// A scene network's share that counts as nothing.
const LEAST_SCENE: f32 = 5e-4;
/// The same of a look.
const LEAST_LOOK: f32 = 0.05;
/// A thing less likely than this says nothing about scenes and concepts.
pub(super) const LEAST_THING: f32 = 0.03;
/// A classifier's probability counts as this power of it: it is spread too thin over what it sees.
pub(super) const POWER: f32 = 0.7;

/// The fitted weights; `fit/fit.py` writes them and says what each means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weights {
    detectors: HashMap<String, Detector>,
    fusion: Fusion,
    classifier: Classifier,
    with_network: Inferred,
    with_looks: Inferred,
    without_network: Inferred,
}

/// One detector, calibrated alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detector {
    /// The least confidence that it tells; what it does not tell is about two thirds of it.
    least: f32,
    weights: [f32; 3],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fusion {
    one: [f32; 4],
    two: [f32; 4],
    three: [f32; 4],
    monochrome: [f32; 2],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Classifier {
    single: [f32; 2],
}

/// What scenes and concepts are inferred with, by who saw the place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inferred {
    scene: Vec<f32>,
    setting: Vec<f32>,
    accepted: [f32; 2],
    accepted_monochrome: [f32; 2],
    pub(super) concept: [f32; 5],
}

impl Weights {
    /// Reads the numbers that are part of the program.
    pub(super) fn load() -> Self {
        toml::from_str(TEXT).expect("a test reads the weights")
    }

    /// The calibration of a detector; one that was never fitted is taken at its word.
    pub(super) fn detector(&self, model: &str) -> Option<&Detector> {
        self.detectors.get(model)
    }

    /// What several detectors' log-odds come to: constant and share of their sum, what a
    /// classifier's support adds, and that any detector tells the thing at all.
    pub(super) fn fusion(&self, detectors: usize) -> [f32; 4] {
        match detectors {
            0 | 1 => self.fusion.one,
            2 => self.fusion.two,
            // Fitted for three; of more, each counts for less.
            more => {
                let [constant, share, support, told] = self.fusion.three;
                [constant, share * 3.0 / more as f32, support, told]
            }
        }
    }

    /// Corrects log-odds found in a picture without colour.
    pub(super) fn monochrome(&self, log_odds: f32) -> f32 {
        let [constant, share] = self.fusion.monochrome;
        constant + share * log_odds
    }

    /// How likely it is that something of a kind is there, when a classifier alone gives it `p`.
    pub(super) fn single(&self, p: f32) -> f32 {
        let [constant, share] = self.classifier.single;
        sigmoid(constant + share * log_odds(p))
    }

    pub(super) fn inferred(&self, eyes: Eyes) -> &Inferred {
        match eyes {
            Eyes::Network => &self.with_network,
            Eyes::Looks => &self.with_looks,
            Eyes::Nobody => &self.without_network,
        }
    }
}

impl Eyes {
    /// The least share of a scene that says something.
    pub(super) const fn least(self) -> f32 {
        match self {
            Self::Looks => LEAST_LOOK,
            Self::Network | Self::Nobody => LEAST_SCENE,
        }
    }
}

impl Detector {
    /// The log-odds of a thing, from its best instance and the others' sum; `None` when it was not told.
    pub(super) fn log_odds(&self, told: Option<(f32, f32)>) -> f32 {
        let [constant, best, more] = self.weights;
        let (confidence, others) = told.unwrap_or((self.least / 1.5, 0.0));
        constant + best * log_odds(confidence) + more * others.ln_1p()
    }
}

impl Inferred {
    /// What who saw the place, things and classes weigh; the first is 0 where nobody did.
    pub(super) fn scene(&self) -> [f32; 3] {
        match self.scene[..] {
            [things, classes] => [0.0, things, classes],
            [eyes, things, classes] => [eyes, things, classes],
            _ => unreachable!("a test reads the weights"),
        }
    }

    /// The log-odds of outdoors, from those of all scenes and of what was seen alone.
    pub(super) fn outdoor(&self, all: f32, seen: f32) -> f32 {
        let more = self.setting.get(2).map_or(0.0, |weight| weight * seen);
        self.setting[0] + self.setting[1] * all + more
    }

    /// How likely a person accepts a scene that has this share.
    pub(super) fn accepted(&self, share: f32, monochrome: bool) -> f32 {
        let [constant, slope] = if monochrome { self.accepted_monochrome } else { self.accepted };
        sigmoid(constant + slope * log_odds(share))
    }
}

/// Log-odds, kept within what four digits can tell.
pub(super) fn log_odds(p: f32) -> f32 {
    let p = p.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

pub(super) fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_read_and_more_evidence_never_weighs_less() {
        let weights = Weights::load();
        for eyes in [Eyes::Network, Eyes::Looks, Eyes::Nobody] {
            let (inferred, seen) = (weights.inferred(eyes), usize::from(eyes != Eyes::Nobody));
            assert_eq!(inferred.scene[..].len(), 2 + seen);
            assert_eq!(inferred.setting.len(), 2 + seen);
            assert!(inferred.scene().iter().all(|w| *w >= 0.0));
            assert!(inferred.accepted(0.5, false) > inferred.accepted(0.1, false));
            assert!(inferred.concept[1..].iter().all(|w| *w > 0.0));
        }
        for model in ["picodet-s-416", "yolox-nano", "nanodet"] {
            let detector = weights.detector(model).expect(model);
            let told = [None, Some((0.2, 0.0)), Some((0.6, 0.0)), Some((0.6, 0.9))];
            let z = told.map(|told| detector.log_odds(told));
            assert!(z.is_sorted(), "{model}: {z:?}");
        }
        assert!(weights.single(0.8) > weights.single(0.2));
        assert!(weights.fusion(5)[1] < weights.fusion(3)[1]);
    }

    #[test]
    fn log_odds_and_back_is_the_same() {
        for p in [0.001, 0.3, 0.5, 0.97] {
            assert!((sigmoid(log_odds(p)) - p).abs() < 1e-5);
        }
    }
}
