//! Recalibration by what people ruled: an archive's own pictures are not those of the fitting.
//!
//! For each kind, and apart for pictures without colour, a straight line in log-odds (Platt 1999)
//! leads from the confidence that a label had to how often people confirmed it. It starts from no
//! change and moves only as far as the rulings carry it.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use serde::{Deserialize, Serialize};

use super::weights::{log_odds, sigmoid};

/// Fewer rulings of a kind change nothing.
pub(super) const FEWEST_RULINGS: usize = 20;
/// How firmly a line starts from no change: as many rulings' worth of certainty.
const FIRMNESS: f64 = 4.0;

/// How confidences are corrected, by kind and tone; by default not at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calibration {
    /// Objects in colour pictures.
    pub objects: Option<Curve>,
    /// Objects in pictures without colour.
    pub objects_monochrome: Option<Curve>,
    /// Scenes in colour pictures.
    pub scenes: Option<Curve>,
    /// Scenes in pictures without colour.
    pub scenes_monochrome: Option<Curve>,
    /// Concepts in colour pictures.
    pub concepts: Option<Curve>,
    /// Concepts in pictures without colour.
    pub concepts_monochrome: Option<Curve>,
}

/// One line in log-odds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Added to the log-odds.
    pub constant: f32,
    /// Multiplies the log-odds; above 0.
    pub slope: f32,
    /// How many rulings it rests on.
    pub rulings: usize,
}

/// One label that a machine claimed and a person ruled on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ruled {
    /// The label's kind.
    pub kind: LabelKind,
    /// Whether the picture has no colour.
    pub monochrome: bool,
    /// The confidence before recalibration, 0 to 1.
    pub confidence: f32,
    /// Whether the person confirmed it.
    pub holds: bool,
}

impl Calibration {
    /// Every kind and tone, by its name in the file.
    const PARTS: [(&str, LabelKind, bool); 6] = [
        ("objects", LabelKind::Object, false),
        ("objects_monochrome", LabelKind::Object, true),
        ("scenes", LabelKind::Scene, false),
        ("scenes_monochrome", LabelKind::Scene, true),
        ("concepts", LabelKind::Concept, false),
        ("concepts_monochrome", LabelKind::Concept, true),
    ];

    /// Fits the lines to what people ruled; a kind with too few rulings keeps none.
    pub fn fit(ruled: &[Ruled]) -> Self {
        let mut calibration = Self::default();
        for (_, kind, monochrome) in Self::PARTS {
            let of_it = |one: &&Ruled| one.kind == kind && one.monochrome == monochrome;
            let part: Vec<Ruled> = ruled.iter().filter(of_it).copied().collect();
            *calibration.curve_mut(kind, monochrome) = Curve::fit(&part);
        }
        calibration
    }

    /// Corrects one confidence.
    pub fn apply(&self, kind: LabelKind, monochrome: bool, confidence: f32) -> f32 {
        match self.curve(kind, monochrome) {
            Some(curve) => sigmoid(curve.constant + curve.slope * log_odds(confidence)),
            None => confidence,
        }
    }

    /// Lists every line by its name; those that change nothing have none.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, Option<Curve>)> + '_ {
        Self::PARTS.iter().map(|&(name, kind, monochrome)| (name, self.curve(kind, monochrome)))
    }

    /// Reads what [`Self::to_toml`] wrote.
    ///
    /// # Errors
    /// `BadInput` when it is not that, or a slope would turn sure into unsure.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let calibration: Self = toml::from_str(text)
            .map_err(|e| Fault::bad_input(e.to_string().trim_end().to_owned()))?;
        let falling = |(_, curve): &(_, Option<Curve>)| {
            curve.is_some_and(|curve| !(curve.slope > 0.0 && curve.constant.is_finite()))
        };
        let found = calibration.parts().find(falling).map(|(name, _)| name);
        match found {
            Some(name) => Err(Fault::bad_input(format!("{name}: a slope must be above 0"))),
            None => Ok(calibration),
        }
    }

    /// Writes the lines as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers can be written")
    }

    fn curve(&self, kind: LabelKind, monochrome: bool) -> Option<Curve> {
        match (kind, monochrome) {
            (LabelKind::Object, false) => self.objects,
            (LabelKind::Object, true) => self.objects_monochrome,
            (LabelKind::Scene, false) => self.scenes,
            (LabelKind::Scene, true) => self.scenes_monochrome,
            (LabelKind::Concept, false) => self.concepts,
            (LabelKind::Concept, true) => self.concepts_monochrome,
        }
    }

    fn curve_mut(&mut self, kind: LabelKind, monochrome: bool) -> &mut Option<Curve> {
        match (kind, monochrome) {
            (LabelKind::Object, false) => &mut self.objects,
            (LabelKind::Object, true) => &mut self.objects_monochrome,
            (LabelKind::Scene, false) => &mut self.scenes,
            (LabelKind::Scene, true) => &mut self.scenes_monochrome,
            (LabelKind::Concept, false) => &mut self.concepts,
            (LabelKind::Concept, true) => &mut self.concepts_monochrome,
        }
    }
}

impl Curve {
    /// Fits a line by Newton's method; the penalty keeps it from running away on one-sided rulings.
    fn fit(ruled: &[Ruled]) -> Option<Self> {
        if ruled.len() < FEWEST_RULINGS {
            return None;
        }
        let (mut constant, mut slope) = (0.0_f64, 1.0_f64);
        for _ in 0..50 {
            let mut gradient = [FIRMNESS * constant, FIRMNESS * (slope - 1.0)];
            let mut curvature = [FIRMNESS, 0.0, FIRMNESS];
            for one in ruled {
                let x = f64::from(log_odds(one.confidence));
                let p = 1.0 / (1.0 + (-(constant + slope * x)).exp());
                let (off, weight) = (p - f64::from(one.holds), p * (1.0 - p));
                gradient = [gradient[0] + off, gradient[1] + off * x];
                curvature = [
                    curvature[0] + weight,
                    curvature[1] + weight * x,
                    curvature[2] + weight * x * x,
                ];
            }
            let determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
            let step = [
                (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant,
                (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant,
            ];
            // A long step overshoots where the curve is flat.
            let length = step[0].abs().max(step[1].abs());
            let scale = if length > 1.0 { 1.0 / length } else { 1.0 };
            constant -= scale * step[0];
            slope = (slope - scale * step[1]).max(0.05);
            if length < 1e-9 {
                break;
            }
        }
        Some(Self { constant: constant as f32, slope: slope as f32, rulings: ruled.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rulings(kind: LabelKind, of: &[(f32, usize, usize)]) -> Vec<Ruled> {
        let one = |confidence, holds| Ruled { kind, monochrome: false, confidence, holds };
        let each = |&(confidence, holding, refused): &(f32, usize, usize)| {
            let holding = std::iter::repeat_n(one(confidence, true), holding);
            holding.chain(std::iter::repeat_n(one(confidence, false), refused))
        };
        of.iter().flat_map(each).collect()
    }

    #[test]
    fn what_people_refuse_more_often_than_said_becomes_less_sure() {
        // Said 0.8, right half the time; said 0.3, right one time in ten.
        let ruled = rulings(LabelKind::Object, &[(0.8, 50, 50), (0.3, 10, 90)]);
        let calibration = Calibration::fit(&ruled);
        let sure = |p| calibration.apply(LabelKind::Object, false, p);
        assert!((sure(0.8) - 0.5).abs() < 0.06, "{}", sure(0.8));
        assert!((sure(0.3) - 0.1).abs() < 0.05, "{}", sure(0.3));
        // Other kinds and tones are left as they are.
        assert_eq!(calibration.apply(LabelKind::Scene, false, 0.8), 0.8);
        assert_eq!(calibration.apply(LabelKind::Object, true, 0.8), 0.8);
    }

    #[test]
    fn few_rulings_change_nothing_and_one_sided_ones_do_not_run_away() {
        let few = rulings(LabelKind::Object, &[(0.8, 0, FEWEST_RULINGS - 1)]);
        assert_eq!(Calibration::fit(&few), Calibration::default());
        let all_right = rulings(LabelKind::Object, &[(0.5, 40, 0)]);
        let curve = Calibration::fit(&all_right).objects.unwrap();
        assert!(curve.slope > 0.0 && curve.constant < 5.0, "{curve:?}");
        assert_eq!(curve.rulings, 40);
    }

    #[test]
    fn lines_survive_their_file_and_falling_ones_are_refused() {
        let ruled = rulings(LabelKind::Concept, &[(0.6, 15, 15)]);
        let calibration = Calibration::fit(&ruled);
        assert_eq!(Calibration::parse(&calibration.to_toml()).unwrap(), calibration);
        for text in ["[objects]\nconstant = 0.0\nslope = -1.0\nrulings = 30", "[objekts]\n"] {
            assert!(Calibration::parse(text).is_err(), "{text}");
        }
    }
}
