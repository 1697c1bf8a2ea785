//! Stand-ins for AWS on loopback, for tests and for rehearsals: each runs on a thread of its own
//! and ends with the value that started it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may end where it fails"))]

pub mod dynamo;
pub mod faults;
mod http;
pub mod rekognition;
mod running;
pub mod s3;
#[cfg(test)]
mod testing;

pub use http::sha256;
pub use running::Running;
