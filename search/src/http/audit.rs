//! The audit log's writing side: what changes or leaves an archive is written down.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{Deed, DeedOutcome, Verb};

use super::{Caller, Site};

impl Site {
    /// Writes down what a caller did, before they are answered.
    ///
    /// Call it before the first byte of what leaves, and after what changed is durable.
    ///
    /// # Errors
    /// What the registry says: what cannot be written down is not to be handed out.
    pub(crate) async fn audit(
        &self,
        caller: &Caller,
        what: Verb,
        subject: &str,
        outcome: DeedOutcome,
    ) -> Result<(), Fault> {
        let deed =
            Deed::new(self.clock.now(), &caller.tenant, &caller.who, what, subject, outcome)?;
        let deed = deed.over_http(caller.key.as_ref(), caller.request.as_deref());
        self.registry.note(&deed).await
    }
}

/// Where a request's caller is left for whoever looks at the answer.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<Caller>>);

impl Slot {
    pub(super) fn fill(&self, caller: &Caller) {
        // Only the first one fills it; a request has one caller.
        let _ = self.0.set(caller.clone());
    }
}

/// Writes every refusal down, whichever route refused.
pub(super) async fn watch(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let slot = Slot::default();
    let subject = format!("{} {}", request.method(), request.uri().path());
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    if response.status() == StatusCode::FORBIDDEN
        && let Some(caller) = slot.0.get()
        && let Err(fault) = site.audit(caller, Verb::Trespass, &subject, DeedOutcome::Refused).await
    {
        tracing::error!("a refusal could not be written down: {}", fault.reason());
    }
    response
}
