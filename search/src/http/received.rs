//! Receiving: an upload's bytes on their way into a file, hashed and counted.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use glassplate_pipeline::asset::Digest;
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::Served;

/// The longest text of a part that is no file, in bytes.
const LONGEST_TEXT: usize = 1_000;
/// The headers that tell a digest, the standard's own first (RFC 9530, RFC 3230).
const DIGESTS: [&str; 3] = ["repr-digest", "content-digest", "digest"];

/// An upload that came whole; the file is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) file: NamedTempFile,
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    /// Of a form.
    pub(crate) collection: Option<String>,
    /// Of a form.
    pub(crate) filename: Option<String>,
}

/// Receives a picture that is the body, or the part `file` of a form.
///
/// # Errors
/// `BadInput` for a body that is broken or takes too long and for another digest than was told,
/// `TooLarge` over the limit, `Unsupported` for another type of body.
pub(crate) async fn receive(
    served: &Served,
    folder: &Path,
    request: Request,
) -> Result<Received, Fault> {
    let media = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.unwrap_or("application/octet-stream").to_ascii_lowercase();
    let received = async {
        if media.starts_with("multipart/form-data") {
            form(served, folder, request).await
        } else if media.starts_with("image/") || media.starts_with("application/octet-stream") {
            raw(served, folder, request).await
        } else {
            Err(Fault::unsupported(format!(
                "a picture cannot be {media:?}: image/..., application/octet-stream or a form"
            )))
        }
    };
    let most = Duration::from_secs_f64(served.upload_seconds);
    tokio::time::timeout(most, received).await.unwrap_or_else(|_| {
        Err(Fault::bad_input(format!("the upload did not come within {} s", most.as_secs())))
    })
}

async fn raw(served: &Served, folder: &Path, request: Request) -> Result<Received, Fault> {
    let told = told(request.headers())?;
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut incoming = Incoming::begin(folder, served.upload_bytes)?;
    // What says itself that it is too large need not be read.
    incoming.room_for(length.unwrap_or(0))?;
    let mut pieces: BodyDataStream = Body::into_data_stream(request.into_body());
    while let Some(piece) = pieces.next().await {
        incoming.take(&piece.map_err(|e| broken_off(e.into()))?)?;
    }
    incoming.end(told)
}

async fn form(served: &Served, folder: &Path, request: Request) -> Result<Received, Fault> {
    if told(request.headers())?.is_some() {
        return Err(Fault::bad_input("the digest of a form's picture stands with its part"));
    }
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|e| Fault::bad_input("the form cannot be read").because(e.body_text()))?;
    let (mut received, mut collection) = (None, None);
    while let Some(mut part) = form.next_field().await.map_err(unreadable)? {
        match part.name() {
            Some("file") if received.is_some() => {
                return Err(Fault::bad_input("the form has several files: send one at a time"));
            }
            Some("file") => received = Some(file(served, folder, &mut part).await?),
            Some("collection") => collection = Some(text(&mut part).await?),
            name => {
                return Err(Fault::bad_input(format!(
                    "the form has a part {:?}: file and collection are known",
                    name.unwrap_or_default()
                )));
            }
        }
    }
    let received = received.ok_or_else(|| Fault::bad_input("the form has no part \"file\""))?;
    Ok(Received { collection, ..received })
}

async fn file(served: &Served, folder: &Path, part: &mut Field<'_>) -> Result<Received, Fault> {
    let told = told(part.headers())?;
    let filename = part.file_name().map(str::to_owned);
    let mut incoming = Incoming::begin(folder, served.upload_bytes)?;
    while let Some(piece) = part.chunk().await.map_err(unreadable)? {
        incoming.take(&piece)?;
    }
    Ok(Received { filename, ..incoming.end(told)? })
}

async fn text(part: &mut Field<'_>) -> Result<String, Fault> {
    let mut text = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(unreadable)? {
        text.extend_from_slice(&piece);
        if text.len() > LONGEST_TEXT {
            return Err(Fault::bad_input("a part of the form is too long to be a name"));
        }
    }
    String::from_utf8(text).map_err(|_| Fault::bad_input("a part of the form is not UTF-8"))
}

/// A file that bytes go into.
struct Incoming {
    file: NamedTempFile,
    sha256: Sha256,
    bytes: u64,
    most: u64,
}

impl Incoming {
    fn begin(folder: &Path, most: u64) -> Result<Self, Fault> {
        let file = NamedTempFile::new_in(folder).map_err(cannot_write)?;
        Ok(Self { file, sha256: Sha256::new(), bytes: 0, most })
    }

    fn room_for(&self, more: u64) -> Result<(), Fault> {
        match self.bytes.checked_add(more) {
            Some(all) if all <= self.most => Ok(()),
            _ => Err(Fault::too_large(format!(
                "the upload is larger than {} bytes, the most that is taken in",
                self.most
            ))),
        }
    }

    /// Takes a piece. The write goes to the page cache: no slower than the copy that a thread of
    /// its own would cost.
    fn take(&mut self, piece: &Bytes) -> Result<(), Fault> {
        self.room_for(piece.len() as u64)?;
        self.sha256.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write_all(piece).map_err(cannot_write)
    }

    fn end(mut self, told: Option<[u8; 32]>) -> Result<Received, Fault> {
        self.file.flush().map_err(cannot_write)?;
        let found: [u8; 32] = self.sha256.finalize().into();
        if told.is_some_and(|told| told != found) {
            return Err(Fault::bad_input(format!(
                "the bytes that came have another digest than was told: sha-256=:{}:",
                STANDARD.encode(found)
            )));
        }
        let digest = Digest::new(found);
        let (file, bytes) = (self.file, self.bytes);
        Ok(Received { file, digest, bytes, collection: None, filename: None })
    }
}

/// Reads the SHA-256 that headers tell; other algorithms are passed over.
///
/// # Errors
/// `BadInput` for what names SHA-256 and is none.
fn told(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Fault> {
    let mut found = None;
    for name in DIGESTS {
        for value in headers.get_all(name) {
            let wrong = || Fault::bad_input(format!("the header {name} cannot be read"));
            let text = value.to_str().map_err(|_| wrong())?;
            for entry in text.split(',').map(str::trim) {
                let (algorithm, digest) = entry.split_once('=').ok_or_else(wrong)?;
                if !algorithm.trim().eq_ignore_ascii_case("sha-256") {
                    continue;
                }
                // The older header has no colons around.
                let digest = digest.trim().trim_matches(':');
                let bytes = STANDARD.decode(digest).map_err(|_| wrong())?;
                let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| wrong())?;
                if found.is_some_and(|found| found != bytes) {
                    return Err(Fault::bad_input("the digests that are told differ"));
                }
                found = Some(bytes);
            }
        }
    }
    Ok(found)
}

fn cannot_write(error: std::io::Error) -> Fault {
    Fault::broken("an upload cannot be written").because(error)
}

fn broken_off(error: axum::BoxError) -> Fault {
    Fault::bad_input("the body broke off").because(error)
}

fn unreadable(error: MultipartError) -> Fault {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::too_large("the form is too large"),
        _ => Fault::bad_input("the form cannot be read").because(error.body_text()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(name: &'static str, value: &str) -> Result<Option<[u8; 32]>, Fault> {
        let value = HeaderValue::from_str(value).expect("a header");
        told(&HeaderMap::from_iter([(header::HeaderName::from_static(name), value)]))
    }

    #[test]
    fn digests_are_read_in_either_form_and_others_passed_over() {
        let digest = [7; 32];
        let text = STANDARD.encode(digest);
        for (name, value) in [
            ("digest", format!("SHA-256={text}")),
            ("digest", format!("md5=AAAA, sha-256={text}")),
            ("content-digest", format!("sha-256=:{text}:")),
            ("repr-digest", format!("sha-512=:AAAA:, sha-256=:{text}:")),
        ] {
            assert_eq!(read(name, &value).expect("read"), Some(digest), "{value}");
        }
        assert_eq!(read("digest", "md5=AAAA").expect("read"), None);
        for wrong in ["sha-256=AAAA", "sha-256", "sha-256=:not base64:"] {
            assert!(read("digest", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_digests_must_agree() {
        let text = |seed| STANDARD.encode([seed; 32]);
        let both = format!("sha-256={}, sha-256={}", text(1), text(2));
        assert!(read("digest", &both).is_err());
    }
}
