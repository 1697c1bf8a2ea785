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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use glassplate_pipeline::asset::{Digest, Tenant};
    use glassplate_pipeline::fault::FaultKind;
    use glassplate_pipeline::image::{Limits, encode_jpeg, probe};
    use glassplate_pipeline::raster::Raster;

    use super::*;

    fn place(number: u8) -> Place {
        (Key::Original { tenant: Tenant::default(), digest: Digest::new([number; 32]) }, 1)
    }

    /// A negative of a square; 4:2:0 takes a byte and a half for each pixel.
    fn square(side: u32) -> Outcome {
        let raster = Raster::new(side, side, vec![9; (side * side * 3) as usize]);
        let file = encode_jpeg(&raster, 80)?;
        let limits = Limits::default();
        let technical = probe::probe(&file, &limits)?;
        Negative::develop(&file, &technical, 1, &limits).map(Arc::new)
    }

    #[tokio::test]
    async fn the_bound_holds_and_what_was_looked_at_last_stays() {
        let table = LightTable::new(4 * 64 * 64 * 3 / 2);
        for number in 0..4 {
            table.get(place(number), || async { square(64) }).await.expect("decodes");
        }
        assert_eq!(table.bytes(), 4 * 64 * 64 * 3 / 2);
        let unexpected = || async { Err(Fault::broken("decoded again")) };
        table.get(place(0), unexpected).await.expect("is lying there");
        table.get(place(9), || async { square(64) }).await.expect("decodes");
        assert_eq!(table.bytes(), 4 * 64 * 64 * 3 / 2);
        table.get(place(0), unexpected).await.expect("was looked at last");
        assert!(table.get(place(1), unexpected).await.is_err(), "the oldest went");
    }

    #[tokio::test]
    async fn a_picture_larger_than_the_bound_has_the_table_to_itself() {
        let table = LightTable::new(10_000);
        table.get(place(1), || async { square(64) }).await.expect("decodes");
        table.get(place(2), || async { square(256) }).await.expect("decodes");
        assert_eq!(table.bytes(), 256 * 256 * 3 / 2);
        table.get(place(3), || async { square(64) }).await.expect("decodes");
        assert_eq!(table.bytes(), 64 * 64 * 3 / 2);
    }

    #[tokio::test]
    async fn only_what_the_file_is_to_blame_for_is_remembered() {
        let table = LightTable::new(10_000);
        let fault = |kind| async move { Err(Fault::new(kind, "no")) };
        assert!(table.get(place(1), || fault(FaultKind::BadInput)).await.is_err());
        assert!(table.get(place(2), || fault(FaultKind::Busy)).await.is_err());
        let again = table.get(place(1), || async { square(8) }).await;
        assert_eq!(again.err().map(|fault| fault.kind()), Some(FaultKind::BadInput));
        assert!(table.get(place(2), || async { square(8) }).await.is_ok());
    }

    #[tokio::test]
    async fn of_many_who_want_a_picture_one_has_it_decoded() {
        let (table, decoded) = (Arc::new(LightTable::new(10_000)), Arc::new(AtomicUsize::new(0)));
        let asked = (0..20).map(|_| {
            let (table, decoded) = (table.clone(), decoded.clone());
            tokio::spawn(async move {
                let develop = || async {
                    decoded.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    square(8)
                };
                table.get(place(1), develop).await.is_ok()
            })
        });
        for asked in asked.collect::<Vec<_>>() {
            assert!(asked.await.expect("answered"));
        }
        assert_eq!(decoded.load(Ordering::SeqCst), 1);
    }
}
