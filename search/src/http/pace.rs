//! The pace: how many requests of one tenant are answered a minute.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use glassplate_pipeline::asset::Tenant;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::problem::problem;
use super::{Caller, Site};

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// What each tenant has left.
#[derive(Default)]
pub(crate) struct Pace {
    tenants: Mutex<HashMap<Tenant, (NonZeroU32, Arc<Limiter>)>>,
}

/// What a tenant has left after a request.
struct Left {
    limit: u32,
    remaining: u32,
    /// How long until all of the limit is there again, in seconds.
    reset: u64,
    /// How long until the next request will be answered, in seconds; of a refused one.
    wait: Option<u64>,
}

impl Pace {
    /// Takes one request of a tenant's minute.
    fn take(&self, tenant: &Tenant, limit: NonZeroU32) -> Left {
        let limiter = self.limiter(tenant, limit);
        // The time that one request takes to grow again.
        let one = 60.0 / f64::from(limit.get());
        let left = |remaining: u32| (one * f64::from(limit.get() - remaining)).ceil() as u64;
        match limiter.check() {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(limit.get());
                Left { limit: limit.get(), remaining, reset: left(remaining), wait: None }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let wait = (wait.as_secs_f64().ceil() as u64).max(1);
                Left { limit: limit.get(), remaining: 0, reset: left(0), wait: Some(wait) }
            }
        }
    }

    fn limiter(&self, tenant: &Tenant, limit: NonZeroU32) -> Arc<Limiter> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        match tenants.get(tenant) {
            Some((known, limiter)) if *known == limit => limiter.clone(),
            _ => {
                let quota = Quota::per_minute(limit);
                let limiter = Arc::new(
                    RateLimiter::direct(quota).with_middleware::<StateInformationMiddleware>(),
                );
                tenants.insert(tenant.clone(), (limit, limiter.clone()));
                limiter
            }
        }
    }
}

/// Stands before every route that a tenant's requests go to, and says with each answer what is
/// left (draft-ietf-httpapi-ratelimit-headers, in its widely read form of three headers).
pub(crate) async fn keep_pace(
    State((site, pace)): State<(Arc<Site>, Arc<Pace>)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &site).await;
    let request = Request::from_parts(parts, body);
    // Who is nobody is told so by the route itself.
    let Some(caller) = caller.ok() else { return next.run(request).await };
    let limit = caller.requests_a_minute.unwrap_or(site.served.requests_a_minute);
    let Some(limit) = NonZeroU32::new(limit) else { return next.run(request).await };
    let left = pace.take(&caller.tenant, limit);
    let mut response = match left.wait {
        None => next.run(request).await,
        Some(_) => problem(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            &format!("more than {} requests came within a minute", left.limit),
        ),
    };
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", left.limit.into());
    headers.insert("ratelimit-remaining", left.remaining.into());
    headers.insert("ratelimit-reset", left.reset.into());
    if let Some(seconds) = left.wait {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_minute_is_its_own_and_runs_out() {
        let (pace, limit) = (Pace::default(), NonZeroU32::new(3).expect("three"));
        let other: Tenant = "other".parse().expect("a name");
        let remaining: Vec<u32> =
            (0..3).map(|_| pace.take(&Tenant::default(), limit).remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let refused = pace.take(&Tenant::default(), limit);
        assert!((1..=20).contains(&refused.wait.expect("a refusal")), "{:?}", refused.wait);
        assert_eq!(pace.take(&other, limit).remaining, 2);
    }

    #[test]
    fn a_new_limit_holds_at_once() {
        let pace = Pace::default();
        let limit = |n| NonZeroU32::new(n).expect("a number");
        assert!(pace.take(&Tenant::default(), limit(1)).wait.is_none());
        assert!(pace.take(&Tenant::default(), limit(1)).wait.is_some());
        assert_eq!(pace.take(&Tenant::default(), limit(9)).remaining, 8);
    }
}
