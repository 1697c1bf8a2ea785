//! From the values that a network gives of a picture to the embedding that is kept.
//!
//! What is kept are the principal components of the values' square roots, see `fit/projection.py`.
//! A projection is fitted to one network file; a network without one gives no embedding. It is no
//! part of the card: what is claimed, and so who claims it, stays the same with and without.

use glassplate_pipeline::embedding::{DIMENSIONS, Embedding, Space};
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};

use crate::card::Card;

/// The projections that are part of the program.
const BUILT_IN: [&[u8]; 1] = [include_bytes!("../../projections/efficientnet-lite0.projection")];

/// How a file begins. The network's SHA-256 follows, the number of its values as u32, their mean
/// square roots as f32, the components' steps as f32, and each component's values as i8 in units
/// of its step; all little-endian.
const MAGIC: &[u8] = b"glassplate projection 1\n";

/// What makes embeddings of one network's values.
#[derive(Debug)]
pub(super) struct Projection {
    space: Space,
    network: String,
    means: Vec<f32>,
    steps: [f32; DIMENSIONS],
    /// A component after the other, each as long as the means.
    components: Vec<i8>,
}

impl Projection {
    /// Returns the projection fitted to a card's network; nothing when there is none.
    pub(super) fn of(card: &Card) -> Result<Option<Self>, Fault> {
        for bytes in BUILT_IN {
            let projection = Self::read(bytes, &card.name)?;
            if card.products().iter().any(|file| file.sha256 == projection.network) {
                return Ok(Some(projection));
            }
        }
        Ok(None)
    }

    /// The space of its embeddings.
    pub(super) fn space(&self) -> &Space {
        &self.space
    }

    /// Projects a network's values; nothing where one is no number.
    ///
    /// # Errors
    /// `Broken` when there are not as many as it was fitted to.
    pub(super) fn embedding(&self, values: &[f32]) -> Result<Option<Embedding>, Fault> {
        if values.len() != self.means.len() {
            return Err(Fault::broken(format!(
                "the embedding has {} values, its projection knows {}",
                values.len(),
                self.means.len()
            )));
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Ok(None);
        }
        let roots = values.iter().map(|value| value.max(0.0).sqrt());
        let centred: Vec<f32> = roots.zip(&self.means).map(|(root, mean)| root - mean).collect();
        let mut direction = self.steps;
        let components = self.components.chunks_exact(self.means.len());
        for (value, component) in direction.iter_mut().zip(components) {
            let terms = component.iter().zip(&centred).map(|(c, root)| f32::from(*c) * root);
            *value *= terms.sum::<f32>();
        }
        Ok(Embedding::of(&self.space, &direction))
    }

    /// Reads a projection; its own digest, which stands for the network too, names the space.
    fn read(bytes: &[u8], model: &str) -> Result<Self, Fault> {
        let digest: String = Sha256::digest(bytes)[..6].iter().map(hex).collect();
        let (mut rest, wrong) = (bytes, || Fault::broken("a projection cannot be read"));
        let mut take = |count: usize| rest.split_off(..count).ok_or_else(wrong);
        if take(MAGIC.len())? != MAGIC {
            return Err(wrong());
        }
        let network = take(32)?.iter().map(hex).collect();
        let length = floats(take(4)?, u32::from_le_bytes)[0] as usize;
        let means = floats(take(length.saturating_mul(4))?, f32::from_le_bytes);
        let steps = floats(take(4 * DIMENSIONS)?, f32::from_le_bytes);
        let components: Vec<i8> = rest.iter().map(|byte| *byte as i8).collect();
        if length == 0 || components.len() != length * DIMENSIONS {
            return Err(wrong());
        }
        let space = Space::named(format!("{model}/{digest}"));
        let steps = steps.try_into().map_err(|_| wrong())?;
        Ok(Self { space, network, means, steps, components })
    }
}

fn hex(byte: &u8) -> String {
    format!("{byte:02x}")
}

fn floats<T>(bytes: &[u8], read: fn([u8; 4]) -> T) -> Vec<T> {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|number| read(*number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str) -> Card {
        Card::built_in().into_iter().find(|card| card.name == name).unwrap()
    }

    fn projection() -> Projection {
        Projection::of(&card("efficientnet-lite0")).unwrap().unwrap()
    }

    #[test]
    fn a_network_has_the_projection_that_was_fitted_to_its_very_file() {
        assert!(projection().space().as_str().starts_with("efficientnet-lite0/"));
        assert!(Projection::of(&card("efficientnet-lite2")).unwrap().is_none());
        assert!(Projection::of(&card("yolox-nano")).unwrap().is_none());
    }

    #[test]
    fn the_first_number_is_the_first_component_of_the_roots() {
        let projection = projection();
        let component = &projection.components[..1280];
        let roots = component.iter().zip(&projection.means).map(|(c, mean)| {
            // Far along the component, and never below zero.
            (mean + f32::from(*c) * 1e-3).max(0.0)
        });
        let values: Vec<f32> = roots.map(|root| root * root).collect();
        let embedding = projection.embedding(&values).unwrap().unwrap();
        assert_eq!(embedding.values[0], 127, "{:?}", embedding.values);
        let others = embedding.values[1..].iter().map(|value| value.abs()).max();
        assert!(others.unwrap() < 64, "{:?}", embedding.values);
    }

    #[test]
    fn what_is_no_number_gives_nothing_and_another_count_of_values_is_a_fault() {
        let projection = projection();
        assert!(projection.embedding(&[1.0; 1280]).unwrap().is_some());
        assert_eq!(projection.embedding(&[f32::NAN; 1280]).unwrap(), None);
        assert!(projection.embedding(&[1.0; 1279]).is_err());
    }

    #[test]
    fn a_projection_that_is_cut_short_is_refused() {
        let whole = BUILT_IN[0];
        assert!(Projection::read(whole, "m").is_ok());
        for length in [0, 20, 40, 60, 5000, 6000, whole.len() - 1] {
            assert!(Projection::read(&whole[..length], "m").is_err(), "{length}");
        }
    }
}
