//! The store: where bytes are kept. Originals are sacred, derivatives can be made again.
//!
//! The port is small on purpose. The key layout lives in [`key`] alone; every backend runs
//! the suite in `conformance`.

#[cfg(test)]
mod conformance;
pub mod key;
pub mod local;
pub mod s3;

use std::path::PathBuf;

use async_trait::async_trait;

pub use key::{BatchFile, Key};

use crate::asset::Digest;
use crate::fault::Fault;

/// Where bytes are kept under keys.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes bytes under a key that must not be taken yet, durably, all or nothing.
    ///
    /// What was written is read back and hashed before the key comes to be: `blake3` is what
    /// the bytes must hash to, else `Broken` and no key. When the key is taken nothing is
    /// written and [`Created::Existed`] is answered, whatever the bytes there are: the caller
    /// verifies. Of many at once exactly one is [`Created::New`]. After a crash the key holds
    /// everything or nothing. A full disk is `Broken` and leaves nothing behind.
    async fn create(&self, key: &Key, body: &Body, blake3: &Digest) -> Result<Created, Fault>;

    /// Writes bytes under a key, durably, all or nothing, replacing what was there.
    ///
    /// Refuses keys of originals with `Refused`. Safe to run twice.
    async fn replace(&self, key: &Key, body: &Body) -> Result<(), Fault>;

    /// Takes away what is under a key; durably, and safe to run twice: a key that is not taken is
    /// no fault. Refuses keys of originals with `Refused`.
    async fn remove(&self, key: &Key) -> Result<(), Fault>;

    /// Reads everything under a key; `NotFound` when it is not taken.
    async fn read(&self, key: &Key) -> Result<Vec<u8>, Fault>;

    /// Reads at most `most` bytes under a key, beginning at the byte `from`.
    ///
    /// Fewer come only at the end, none beyond it. `NotFound` when the key is not taken. It holds
    /// no more than `most` bytes in memory, so that what is large can be handed on piece by piece.
    async fn read_part(&self, key: &Key, from: u64, most: usize) -> Result<Vec<u8>, Fault>;

    /// Hashes with BLAKE3 what is really on the medium under a key, past any cache where the
    /// backend can; `NotFound` when it is not taken.
    async fn blake3(&self, key: &Key) -> Result<Digest, Fault>;

    /// Tells the length in bytes under a key; nothing when it is not taken.
    async fn length(&self, key: &Key) -> Result<Option<u64>, Fault>;

    /// Signs a URL under which the bytes can be had for so many seconds, 1 to 604800; nothing
    /// when the backend has no URLs.
    async fn delivery(&self, key: &Key, seconds: u32) -> Result<Option<String>, Fault>;

    /// Says where the bytes under a key's path lie, in the backend's own terms: a file, an URL.
    fn place(&self, path: &str) -> String;
}

/// Whether a create wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The bytes were written now.
    New,
    /// The key was taken before.
    Existed,
}

/// Bytes on their way into a store.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Bytes(std::sync::Arc<Vec<u8>>),
    /// In a file that stays unchanged meanwhile.
    File(PathBuf),
}
