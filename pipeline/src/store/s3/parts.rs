//! Originals above a size: sent in parts, and a key only when all of them arrived as they were.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use sha2::{Digest as _, Sha256};

use super::{Body, Created, Hashed, S3Store, base64, is_taken, stream};
use crate::aws::patiently;
use crate::fault::Fault;
use crate::store::{Key, Store as _};

impl S3Store {
    /// Creates a key from parts.
    pub(super) async fn create_in_parts(
        &self,
        key: &Key,
        name: &str,
        body: &Body,
        hashed: &Hashed,
    ) -> Result<Created, Fault> {
        // What is there already need not be sent: it may be gigabytes.
        if self.length(key).await?.is_some() {
            return Ok(Created::Existed);
        }
        let what = self.place(&key.path());
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(name)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .metadata("blake3", hashed.blake3.to_string())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.settings.kms_key.clone())
            .set_bucket_key_enabled(self.settings.kms_key.is_some().then_some(true))
            .set_storage_class(self.class(key))
            .send()
            .await
            .map_err(|e| self.fault(&what, e))?;
        let id = begun.upload_id().ok_or_else(|| {
            Fault::broken(format!("{what}: an upload in parts was begun without a name"))
        })?;
        let sent = self.send_parts(name, &what, id, body, hashed).await;
        if !matches!(sent, Ok(Created::New)) {
            // What cannot be taken back now is taken back by the bucket's lifecycle rule.
            let bucket = &self.settings.bucket;
            let aborted =
                self.client.abort_multipart_upload().bucket(bucket).key(name).upload_id(id);
            if let Err(e) = aborted.send().await {
                let left = self.fault(&what, e).reason();
                tracing::warn!(upload = id, "an upload was left open: {left}");
            }
        }
        sent
    }

    async fn send_parts(
        &self,
        name: &str,
        what: &str,
        id: &str,
        body: &Body,
        hashed: &Hashed,
    ) -> Result<Created, Fault> {
        let size = self.settings.part_of(hashed.length);
        let (mut parts, mut whole) = (Vec::new(), Sha256::new());
        for (at, offset) in
            (0..hashed.length).step_by(usize::try_from(size).unwrap_or(1)).enumerate()
        {
            let length = size.min(hashed.length - offset);
            let sum = checksum(body, offset, length).await?;
            whole.update(sum);
            let number = i32::try_from(at + 1).unwrap_or(i32::MAX);
            let part = patiently(|| async {
                let body = stream(body, offset, length).await?;
                self.client
                    .upload_part()
                    .bucket(&self.settings.bucket)
                    .key(name)
                    .upload_id(id)
                    .part_number(number)
                    .content_length(i64::try_from(length).unwrap_or(i64::MAX))
                    .checksum_sha256(base64(&sum))
                    .body(body)
                    .send()
                    .await
                    .map_err(|e| self.fault(what, e))
            })
            .await?;
            parts.push(
                CompletedPart::builder()
                    .part_number(number)
                    .set_e_tag(part.e_tag)
                    .checksum_sha256(base64(&sum))
                    .build(),
            );
        }
        let composite = format!("{}-{}", base64(&whole.finalize()), parts.len());
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let completed = self
            .client
            .complete_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(name)
            .upload_id(id)
            .if_none_match("*")
            .multipart_upload(all)
            .send()
            .await;
        match completed {
            Ok(done) => match done.checksum_sha256() {
                Some(told) if told != composite => Err(Fault::broken(format!(
                    "{what} arrived differently: its checksum is {told}, not {composite}"
                ))),
                _ => Ok(Created::New),
            },
            Err(e) if is_taken(&e) => Ok(Created::Existed),
            // The answer to a try that succeeded may have been lost: then the upload is gone.
            Err(e) if e.as_service_error().is_some() && code_is(&e, "NoSuchUpload") => {
                Ok(Created::Existed)
            }
            Err(e) => Err(self.fault(what, e)),
        }
    }
}

fn code_is<E: aws_sdk_s3::error::ProvideErrorMetadata>(error: &E, code: &str) -> bool {
    error.code() == Some(code)
}

/// The SHA-256 of a piece of a body.
async fn checksum(body: &Body, offset: u64, length: u64) -> Result<[u8; 32], Fault> {
    let mut piece = stream(body, offset, length).await?;
    let mut hasher = Sha256::new();
    while let Some(bytes) = piece
        .try_next()
        .await
        .map_err(|e| Fault::broken("a body cannot be read again").because(e))?
    {
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().into())
}
