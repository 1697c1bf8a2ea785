//! The server: accepts connections, cuts slow clients, drains at the end.
//!
//! It is a loop of our own because what guards against slow clients (a limit on the time for a
//! request's head, on pauses while an answer is read, on the number of connections) cannot be
//! set otherwise.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use glassplate_pipeline::fault::Fault;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::operations::Peer;
use super::site::Served;
use super::stream::Patient;

/// The most that a request's head may have, in bytes; hyper's least is 8 KiB.
const HEAD_BYTES: usize = 64 << 10;
/// How long is waited before the next try when the process has no file left for a connection.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then lets requests in hand end for as long as the settings say.
///
/// # Errors
/// `Broken` when the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    served: &Served,
    stop: impl Future<Output = ()>,
) -> Result<(), Fault> {
    let room = Arc::new(Semaphore::new(served.connections));
    let (draining, drain) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // Connections that ended are forgotten at once, or their number would only grow.
        while connections.try_join_next().is_some() {}
        let place = tokio::select! {
            () = &mut stop => break,
            place = room.clone().acquire_owned() => place,
        };
        let place = place.map_err(|e| Fault::broken("the listener is closed").because(e))?;
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!("a connection was not accepted: {e}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let connection = connection(socket, Peer(peer), router.clone(), served, drain.clone());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    drop(draining);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs_f64(served.drain_seconds), all).await.is_err() {
        tracing::warn!("{} connections were cut at the end", connections.len());
        connections.shutdown().await;
    }
    Ok(())
}

/// Serves one connection until the client leaves, is too slow, or the server drains.
fn connection(
    socket: TcpStream,
    peer: Peer,
    router: Router,
    served: &Served,
    mut drain: watch::Receiver<()>,
) -> impl Future<Output = ()> + Send + 'static + use<> {
    let pause = Duration::from_secs_f64(served.pause_seconds);
    let head = Duration::from_secs_f64(served.head_seconds);
    async move {
        // Small answers must not wait for each other.
        let _ = socket.set_nodelay(true);
        let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request.map(axum::body::Body::new) as Request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(Patient::new(socket, pause)), answer);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            _ = drain.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(e) = ended {
            tracing::debug!(peer = %peer.0, "a connection ended early: {e}");
        }
    }
}

/// Binds a listener that may be bound again right after the process ended.
///
/// # Errors
/// `BadInput` for what is no address, `Refused` or `Conflict` as the system says.
pub async fn listen(address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|e| {
        let message = format!("cannot listen on {address}");
        match e.kind() {
            io::ErrorKind::AddrInUse => {
                Fault::new(glassplate_pipeline::fault::FaultKind::Conflict, message).because(e)
            }
            io::ErrorKind::PermissionDenied => {
                Fault::new(glassplate_pipeline::fault::FaultKind::Refused, message).because(e)
            }
            _ => Fault::bad_input(message).because(e),
        }
    })
}
