//! The server as a Lambda function: the same router answers what API Gateway hands over.
//!
//! Between two requests the process is frozen, so nothing follows the catalogue behind their
//! backs: the index is brought up to date when a request comes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_search::http::{self, Event, Site};
use glassplate_search::{DEFAULT_INTERVAL, Index};
use lambda_runtime::{LambdaEvent, service_fn};
use tokio::sync::Mutex;

use crate::exit::Exit;

/// Where a function is reached, as far as keys go: from anywhere.
pub(super) const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 443);

/// Serves requests until the service ends the process.
pub(super) async fn serve(site: Arc<Site>) -> Result<Exit, Fault> {
    let router = http::router(site.clone());
    let level_at = Arc::new(Mutex::new(None));
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let (site, router, level_at) = (site.clone(), router.clone(), level_at.clone());
        async move {
            catch_up(&site.index, &*site.catalogue, &mut *level_at.lock().await).await;
            Ok::<_, lambda_runtime::Error>(http::answer(router, event.payload).await)
        }
    });
    lambda_runtime::run(handler)
        .await
        .map_err(|e| Fault::broken("the function ended").because(e))?;
    Ok(Exit::Done)
}

/// Brings the index up to date, unless that was done a moment ago. What goes wrong is logged: an
/// older answer is better than none.
async fn catch_up(index: &Index, catalogue: &dyn Catalogue, level_at: &mut Option<Instant>) {
    if level_at.is_some_and(|at| at.elapsed() < DEFAULT_INTERVAL) {
        return;
    }
    match index.catch_up(catalogue).await {
        Ok(_) => *level_at = Some(Instant::now()),
        // Whoever shares the home does the same work.
        Err(fault) if fault.kind() == FaultKind::Busy => {}
        Err(fault) => tracing::warn!("the index falls behind: {}", fault.reason()),
    }
}
