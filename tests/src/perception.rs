//! How far apart two pictures look: a perceptual distance on the features of a network.
//!
//! It is LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric,
//! 2018) without its learned weights, whose networks cannot be had, on the classifier that the
//! colouriser sees with: at four depths the channels of each place are brought to length one, and the
//! squared differences are averaged over places.

use glassplate_models::session::{Outputs, SessionPool};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::raster::Raster;

/// The network's outputs that are compared: at a quarter to a thirty-second of the size.
const TAPS: [&str; 4] = ["s4", "s8", "s16", "s32"];
/// Sides of what the network sees are multiples of this.
const MULTIPLE: u32 = 32;

/// Looks at pictures with a network that gives what is compared: `s4`, `s8`, `s16` and `s32`.
#[derive(Debug, Clone)]
pub struct Eye {
    encoder: SessionPool,
}

impl Eye {
    /// Looks with this network.
    pub fn new(encoder: SessionPool) -> Self {
        Self { encoder }
    }

    /// How far apart two pictures of one size look; 0 when they are the same, 4 times 4 at most. What
    /// is left over of a multiple of 32 pixels is not looked at.
    ///
    /// # Errors
    /// What the network says.
    pub async fn apart(&self, one: &Raster, other: &Raster) -> Result<f64, Fault> {
        let (one, other) = (self.seen(one).await?, self.seen(other).await?);
        Ok(one.iter().zip(&other).map(|((_, shape, a), (_, _, b))| apart(shape, a, b)).sum())
    }

    async fn seen(&self, picture: &Raster) -> Result<Outputs, Fault> {
        let [width, height] =
            [picture.width(), picture.height()].map(|side| (side / MULTIPLE * MULTIPLE) as usize);
        let mut planes = Vec::with_capacity(width * height * 3);
        for channel in 0..3 {
            for row in picture.rgb().chunks_exact(picture.width() as usize * 3).take(height) {
                let values = row[..width * 3].iter().skip(channel).step_by(3);
                planes.extend(values.map(|&value| (f32::from(value) - 127.0) / 128.0));
            }
        }
        let shape = [1, 3, height, width];
        let taps = TAPS.map(str::to_owned);
        self.encoder
            .run(move |network| network.run_named(&[("images", shape, &planes)], &taps))
            .await
    }
}

/// The mean over all places of the squared difference of two directions.
fn apart(shape: &[usize], a: &[f32], b: &[f32]) -> f64 {
    let channels = shape[1];
    let places = a.len() / channels;
    let length = |of: &[f32], place: usize| {
        let squares = (0..channels).map(|channel| of[channel * places + place].powi(2));
        squares.sum::<f32>().sqrt() + 1e-10
    };
    let differ = |place: usize| -> f64 {
        let (la, lb) = (length(a, place), length(b, place));
        let at = |channel: usize| channel * places + place;
        let squares = (0..channels).map(|c| (a[at(c)] / la - b[at(c)] / lb).powi(2));
        f64::from(squares.sum::<f32>())
    };
    (0..places).map(differ).sum::<f64>() / places as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_compared_and_lengths_are_not() {
        let shape = [1, 2, 1, 2];
        let a = [1.0, 0.0, 0.0, 2.0];
        assert!(apart(&shape, &a, &a) < 1e-9);
        assert!(apart(&shape, &a, &[3.0, 0.0, 0.0, 1.0]) < 1e-9);
        assert!((apart(&shape, &a, &[0.0, 0.0, 1.0, 1.0]) - 1.0).abs() < 1e-6);
    }
}
