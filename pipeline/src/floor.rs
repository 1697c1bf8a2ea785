//! The workshop floor: bounds the memory of all pictures in hand, and keeps two workers off one asset.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::asset::{AssetId, PixelDigest};

/// The unit in which memory is lent, in bytes: semaphores count in 32 bits.
const LENT: u64 = 1 << 20;

/// Bounds what is in hand at once; a clone is the same floor.
#[derive(Clone)]
pub struct Floor {
    files: Arc<Semaphore>,
    file_units: u32,
    pixels: Arc<Semaphore>,
    pixel_units: u32,
    /// Under the texts of asset ids and of pixel digests, which differ in length.
    in_hand: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl Floor {
    /// Opens a floor for this many bytes of whole files, and of decoded pixels, at once.
    ///
    /// A picture larger than a bound gets all of it, and so the floor to itself.
    pub fn new(file_bytes: u64, pixel_bytes: u64) -> Self {
        let units = |bytes: u64| u32::try_from((bytes / LENT).max(1)).unwrap_or(1 << 20);
        let (file_units, pixel_units) = (units(file_bytes), units(pixel_bytes));
        Self {
            files: Arc::new(Semaphore::new(file_units as usize)),
            file_units,
            pixels: Arc::new(Semaphore::new(pixel_units as usize)),
            pixel_units,
            in_hand: Arc::default(),
        }
    }

    /// Waits until a file of this length may be read into memory.
    pub async fn room_for_file(&self, bytes: u64) -> OwnedSemaphorePermit {
        room(&self.files, self.file_units, bytes).await
    }

    /// Waits until a picture that needs this much memory may be decoded.
    pub async fn room_for_pixels(&self, bytes: u64) -> OwnedSemaphorePermit {
        room(&self.pixels, self.pixel_units, bytes).await
    }

    /// Waits until nobody else works on this asset.
    pub async fn alone_with(&self, asset: &AssetId) -> OwnedMutexGuard<()> {
        self.alone(asset.to_string()).await
    }

    /// Waits until nobody else works on this picture, of whatever asset of its family.
    pub async fn alone_with_picture(&self, pixels: &PixelDigest) -> OwnedMutexGuard<()> {
        self.alone(pixels.to_string()).await
    }

    async fn alone(&self, what: String) -> OwnedMutexGuard<()> {
        let place = {
            let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
            // Only places that somebody holds are worth remembering.
            in_hand.retain(|_, place| Arc::strong_count(place) > 1);
            in_hand.entry(what).or_default().clone()
        };
        place.lock_owned().await
    }
}

async fn room(semaphore: &Arc<Semaphore>, all: u32, bytes: u64) -> OwnedSemaphorePermit {
    let units = u32::try_from(bytes.div_ceil(LENT)).unwrap_or(u32::MAX).clamp(1, all);
    semaphore.clone().acquire_many_owned(units).await.expect("the semaphore is never closed")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::asset::{Digest, Tenant};

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn what_is_larger_than_the_floor_waits_until_it_has_it_alone() {
        let floor = Floor::new(10 * LENT, LENT);
        let small = floor.room_for_file(LENT).await;
        assert!(timeout(SOON, floor.room_for_file(1000 * LENT)).await.is_err());
        drop(small);
        let _all = timeout(SOON, floor.room_for_file(1000 * LENT)).await.expect("room");
        assert!(timeout(SOON, floor.room_for_file(1)).await.is_err());
        let pixels = timeout(SOON, floor.room_for_pixels(1)).await;
        assert!(pixels.is_ok(), "pixels have a bound of their own");
    }

    #[tokio::test]
    async fn one_asset_has_one_place_and_no_place_is_kept() {
        let floor = Floor::new(1, 1);
        let [a, b] = [1, 2].map(|n| AssetId::derive(&Tenant::default(), &Digest::new([n; 32])));
        let held = floor.alone_with(&a).await;
        timeout(SOON, floor.alone_with(&b)).await.expect("another asset");
        assert!(timeout(SOON, floor.alone_with(&a)).await.is_err());
        drop(held);
        timeout(SOON, floor.alone_with(&a)).await.expect("the place is free");
        timeout(SOON, floor.alone_with(&b)).await.expect("the place is free");
        assert!(floor.in_hand.lock().expect("sound").len() <= 1);
    }
}
