//! Clients of the stand-ins that ask once, for the tests here.

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::s3::{ACCESS_KEY, SECRET_KEY};

/// Who asks, where.
pub(crate) struct Clients {
    pub(crate) url: String,
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) region: &'static str,
}

impl Clients {
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), key: ACCESS_KEY, secret: SECRET_KEY, region: "us-east-1" }
    }

    fn credentials(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Credentials::new(self.key, self.secret, None, None, "tests"))
    }

    fn http() -> SharedHttpClient {
        aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region))
            .credentials_provider(self.credentials())
            .http_client(Self::http())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&self.url)
            .force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    pub(crate) fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region))
            .credentials_provider(self.credentials())
            .http_client(Self::http())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&self.url);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub(crate) fn rekognition(&self) -> aws_sdk_rekognition::Client {
        let config = aws_sdk_rekognition::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region))
            .credentials_provider(self.credentials())
            .http_client(Self::http())
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&self.url);
        aws_sdk_rekognition::Client::from_conf(config.build())
    }
}

pub(crate) mod rekognition {
    //! Pictures that are a header alone, and asking for their labels.

    use aws_sdk_rekognition::Client;
    use aws_sdk_rekognition::error::SdkError;
    use aws_sdk_rekognition::operation::detect_labels::{DetectLabelsError, DetectLabelsOutput};
    use aws_sdk_rekognition::primitives::Blob;
    use aws_sdk_rekognition::types::Image;

    /// The head of a PNG: enough for a service that looks no further.
    pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0]);
        bytes
    }

    pub(crate) async fn of(
        client: &Client,
        bytes: Vec<u8>,
    ) -> Result<DetectLabelsOutput, SdkError<DetectLabelsError>> {
        let image = Image::builder().bytes(Blob::new(bytes)).build();
        client.detect_labels().image(image).send().await
    }

    pub(crate) async fn labels(
        client: &Client,
        width: u32,
        height: u32,
    ) -> Result<DetectLabelsOutput, SdkError<DetectLabelsError>> {
        of(client, png(width, height)).await
    }
}
