//! S3 on loopback: s3s-fs, in a folder.
//!
//! Where s3s-fs is less strict than S3 it is made so here: it looks for a key and then writes it,
//! which S3 does at once under `If-None-Match`; and it makes a bucket that is not there.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, IF_NONE_MATCH};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::sync::Mutex;

use crate::Running;

/// The access key that the stand-in knows.
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
/// Its secret.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What S3 says of a bucket that is not there.
const NO_SUCH_BUCKET: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchBucket\
    </Code><Message>The specified bucket does not exist</Message></Error>";

/// Starts an S3 whose buckets are the folders below `root`.
///
/// # Panics
/// When it cannot be started.
pub fn start(root: &Path) -> Running {
    let files = FileSystem::new(root).expect("a folder for S3");
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let strict = Arc::new(Strict {
        service: builder.build(),
        root: root.to_owned(),
        creating: Mutex::default(),
    });
    Running::start(|listener| async move {
        while let Ok((socket, _)) = listener.accept().await {
            let strict = strict.clone();
            tokio::spawn(async move {
                let answer = service_fn(move |request| {
                    let strict = strict.clone();
                    async move { Ok::<_, Infallible>(strict.answer(request).await) }
                });
                let http = Builder::new(TokioExecutor::new());
                // A client that goes away in the middle is its own affair.
                let _ = http.serve_connection(TokioIo::new(socket), answer).await;
            });
        }
    })
}

/// s3s-fs, made as strict as S3.
struct Strict {
    service: S3Service,
    root: PathBuf,
    creating: Mutex<()>,
}

impl Strict {
    async fn answer(&self, request: Request<Incoming>) -> Response<s3s::Body> {
        let mut parts = request.uri().path().trim_start_matches('/').splitn(2, '/');
        let bucket = parts.next().unwrap_or_default();
        let made_now = request.method() == Method::PUT && parts.next().is_none_or(str::is_empty);
        if !bucket.is_empty() && !made_now && !self.root.join(bucket).is_dir() {
            return Response::builder()
                .status(StatusCode::NOT_FOUND)
                .header(CONTENT_TYPE, "application/xml")
                .body(s3s::Body::from(NO_SUCH_BUCKET.to_owned()))
                .expect("an answer that is well formed");
        }
        let _alone = match request.headers().contains_key(IF_NONE_MATCH) {
            true if request.method() != Method::GET => Some(self.creating.lock().await),
            _ => None,
        };
        match self.service.call(request.map(s3s::Body::from)).await {
            Ok(response) => response,
            Err(_) => Response::builder()
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .body(s3s::Body::empty())
                .expect("an answer that is well formed"),
        }
    }
}
