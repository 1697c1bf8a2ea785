//! Whether confidences mean what they say: of all claims of 0.7, seven in ten should be right.
//!
//! Expected calibration error over bins of equal mass (Nguyen and O'Connor, 2015): equal widths
//! would leave most claims, the weak ones, in one bin.

/// How many bins.
pub const BINS: usize = 15;

/// One claim that is known to be right or wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Which picture it is about, counted from 0.
    pub picture: usize,
    /// How sure it was, 0 to 1.
    pub confidence: f32,
    /// Whether it is right.
    pub right: bool,
}

/// Claims of like confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub claims: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share that is right.
    pub right: f64,
}

/// Sorts claims by confidence, the least first, for [`bins`].
pub fn sorted(mut claims: Vec<Claim>) -> Vec<Claim> {
    claims.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    claims
}

/// Puts sorted claims into [`BINS`] bins of as many claims each; empty bins are left out.
///
/// `weights` tell how often each picture counts.
pub fn bins(sorted: &[Claim], weights: &[u32]) -> Vec<Bin> {
    let all: u64 = sorted.iter().map(|claim| u64::from(weights[claim.picture])).sum();
    let mut bins = [Bin::default(); BINS];
    let mut at = 0;
    for claim in sorted {
        for _ in 0..weights[claim.picture] {
            let bin = &mut bins[(at * BINS as u64 / all) as usize];
            bin.claims += 1;
            bin.confidence += f64::from(claim.confidence);
            bin.right += f64::from(u8::from(claim.right));
            at += 1;
        }
    }
    bins.into_iter()
        .filter(|bin| bin.claims > 0)
        .map(|Bin { claims, confidence, right }| Bin {
            claims,
            confidence: confidence / claims as f64,
            right: right / claims as f64,
        })
        .collect()
}

/// Returns the mean distance of confidence and truth, weighted by claims; NaN without claims.
pub fn error(bins: &[Bin]) -> f64 {
    let all: u64 = bins.iter().map(|bin| bin.claims).sum();
    let apart = |bin: &Bin| (bin.confidence - bin.right).abs() * bin.claims as f64;
    if all == 0 { f64::NAN } else { bins.iter().map(apart).sum::<f64>() / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(of: &[(f32, bool)]) -> Vec<Claim> {
        let claim = |(picture, &(confidence, right))| Claim { picture, confidence, right };
        sorted(of.iter().enumerate().map(claim).collect())
    }

    fn error_of(of: &[(f32, bool)]) -> f64 {
        error(&bins(&claims(of), &vec![1; of.len()]))
    }

    #[test]
    fn claims_that_mean_what_they_say_have_no_error() {
        // 15 bins of four claims each, a quarter of them right.
        let honest: Vec<_> = (0..60).map(|at| (0.25, at % 4 == 0)).collect();
        assert!(error_of(&honest) < 1e-9);
        assert!(error_of(&[]).is_nan());
    }

    #[test]
    fn the_error_is_the_mean_distance_bin_by_bin() {
        // Fewer claims than bins: each is a bin of its own. |0.9-1|, |0.8-0|, |0.3-0|.
        let error = error_of(&[(0.9, true), (0.8, false), (0.3, false)]);
        assert!((error - (0.1 + 0.8 + 0.3) / 3.0).abs() < 1e-6, "{error}");
    }

    #[test]
    fn bins_have_equal_mass_and_are_in_order() {
        let many: Vec<_> = (0..150).map(|at| (at as f32 / 150.0, at % 2 == 0)).collect();
        let bins = bins(&claims(&many), &[1; 150]);
        assert_eq!(bins.len(), BINS);
        assert!(bins.iter().all(|bin| bin.claims == 10));
        assert!(bins.is_sorted_by(|a, b| a.confidence < b.confidence));
    }

    #[test]
    fn a_picture_that_counts_twice_is_as_good_as_two() {
        let once = claims(&[(0.9, true), (0.2, false)]);
        let twice = claims(&[(0.9, true), (0.9, true), (0.2, false)]);
        assert_eq!(error(&bins(&once, &[2, 1])), error(&bins(&twice, &[1, 1, 1])));
    }
}
