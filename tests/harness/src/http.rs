//! HTTP as the stand-ins of our own speak it: requests read whole, answers of one piece.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;

/// The largest request or answer that is read, in bytes.
const MOST_BYTES: usize = 64 << 20;

/// Why a connection is closed without an answer.
#[derive(Debug)]
pub(crate) struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up")
    }
}

impl Error for HungUp {}

/// An answer's body: whole, or one that breaks off.
pub(crate) type Body = UnsyncBoxBody<Bytes, HungUp>;

/// A body of one piece.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// A body that gives `bytes` and then breaks the connection.
pub(crate) fn broken_off(bytes: Bytes) -> Body {
    let frames = BrokenOff { left: Some(bytes), pause: None };
    UnsyncBoxBody::new(frames)
}

struct BrokenOff {
    left: Option<Bytes>,
    pause: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

impl hyper::body::Body for BrokenOff {
    type Data = Bytes;
    type Error = HungUp;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, HungUp>>> {
        use std::task::Poll;
        if let Some(bytes) = self.left.take() {
            return Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes))));
        }
        // What was given must be on its way before the connection breaks.
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(20))));
        pause.as_mut().poll(context).map(|()| Some(Err(HungUp)))
    }
}

/// Serves every request with `answer`; one that fails closes its connection without a byte.
pub(crate) async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response<Body>, HungUp>> + Send + 'static,
{
    let answer = Arc::new(answer);
    while let Ok((socket, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move { answer(read(request).await?).await }
            });
            let http = Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is its own affair.
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn read(request: Request<Incoming>) -> Result<Request<Bytes>, HungUp> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(|_| HungUp)?;
    Ok(Request::from_parts(parts, body.to_bytes()))
}

/// Sends a request to `authority` (host and port), headers as they are, and reads the answer whole.
pub(crate) async fn forward(
    authority: &str,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
    let socket = tokio::net::TcpStream::connect(authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(async move {
        // Its fault is told by the answer that does not come.
        let _ = connection.await;
    });
    let (parts, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// An answer in the JSON protocol of AWS.
pub(crate) fn json(status: u16, value: &serde_json::Value) -> Response<Body> {
    made(status, "application/x-amz-json-1.1", value.to_string())
}

/// An answer of a status, a media type and text.
pub(crate) fn made(status: u16, media_type: &str, text: String) -> Response<Body> {
    let answer = Response::builder().status(status).header("content-type", media_type);
    answer.body(whole(text)).expect("a status and a media type of our own")
}

/// A digest in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of bytes, 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(bytes))
}
