//! From a picture's embedding to the classes whose texts lie near it.
//!
//! Sources: CLIP (Radford et al. 2021, arXiv 2103.00020), `SigLIP` (Zhai et al. 2023, arXiv
//! 2303.15343). The texts' embeddings are made once, elsewhere, and are a file of the card.

use glassplate_pipeline::fault::Fault;

/// The embeddings of the classes' texts, each of length 1.
#[derive(Debug)]
pub(super) struct Texts {
    rows: Vec<f32>,
    length: usize,
}

impl Texts {
    /// Reads as many rows of 32-bit floats, little-endian, as there are classes.
    ///
    /// # Errors
    /// `BadInput` when the bytes do not make that many rows, or hold what is no number.
    pub(super) fn read(bytes: &[u8], classes: usize) -> Result<Self, Fault> {
        let numbers = bytes.len() / size_of::<f32>();
        let whole = bytes.len().is_multiple_of(size_of::<f32>());
        if !whole || numbers == 0 || classes == 0 || !numbers.is_multiple_of(classes) {
            let bytes = bytes.len();
            return Err(Fault::bad_input(format!("{bytes} bytes are no {classes} rows of floats")));
        }
        let (quads, _) = bytes.as_chunks::<4>();
        let mut rows: Vec<f32> = quads.iter().map(|quad| f32::from_le_bytes(*quad)).collect();
        let length = numbers / classes;
        for (number, row) in rows.chunks_exact_mut(length).enumerate() {
            if !bring_to_one(row) {
                return Err(Fault::bad_input(format!("row {number} has no direction")));
            }
        }
        Ok(Self { rows, length })
    }

    /// How many numbers an embedding has.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Returns `scale * cosine + bias` for each class.
    pub(super) fn compare(&self, picture: &[f32], scale: f32, bias: f32) -> Vec<f32> {
        let mut picture = picture.to_vec();
        bring_to_one(&mut picture);
        let cosine = |row: &[f32]| row.iter().zip(&picture).map(|(a, b)| a * b).sum::<f32>();
        self.rows.chunks_exact(self.length).map(|row| scale * cosine(row) + bias).collect()
    }
}

/// Divides by the Euclidean length; false, and nothing done, where there is none.
fn bring_to_one(values: &mut [f32]) -> bool {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let has_one = length.is_finite() && length > 0.0;
    if has_one {
        values.iter_mut().for_each(|value| *value /= length);
    }
    has_one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn cosines_are_scaled_whatever_the_lengths() {
        let texts = Texts::read(&bytes(&[3.0, 0.0, 0.0, 0.5, 1.0, 1.0]), 3).unwrap();
        assert_eq!(texts.length(), 2);
        let values = texts.compare(&[8.0, 0.0], 10.0, -1.0);
        let expected = [9.0, -1.0, 10.0 * 0.5_f32.sqrt() - 1.0];
        assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{values:?}");
        assert_eq!(texts.compare(&[0.0, 0.0], 10.0, -1.0), [-1.0; 3], "a picture of nothing");
    }

    #[test]
    fn bytes_that_are_no_rows_are_refused() {
        for (bytes, classes, told) in [
            (bytes(&[1.0; 5]), 2, "20 bytes are no 2 rows"),
            (vec![0; 7], 1, "7 bytes"),
            (Vec::new(), 1, "0 bytes"),
            (bytes(&[1.0, 0.0]), 2, "row 1"),
            (bytes(&[f32::NAN]), 1, "row 0"),
        ] {
            let fault = Texts::read(&bytes, classes).unwrap_err();
            assert!(fault.to_string().contains(told), "{fault}");
        }
    }
}
