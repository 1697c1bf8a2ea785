//! The networks of our own, which are part of the program (`models/weights`).

/// Every network of our own, by its file name.
const WEIGHTS: [(&str, &[u8]); 3] = [
    ("colourise-head.onnx", include_bytes!("../weights/colourise-head.onnx")),
    ("denoise.onnx", include_bytes!("../weights/denoise.onnx")),
    ("upscale-fidelity.onnx", include_bytes!("../weights/upscale-fidelity.onnx")),
];

/// Returns the bytes of one of our own networks.
pub(crate) fn of_our_own(name: &str) -> Option<&'static [u8]> {
    WEIGHTS.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::card::{Card, Source};

    #[test]
    fn every_network_of_our_own_is_on_a_card_and_as_the_card_says() {
        let mut named = BTreeSet::new();
        for card in Card::built_in() {
            for file in card.files.iter().filter(|file| file.sources.contains(&Source::Program)) {
                let bytes = of_our_own(&file.name).unwrap();
                assert_eq!(file.bytes, bytes.len() as u64, "{}", file.name);
                let digest: String =
                    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(file.sha256, digest, "{}", file.name);
                assert!(bytes.len() < 2_000_000, "{} is large for a program", file.name);
                named.insert(file.name.clone());
            }
        }
        let known: BTreeSet<_> = WEIGHTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(named, known);
    }
}
