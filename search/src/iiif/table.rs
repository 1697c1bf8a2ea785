//! The light table: decoded pictures that are being looked at, bounded by their bytes.
//!
//! Of many who want the same picture one has it decoded and the others wait. A picture larger
//! than the bound has the table to itself; what is lying there when room is needed goes in the
//! order in which it was last looked at.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::print::Negative;
use glassplate_pipeline::store::Key;
use tokio::sync::OnceCell;

/// A picture's file, and by how much it is shrunk.
pub(super) type Place = (Key, u32);

/// What became of decoding a picture; that it cannot be decoded is worth remembering too.
type Outcome = Result<Arc<Negative>, Fault>;

/// How many bytes the memory of a refusal counts as.
const REFUSAL_BYTES: usize = 4 << 10;

/// Decoded pictures, bounded.
pub(super) struct LightTable {
    most_bytes: usize,
    lying: Mutex<Vec<Lying>>,
}

struct Lying {
    place: Place,
    cell: Arc<OnceCell<Outcome>>,
    /// 0 while it is being decoded.
    bytes: usize,
}

impl LightTable {
    /// Makes a table for this many bytes of decoded pictures.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, lying: Mutex::default() }
    }

    /// Gives a decoded picture, having it decoded when it is not there.
    ///
    /// # Errors
    /// The fault of `develop`, now or at an earlier time when the file itself was at fault.
    pub(super) async fn get<F>(&self, place: Place, develop: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome>,
    {
        let cell = self.cell(&place);
        let outcome = cell.get_or_init(develop).await.clone();
        self.settle(&place, &cell, &outcome);
        outcome
    }

    /// The bytes that are lying here.
    pub(super) fn bytes(&self) -> usize {
        self.lying().iter().map(|lying| lying.bytes).sum()
    }

    /// Finds a picture's place, or makes it; the last looked at are at the end.
    fn cell(&self, place: &Place) -> Arc<OnceCell<Outcome>> {
        let mut all = self.lying();
        let lying = match all.iter().position(|lying| lying.place == *place) {
            Some(at) => all.remove(at),
            None => Lying { place: place.clone(), cell: Arc::default(), bytes: 0 },
        };
        let cell = lying.cell.clone();
        all.push(lying);
        cell
    }

    /// Makes room for what has been decoded, and forgets what may go better next time.
    fn settle(&self, place: &Place, cell: &Arc<OnceCell<Outcome>>, outcome: &Outcome) {
        let mut all = self.lying();
        let found = |lying: &Lying| Arc::ptr_eq(&lying.cell, cell);
        let Some(at) = all.iter().position(found) else { return };
        match outcome {
            Ok(negative) => all[at].bytes = negative.bytes(),
            Err(fault) if fault.kind().rejects() => all[at].bytes = REFUSAL_BYTES,
            Err(_) => {
                all.remove(at);
                return;
            }
        }
        let mut sum: usize = all.iter().map(|lying| lying.bytes).sum();
        all.retain(|lying| {
            let goes = sum > self.most_bytes && lying.bytes > 0 && lying.place != *place;
            if goes {
                sum -= lying.bytes;
            }
            !goes
        });
    }

    fn lying(&self) -> MutexGuard<'_, Vec<Lying>> {
        self.lying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
