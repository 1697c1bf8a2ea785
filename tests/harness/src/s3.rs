//! S3 on loopback: s3s-fs, in a folder.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use crate::Running;

/// The access key that the stand-in knows.
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
/// Its secret.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Starts an S3 whose buckets are the folders below `root`.
///
/// # Panics
/// When it cannot be started.
pub fn start(root: &Path) -> Running {
    let files = FileSystem::new(root).expect("a folder for S3");
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = builder.build();
    Running::start(|listener| async move {
        let http = Builder::new(TokioExecutor::new());
        while let Ok((socket, _)) = listener.accept().await {
            let connection = http.serve_connection(TokioIo::new(socket), service.clone());
            let connection = connection.into_owned();
            tokio::spawn(async move {
                // A client that goes away in the middle is its own affair.
                let _ = connection.await;
            });
        }
    })
}
