//! `glassplate serve`: search, pictures and the page over HTTP, the index following meanwhile.

mod function;
mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use glassplate_models::taxonomy::Objects;
use glassplate_models::vocabulary::Words;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_search::http::{self, Answers, Door, Gate, Served, Site};
use glassplate_search::{DEFAULT_INTERVAL, follow};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::Serve;
use crate::compose::{Desk, SystemClock};
use crate::env;
use crate::exit::Exit;
use crate::output::say;
use uploads::Uploads;

pub(crate) async fn run(desk: &Desk, arguments: &Serve) -> Result<Exit, Fault> {
    let served = desk.settings.serve.clone();
    if env::on_lambda() {
        let site = site(desk, served, function::ANYWHERE).await?;
        return function::serve(Arc::new(site)).await;
    }
    let address = arguments.listen.as_deref().unwrap_or(&served.listen);
    let listener = http::listen(address).await?;
    let bound = listener
        .local_addr()
        .map_err(|e| Fault::broken(format!("cannot tell where {address} is")).because(e))?;
    let site = Arc::new(site(desk, served.clone(), bound).await?);
    site.index.read_ahead();
    let follower = follow(site.index.clone(), site.catalogue.clone(), DEFAULT_INTERVAL);
    let stop = stopped()?;
    say(format!("serving {} at http://{bound}", desk.home.display()));
    http::serve(listener, http::router(site), &served, stop).await?;
    // Catching up is a moment's work, building the index anew may be an hour's.
    let longest = Duration::from_secs_f64(served.drain_seconds);
    match tokio::time::timeout(longest, follower.stop()).await {
        // Another process does the same work.
        Ok(Err(fault)) if fault.kind() != FaultKind::Busy => {
            say(format!("the index lags behind: {}", fault.reason()));
        }
        Ok(_) => {}
        Err(_) => say("the index lags behind: it catches up when it is asked next"),
    }
    Ok(Exit::Done)
}

/// Fills the ports of a site.
async fn site(desk: &Desk, served: Served, bound: SocketAddr) -> Result<Site, Fault> {
    let registry = desk.registry().await?;
    let open_desk = http::check_listening(&*registry, bound).await?;
    let (catalogue, store) = (desk.catalogue().await?, desk.store().await?);
    let uploads = Uploads::open(desk, catalogue.clone(), store.clone())?;
    Ok(Site {
        index: Arc::new(desk.index()?),
        catalogue,
        store,
        registry,
        door: Door::new(open_desk, env::operator_token()?),
        interpreter: desk.interpreter()?,
        vocabulary: Objects::load(),
        lexicon: Arc::new(Words::load()),
        houses: Some(Arc::new(uploads)),
        clock: Arc::new(SystemClock),
        bar: desk.settings.labels,
        limits: desk.settings.limits.clone(),
        served,
        gate: Gate::default(),
        answers: Answers::default(),
    })
}

/// Waits for Ctrl-C or a termination request; a second one ends the process at once.
fn stopped() -> Result<impl Future<Output = ()>, Fault> {
    let heed = |kind| signal(kind).map_err(|e| Fault::broken("cannot heed signals").because(e));
    let (mut interrupts, mut terminations) =
        (heed(SignalKind::interrupt())?, heed(SignalKind::terminate())?);
    Ok(async move {
        either(&mut interrupts, &mut terminations).await;
        say("ending after the requests in hand; once more to end at once");
        tokio::spawn(async move {
            either(&mut interrupts, &mut terminations).await;
            std::process::exit(130);
        });
    })
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
