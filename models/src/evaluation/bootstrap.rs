//! How far a figure may be off by the chance of which pictures were measured.
//!
//! Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, 13.3):
//! the pictures are drawn anew, with replacement, and each figure is computed again.

/// How often pictures are drawn anew.
pub const RESAMPLES: usize = 1000;

/// An interval's ends.
pub type Interval = [f64; 2];

/// Returns the 95 % interval of each figure that `figures` computes.
///
/// `figures` is given how often each picture counts, and must return as many figures each time;
/// those that cannot be computed are NaN and left out. No interval for what never could.
pub fn intervals(
    pictures: usize,
    resamples: usize,
    figures: impl Fn(&[u32]) -> Vec<f64>,
) -> Vec<Option<Interval>> {
    let mut drawn: Vec<Vec<f64>> = vec![Vec::new(); figures(&vec![1; pictures]).len()];
    // Seeded by a constant: the same pictures give the same interval.
    let mut random = SplitMix(0x67_6c_61_73_73);
    let mut weights = vec![0_u32; pictures];
    for _ in 0..resamples {
        weights.fill(0);
        for _ in 0..pictures {
            weights[random.below(pictures)] += 1;
        }
        for (values, value) in drawn.iter_mut().zip(figures(&weights)) {
            values.extend((!value.is_nan()).then_some(value));
        }
    }
    drawn.into_iter().map(interval).collect()
}

fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    Some([quantile(&values, 0.025)?, quantile(&values, 0.975)?])
}

/// Returns a quantile of sorted values, between two of them by proportion.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * (sorted.len().checked_sub(1)?) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

/// `SplitMix64` (Steele, Lea and Flood, 2014): short, and good enough to draw pictures.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        // Multiplying keeps the bias below 2^-40 for any number of pictures that there is.
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.975), Some(3.0));
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 3.0, 4.0], 0.5), Some(2.0));
        assert!((quantile(&[0.0, 10.0], 0.025).unwrap() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn an_interval_is_as_wide_as_theory_says_and_the_same_every_time() {
        // 100 pictures, half of them right: the standard error is 0.05.
        let share = |weights: &[u32]| {
            let right: u32 = weights.iter().step_by(2).sum();
            vec![f64::from(right) / f64::from(weights.iter().sum::<u32>()), f64::NAN]
        };
        let found = intervals(100, RESAMPLES, share);
        let [low, high] = found[0].unwrap();
        assert!((low - 0.402).abs() < 0.02 && (high - 0.598).abs() < 0.02, "{low} {high}");
        assert_eq!(found[1], None, "what cannot be computed has no interval");
        assert_eq!(found, intervals(100, RESAMPLES, share));
    }

    #[test]
    fn what_does_not_vary_has_an_interval_of_no_width() {
        assert_eq!(intervals(7, 50, |_| vec![0.25]), [Some([0.25, 0.25])]);
    }
}
