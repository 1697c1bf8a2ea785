//! How each service says that it cannot.

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::json;

use crate::http::{self, Body};

/// Which service a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    DynamoDb,
    Rekognition,
}

/// The operation of the JSON protocols.
pub(super) fn target(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get("x-amz-target")?.to_str().ok()
}

impl Service {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        match target(request) {
            Some(target) if target.starts_with("DynamoDB") => Self::DynamoDb,
            Some(target) if target.starts_with("RekognitionService") => Self::Rekognition,
            _ => Self::S3,
        }
    }

    pub(super) fn throttled(self) -> Response<Body> {
        match self {
            Self::S3 => self.error(503, "SlowDown", "Please reduce your request rate."),
            Self::DynamoDb => {
                let why =
                    "The level of configured provisioned throughput for the table was exceeded.";
                self.error(400, "ProvisionedThroughputExceededException", why)
            }
            Self::Rekognition => self.error(400, "ThrottlingException", "Rate exceeded"),
        }
    }

    pub(super) fn failed(self) -> Response<Body> {
        let code = match self {
            Self::S3 => "InternalError",
            Self::DynamoDb | Self::Rekognition => "InternalServerError",
        };
        self.error(500, code, "We encountered an internal error. Please try again.")
    }

    pub(super) fn unavailable(self) -> Response<Body> {
        let code = match self {
            Self::S3 => "ServiceUnavailable",
            Self::DynamoDb | Self::Rekognition => "ServiceUnavailableException",
        };
        self.error(503, code, "The service is unavailable. Please try again.")
    }

    fn error(self, status: u16, code: &str, message: &str) -> Response<Body> {
        match self {
            Self::S3 => {
                let xml = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
                     <Message>{message}</Message><RequestId>0</RequestId></Error>"
                );
                http::made(status, "application/xml", xml)
            }
            Self::DynamoDb => {
                let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
                http::json(status, &json!({"__type": code, "message": message}))
            }
            Self::Rekognition => http::json(status, &json!({"__type": code, "Message": message})),
        }
    }
}
