//! Label: every labeller's opinion of the picture, asked only where none is known.

use std::sync::Arc;

use crate::opinion::{Finding, Verdict};
use crate::ports::Labeller;
use crate::raster::Raster;

/// Asks one labeller.
pub async fn ask(labeller: &dyn Labeller, picture: &Arc<Raster>) -> Verdict {
    match labeller.label(picture).await {
        Ok(labels) if labels.is_empty() => Verdict::NoneFound,
        Ok(labels) => Verdict::Found(Finding::Labelled(labels)),
        Err(fault) => fault.into(),
    }
}
