//! The store past one machine: one S3 bucket, read back by checksum, created under a condition.
//!
//! Every body goes with its SHA-256, which the service verifies before the key comes to be, and
//! an original with `If-None-Match: *`, so that of many writers one wins and none replaces. What
//! is above a size goes in parts, each with its own checksum.

mod parts;
mod settings;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, FsBuilder, SdkBody};
use aws_sdk_s3::types::{
    BucketLocationConstraint, ChecksumMode, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, StorageClass,
};
use sha2::{Digest as _, Sha256};

use super::{Body, Created, Key, Store};
use crate::asset::Digest;
use crate::aws::{self, Aws, patiently};
use crate::fault::{Fault, FaultKind};
pub use settings::S3Settings;

/// How much is hashed at a time.
const CHUNK: usize = 1 << 18;
/// The longest time that a signed URL may hold, in seconds: a week, as the signature allows.
const LONGEST_DELIVERY: u32 = 7 * 24 * 60 * 60;

/// Keeps bytes in one bucket, all keys below one prefix.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    settings: Arc<S3Settings>,
    region: String,
    /// Whether the endpoint is AWS's own.
    real: bool,
}

/// A body's checksums and length.
struct Hashed {
    sha256: [u8; 32],
    blake3: Digest,
    length: u64,
}

impl S3Store {
    /// Opens the store in a bucket; asks nothing yet.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn open(aws: &Aws, settings: S3Settings) -> Result<Self, Fault> {
        settings.validate()?;
        Ok(Self {
            client: client(aws),
            settings: Arc::new(settings),
            region: aws.region.to_string(),
            real: aws.settings.endpoints.s3.is_none(),
        })
    }

    /// Makes the bucket, closed to the public and versioned, and tells whether it was made now.
    ///
    /// # Errors
    /// What the service says; `Refused` when somebody else has a bucket of this name.
    pub async fn make_bucket(&self) -> Result<bool, Fault> {
        let bucket = &self.settings.bucket;
        let mut request = self.client.create_bucket().bucket(bucket);
        if self.region != "us-east-1" {
            let place = BucketLocationConstraint::from(self.region.as_str());
            let place = CreateBucketConfiguration::builder().location_constraint(place).build();
            request = request.create_bucket_configuration(place);
        }
        match request.send().await {
            Ok(_) => {}
            Err(e) if e.code() == Some("BucketAlreadyOwnedByYou") => return Ok(false),
            // A stand-in need not tell whose it is.
            Err(e) if !self.real && e.code() == Some("BucketAlreadyExists") => return Ok(false),
            Err(e) => return Err(self.fault(bucket, e)),
        }
        if self.real {
            let closed = PublicAccessBlockConfiguration::builder()
                .block_public_acls(true)
                .block_public_policy(true)
                .ignore_public_acls(true)
                .restrict_public_buckets(true)
                .build();
            let closing = self.client.put_public_access_block().bucket(bucket);
            closing
                .public_access_block_configuration(closed)
                .send()
                .await
                .map_err(|e| self.fault(bucket, e))?;
        }
        Ok(true)
    }

    /// Sees whether the bucket is there and may be listed.
    ///
    /// # Errors
    /// `NotFound` and `Refused`, both for every asset alike.
    pub async fn check(&self) -> Result<(), Fault> {
        let Self { client, settings, .. } = self;
        let listed = client.list_objects_v2().bucket(&settings.bucket).max_keys(1).send().await;
        listed.map(drop).map_err(|e| self.fault(&settings.bucket, e))
    }

    /// The key's name in the bucket.
    fn name(&self, path: &str) -> String {
        match self.settings.prefix.as_str() {
            "" => path.to_owned(),
            prefix => format!("{prefix}/{path}"),
        }
    }

    fn fault<E>(
        &self,
        what: &str,
        error: SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    ) -> Fault
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if error.code() == Some("InvalidObjectState") {
            return Fault::new(
                FaultKind::Refused,
                format!("{what} lies in cold storage: restore it there first, then run this again"),
            );
        }
        aws::fault(what, error)
    }

    /// A request that puts a body under a name, encrypted and classed as the settings say.
    fn put(&self, key: &Key, name: &str, hashed: &Hashed) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(name)
            .content_length(i64::try_from(hashed.length).unwrap_or(i64::MAX))
            .checksum_sha256(base64(&hashed.sha256))
            .metadata("blake3", hashed.blake3.to_string())
            .set_server_side_encryption(self.encryption())
            .set_ssekms_key_id(self.settings.kms_key.clone())
            .set_bucket_key_enabled(self.settings.kms_key.is_some().then_some(true))
            .set_storage_class(self.class(key))
    }

    fn encryption(&self) -> Option<ServerSideEncryption> {
        self.settings.kms_key.is_some().then_some(ServerSideEncryption::AwsKms)
    }

    fn class(&self, key: &Key) -> Option<StorageClass> {
        let class = match key.sacred() {
            true => &self.settings.originals_class,
            false => &self.settings.renditions_class,
        };
        class.as_deref().map(StorageClass::from)
    }

    async fn get(&self, name: &str) -> Result<GetObjectOutput, Fault> {
        self.client
            .get_object()
            .bucket(&self.settings.bucket)
            .key(name)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(|e| self.fault(&format!("{}/{name}", self.settings.bucket), e))
    }
}

/// A client for S3.
pub(crate) fn client(aws: &Aws) -> Client {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http.clone())
        .retry_config(aws.retries())
        .timeout_config(aws.timeouts())
        .interceptor(aws.tally.clone());
    if let Some(endpoint) = &aws.settings.endpoints.s3 {
        config = config.endpoint_url(endpoint).force_path_style(true);
    }
    Client::from_conf(config.build())
}

#[async_trait]
impl Store for S3Store {
    async fn create(&self, key: &Key, body: &Body, blake3: &Digest) -> Result<Created, Fault> {
        let name = self.name(&key.path());
        let hashed = hash(body).await?;
        if hashed.blake3 != *blake3 {
            return Err(Fault::broken(format!(
                "what was to be written for {} reads differently: the source changed meanwhile",
                self.place(&key.path())
            )));
        }
        if hashed.length > self.settings.multipart_above_bytes {
            return self.create_in_parts(key, &name, body, &hashed).await;
        }
        let what = self.place(&key.path());
        patiently(|| async {
            let body = stream(body, 0, hashed.length).await?;
            match self.put(key, &name, &hashed).if_none_match("*").body(body).send().await {
                Ok(_) => Ok(Created::New),
                // Also when the answer to a try that succeeded was lost: the caller verifies.
                Err(e) if is_taken(&e) => Ok(Created::Existed),
                Err(e) => Err(self.fault(&what, e)),
            }
        })
        .await
    }

    async fn replace(&self, key: &Key, body: &Body) -> Result<(), Fault> {
        key.refuse_if_sacred()?;
        let name = self.name(&key.path());
        let hashed = hash(body).await?;
        let body = stream(body, 0, hashed.length).await?;
        let put = self.put(key, &name, &hashed).body(body).send().await;
        put.map(drop).map_err(|e| self.fault(&self.place(&key.path()), e))
    }

    async fn remove(&self, key: &Key) -> Result<(), Fault> {
        key.refuse_if_sacred()?;
        let name = self.name(&key.path());
        let removed = self.client.delete_object().bucket(&self.settings.bucket).key(&name).send();
        removed.await.map(drop).map_err(|e| self.fault(&self.place(&key.path()), e))
    }

    async fn read(&self, key: &Key) -> Result<Vec<u8>, Fault> {
        let name = self.name(&key.path());
        patiently(|| async {
            let mut read = Vec::new();
            self.follow(&name, |bytes| read.extend_from_slice(bytes)).await?;
            Ok(read)
        })
        .await
    }

    async fn read_part(&self, key: &Key, from: u64, most: usize) -> Result<Vec<u8>, Fault> {
        if most == 0 {
            return match self.length(key).await? {
                Some(_) => Ok(Vec::new()),
                None => Err(Fault::not_found(format!("there is no {}", self.place(&key.path())))),
            };
        }
        let name = self.name(&key.path());
        let last = from.saturating_add(most as u64 - 1);
        patiently(|| async {
            let asked = self
                .client
                .get_object()
                .bucket(&self.settings.bucket)
                .key(&name)
                .range(format!("bytes={from}-{last}"))
                .send()
                .await;
            match asked {
                Ok(mut object) => {
                    let mut part = Vec::new();
                    self.drain(&name, &mut object, |bytes| part.extend_from_slice(bytes)).await?;
                    Ok(part)
                }
                // The range begins at the object's end or beyond it.
                Err(e) if e.code() == Some("InvalidRange") => Ok(Vec::new()),
                Err(e) => Err(self.fault(&self.place(&key.path()), e)),
            }
        })
        .await
    }

    async fn blake3(&self, key: &Key) -> Result<Digest, Fault> {
        let name = self.name(&key.path());
        patiently(|| async {
            let mut hasher = blake3::Hasher::new();
            self.follow(&name, |bytes| {
                hasher.update(bytes);
            })
            .await?;
            Ok(Digest::new(*hasher.finalize().as_bytes()))
        })
        .await
    }

    async fn length(&self, key: &Key) -> Result<Option<u64>, Fault> {
        let name = self.name(&key.path());
        let asked = self.client.head_object().bucket(&self.settings.bucket).key(&name).send().await;
        match asked {
            Ok(told) => Ok(told.content_length().and_then(|length| u64::try_from(length).ok())),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
            Err(e) => Err(self.fault(&self.place(&key.path()), e)),
        }
    }

    fn place(&self, path: &str) -> String {
        format!("s3://{}/{}", self.settings.bucket, self.name(path))
    }

    async fn delivery(&self, key: &Key, seconds: u32) -> Result<Option<String>, Fault> {
        if !(1..=LONGEST_DELIVERY).contains(&seconds) {
            return Err(Fault::bad_input(format!(
                "a URL may hold 1 to {LONGEST_DELIVERY} seconds, not {seconds}"
            )));
        }
        let lasting = PresigningConfig::expires_in(Duration::from_secs(seconds.into()))
            .map_err(|e| Fault::bad_input("this cannot be signed").because(e))?;
        let name = self.name(&key.path());
        let signed =
            self.client.get_object().bucket(&self.settings.bucket).key(&name).presigned(lasting);
        let signed = signed.await.map_err(|e| self.fault(&self.place(&key.path()), e))?;
        Ok(Some(signed.uri().to_owned()))
    }
}

impl S3Store {
    /// Hands an object's bytes over as they come; a cut body is a fault that may pass.
    async fn follow(&self, name: &str, take: impl FnMut(&[u8])) -> Result<(), Fault> {
        self.drain(name, &mut self.get(name).await?, take).await
    }

    async fn drain(
        &self,
        name: &str,
        object: &mut GetObjectOutput,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Fault> {
        let what = || format!("s3://{}/{name}", self.settings.bucket);
        let promised = object.content_length().and_then(|length| u64::try_from(length).ok());
        let mut came = 0;
        while let Some(bytes) = object.body.try_next().await.map_err(|e| {
            Fault::new(FaultKind::TimedOut, format!("{} broke off", what())).because(e)
        })? {
            came += bytes.len() as u64;
            take(&bytes);
        }
        match promised {
            Some(promised) if promised != came => Err(Fault::new(
                FaultKind::TimedOut,
                format!("{} broke off after {came} of {promised} bytes", what()),
            )),
            _ => Ok(()),
        }
    }
}

/// Tells whether a create failed because the key is taken.
fn is_taken<E: ProvideErrorMetadata>(
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> bool {
    error.code() == Some("PreconditionFailed")
        || error.raw_response().is_some_and(|answer| answer.status().as_u16() == 412)
}

/// Hashes a body off the runtime, both ways in one pass.
async fn hash(body: &Body) -> Result<Hashed, Fault> {
    let body = body.clone();
    let work = move || {
        let (mut sha256, mut blake3, mut length) = (Sha256::new(), blake3::Hasher::new(), 0);
        let mut take = |bytes: &[u8]| {
            sha256.update(bytes);
            blake3.update(bytes);
            length += bytes.len() as u64;
        };
        match &body {
            Body::Bytes(bytes) => bytes.chunks(CHUNK).for_each(&mut take),
            Body::File(path) => {
                let cannot =
                    |e| Fault::broken(format!("cannot read {}", path.display())).because(e);
                let mut file = File::open(path).map_err(cannot)?;
                let mut buffer = vec![0; CHUNK];
                loop {
                    match file.read(&mut buffer).map_err(cannot)? {
                        0 => break,
                        n => take(&buffer[..n]),
                    }
                }
            }
        }
        Ok(Hashed {
            sha256: sha256.finalize().into(),
            blake3: Digest::new(*blake3.finalize().as_bytes()),
            length,
        })
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Fault::broken("a task of the store ended early").because(e)))
}

/// A piece of a body, to be sent.
async fn stream(body: &Body, offset: u64, length: u64) -> Result<ByteStream, Fault> {
    match body {
        Body::Bytes(bytes) => {
            let at = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = at.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            let piece = &bytes[at..end.min(bytes.len())];
            Ok(ByteStream::new(SdkBody::from(piece)))
        }
        Body::File(path) => FsBuilder::new()
            .path(path)
            .offset(offset)
            .length(aws_sdk_s3::primitives::Length::Exact(length))
            .build()
            .await
            .map_err(|e| Fault::broken(format!("cannot read {}", path.display())).because(e)),
    }
}

/// Base64 as checksums are written in headers (RFC 4648, 4).
fn base64(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes)
}
