//! Stand-ins for AWS on loopback, for tests: each runs on a thread of its own and ends with
//! the value that started it.

pub mod dynamo;
mod running;
pub mod s3;

pub use running::Running;
