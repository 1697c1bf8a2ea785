//! Sources in S3: listed page by page, read once, hashed as they come.
//!
//! A listing tells length, time and tag of every object, so that one that was taken in before is
//! not read again. Reading asks for the very version that was listed: an object that changes
//! meanwhile is never half one and half the other.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumMode, EncodingType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use sha2::{Digest as _, Sha256};

use crate::asset::Digest;
use crate::aws::{self, Aws, patiently};
use crate::catalogue::Stamp;
use crate::fault::{Fault, FaultKind};
use crate::place::{Object, Place, naming};
use crate::source::{Listed, Listing};
use crate::stage::register::Intake;
use crate::store::s3::client;

/// Reads sources in S3, of whatever bucket.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    /// Where objects go that are too long for memory, until they are in the store.
    scratch: PathBuf,
    /// Whether the endpoint is AWS's own.
    real: bool,
}

impl Objects {
    /// Makes a reader; asks nothing yet. What is too long for memory lies in `scratch` meanwhile.
    pub fn open(aws: &Aws, scratch: PathBuf) -> Self {
        Self { client: client(aws), scratch, real: aws.settings.endpoints.s3.is_none() }
    }

    /// Lists an object and everything below it as below a folder; of a bucket everything.
    ///
    /// Empty objects whose key ends in `/` stand for folders and are left out.
    ///
    /// # Errors
    /// `NotFound` when there is nothing of this name, and what the service says.
    pub async fn list(&self, at: &Object) -> Result<Listing, Fault> {
        let mut files = Vec::new();
        let prefix = match &*at.key {
            key if key.is_empty() || key.ends_with('/') => key.to_owned(),
            key => {
                // Of all keys that begin so, the shortest comes first: the key itself.
                let first = self.page(&at.bucket, key, None, Some(1)).await?.0;
                let root: Arc<std::path::Path> = Place::Object(at.clone()).folder().into();
                files.extend(
                    first
                        .into_iter()
                        .filter(|file| matches!(&file.place, Place::Object(o) if *o.key == *at.key))
                        .map(|file| Listed { root: root.clone(), ..file }),
                );
                format!("{key}/")
            }
        };
        self.list_below(&at.bucket, &prefix, &mut files).await?;
        if files.is_empty() && !at.key.is_empty() {
            return Err(Fault::not_found(format!("there is nothing at {}", at.url())));
        }
        Ok(Listing { files, troubles: Vec::new() })
    }

    async fn list_below(
        &self,
        bucket: &Arc<str>,
        prefix: &str,
        files: &mut Vec<Listed>,
    ) -> Result<(), Fault> {
        let root: Arc<std::path::Path> = match prefix.strip_suffix('/') {
            Some(folder) => naming(bucket, folder).into(),
            None => PathBuf::from(format!("s3:/{bucket}")).into(),
        };
        let mut after = None;
        loop {
            let (page, next) = self.page(bucket, prefix, after, None).await?;
            files.extend(page.into_iter().map(|file| Listed { root: root.clone(), ..file }));
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// One page of a listing, and where the next begins.
    async fn page(
        &self,
        bucket: &Arc<str>,
        prefix: &str,
        after: Option<String>,
        most: Option<i32>,
    ) -> Result<(Vec<Listed>, Option<String>), Fault> {
        let what = format!("s3://{bucket}/{prefix}");
        // XML cannot hold every key. A stand-in may say that it encoded, and not have done so.
        let encoding = self.real.then_some(EncodingType::Url);
        let page = patiently(|| async {
            self.client
                .list_objects_v2()
                .bucket(&**bucket)
                .prefix(prefix)
                .set_encoding_type(encoding.clone())
                .set_continuation_token(after.clone())
                .set_max_keys(most)
                .send()
                .await
                .map_err(|e| fault(&what, e))
        })
        .await?;
        let encoded = encoding.is_some() && page.encoding_type().is_some();
        let mut files = Vec::new();
        for object in page.contents() {
            let Some(key) = object.key() else { continue };
            let key = if encoded { decoded(key)? } else { key.to_owned() };
            let bytes = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            if bytes == 0 && key.ends_with('/') {
                continue;
            }
            files.push(Listed {
                bytes,
                stamp: stamp(bytes, object.last_modified(), object.e_tag()),
                ..Listed::at(Place::Object(Object::new(bucket, &key)))
            });
        }
        Ok((files, page.next_continuation_token().map(str::to_owned)))
    }

    /// Asks about an object without reading it.
    ///
    /// # Errors
    /// `NotFound`, and what the service says.
    pub async fn stamp(&self, object: &Object) -> Result<Stamp, Fault> {
        let what = object.url();
        let told = patiently(|| async {
            self.client
                .head_object()
                .bucket(&*object.bucket)
                .key(&*object.key)
                .set_version_id(object.version.as_deref().map(str::to_owned))
                .send()
                .await
                .map_err(|e| of_one(&what, e))
        })
        .await?;
        let bytes = told.content_length().and_then(|length| u64::try_from(length).ok());
        stamp(bytes.unwrap_or(0), told.last_modified(), told.e_tag())
            .ok_or_else(|| Fault::broken(format!("{what}: the service tells no tag of it")))
    }

    /// Reads an object once, start to end, for both hashes, keeping at most `keep` bytes in
    /// memory and the rest in a temporary file. A body that breaks off is read again.
    ///
    /// # Errors
    /// `Conflict` when it is no longer what was stamped, `NotFound`, `Refused` when it lies in
    /// cold storage, and what the service says.
    pub async fn read(&self, object: &Object, stamp: &Stamp, keep: u64) -> Result<Intake, Fault> {
        patiently(|| async {
            let mut answer = self.get(object, stamp.tag.as_deref()).await?;
            let in_memory = length_of(&answer).is_some_and(|length| length <= keep);
            let (mut bytes, mut file) = (Vec::new(), None);
            if !in_memory {
                file = Some(tempfile::NamedTempFile::new_in(&self.scratch).map_err(spill)?);
            }
            let (mut sha256, mut blake3) = (Sha256::new(), blake3::Hasher::new());
            let length = follow(&object.url(), &mut answer, |piece| {
                sha256.update(piece);
                blake3.update(piece);
                match &mut file {
                    Some(file) => file.write_all(piece).map_err(spill),
                    None => {
                        bytes.extend_from_slice(piece);
                        Ok(())
                    }
                }
            })
            .await?;
            Ok(Intake {
                digest: Digest::new(sha256.finalize().into()),
                blake3: Digest::new(*blake3.finalize().as_bytes()),
                length,
                bytes: in_memory.then(|| Arc::new(bytes)),
                spilled: file.map(tempfile::NamedTempFile::into_temp_path),
            })
        })
        .await
    }

    /// Reads a small object whole.
    ///
    /// # Errors
    /// `TooLarge` for more than `most` bytes; else as [`Self::read`].
    pub async fn bytes(&self, object: &Object, most: u64) -> Result<Vec<u8>, Fault> {
        patiently(|| async {
            let mut answer = self.get(object, None).await?;
            if let Some(length) = length_of(&answer).filter(|length| *length > most) {
                return Err(Fault::too_large(format!("{} has {length} bytes", object.url())));
            }
            let mut bytes = Vec::new();
            follow(&object.url(), &mut answer, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .await?;
            Ok(bytes)
        })
        .await
    }

    async fn get(&self, object: &Object, tag: Option<&str>) -> Result<GetObjectOutput, Fault> {
        let what = object.url();
        let asked = self
            .client
            .get_object()
            .bucket(&*object.bucket)
            .key(&*object.key)
            .set_version_id(object.version.as_deref().map(str::to_owned))
            .set_if_match(tag.map(|tag| format!("\"{tag}\"")))
            .checksum_mode(ChecksumMode::Enabled);
        asked.send().await.map_err(|e| of_one(&what, e))
    }
}

/// Hands a body over as it comes; one that breaks off is a fault that may pass.
async fn follow(
    what: &str,
    answer: &mut GetObjectOutput,
    mut take: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let broke_off = |why: String| Fault::new(FaultKind::TimedOut, format!("{what} broke off{why}"));
    let (promised, mut came) = (length_of(answer), 0);
    while let Some(piece) =
        answer.body.try_next().await.map_err(|e| broke_off(String::new()).because(e))?
    {
        came += piece.len() as u64;
        take(&piece)?;
    }
    match promised {
        Some(promised) if promised != came => {
            Err(broke_off(format!(" after {came} of {promised} bytes")))
        }
        _ => Ok(came),
    }
}

fn length_of(answer: &GetObjectOutput) -> Option<u64> {
    answer.content_length().and_then(|length| u64::try_from(length).ok())
}

fn spill(error: std::io::Error) -> Fault {
    Fault::broken("cannot keep a long object in a temporary file").because(error)
}

/// What is known of an object without reading it; nothing when its tag is not told. Times are
/// cut to seconds: a listing may tell more of them than the object itself.
pub(crate) fn stamp(bytes: u64, modified: Option<&DateTime>, tag: Option<&str>) -> Option<Stamp> {
    let seconds = modified.map_or(0, DateTime::secs);
    Some(Stamp {
        bytes,
        modified: i128::from(seconds) * 1_000_000_000,
        changed: 0,
        inode: 0,
        tag: Some(tag?.trim_matches('"').to_owned()),
    })
}

/// Says what an error means.
fn fault<E>(what: &str, error: SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let refused = |why| Fault::new(FaultKind::Refused, format!("{what} {why}"));
    match error.code() {
        Some("InvalidObjectState") => {
            refused("lies in cold storage: restore it there first, then run this again")
        }
        _ => aws::fault(what, error),
    }
}

/// Says what an error about one object means. A bucket may hold what only others may read, and
/// without the right to list it a key that is gone is refused too: that is no other's fault. A
/// wrong credential is everybody's.
fn of_one<E>(what: &str, error: SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let alone = match error.code() {
        Some(code) => ["AccessDenied", "AllAccessDisabled", "NoSuchBucket", "PermanentRedirect"]
            .contains(&code),
        // An answer to HEAD has no body to tell more.
        None => error.raw_response().is_some(),
    };
    let fault = fault(what, error);
    if alone { Fault::new(fault.kind(), fault.to_string()) } else { fault }
}

/// Undoes the encoding of keys in listings and inventories: that of forms, with `/` as it is.
///
/// # Errors
/// `BadInput` when it is no such encoding of UTF-8.
pub(crate) fn decoded(key: &str) -> Result<String, Fault> {
    let wrong = || Fault::bad_input(format!("{key:?} is no encoded key"));
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = rest.get(..2).and_then(|two| std::str::from_utf8(two).ok());
                let digits = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
                rest = &rest[2.min(rest.len())..];
                u8::from_str_radix(digits.ok_or_else(wrong)?, 16).map_err(|_| wrong())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
