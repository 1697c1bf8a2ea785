//! How fast a service is asked: a pace that all lanes share and that follows the service.
//!
//! A quota is seldom known, may be shared with others and may change. So the pace grows a little
//! with every answer and falls by a part when the service throttles (additive increase, multiplicative
//! decrease), until the first throttling faster than after it. A throttled call costs no
//! money, but time of every lane: the pace falls once for all calls that had their turn before, and
//! no more than once a second, for quotas are counted by the second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The pace never falls below this, in calls a second.
const FLOOR: f64 = 0.2;
/// What a throttling leaves of the pace.
const LEFT: f64 = 0.75;
/// How much the pace grows in a second of answers, in calls a second.
const GROWTH: f64 = 0.4;
/// How much each answer adds before the first throttling, in calls a second.
const FIRST_GROWTH: f64 = 0.2;
/// How long the pace stays after it fell.
const SETTLING: Duration = Duration::from_secs(1);

/// A pace shared by all who ask.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Calls a second.
    rate: f64,
    /// When the next call may go.
    next: Instant,
    /// When the pace fell last.
    fell: Option<Instant>,
}

/// A call's turn.
#[derive(Debug)]
pub(super) struct Turn {
    /// When it was given, which may be long before it came.
    given: Instant,
    /// Whether the pace held it up: only then does its answer say that more would have gone.
    held: bool,
}

impl Pace {
    /// Starts at so many calls a second.
    pub(super) fn of(rate: f64) -> Self {
        let rate = rate.max(FLOOR);
        Self(Mutex::new(State { rate, next: Instant::now(), fell: None }))
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) -> Turn {
        let (at, given) = {
            let mut state = self.state();
            let now = Instant::now();
            let at = state.next.max(now);
            state.next = at + Duration::from_secs_f64(1.0 / state.rate);
            (at, now)
        };
        tokio::time::sleep_until(at).await;
        Turn { given, held: at > given }
    }

    /// Takes note of an answer.
    pub(super) fn answered(&self, turn: &Turn) {
        let mut state = self.state();
        if turn.held {
            state.rate += if state.fell.is_some() { GROWTH / state.rate } else { FIRST_GROWTH };
        }
    }

    /// Takes note of a throttling.
    pub(super) fn throttled(&self, turn: &Turn) {
        let mut state = self.state();
        let now = Instant::now();
        // Whoever got a turn before the pace fell says nothing about the new one.
        if state.fell.is_some_and(|fell| turn.given <= fell || now < fell + SETTLING) {
            return;
        }
        state.rate = (state.rate * LEFT).max(FLOOR);
        state.fell = Some(now);
        state.next = state.next.max(now + Duration::from_secs_f64(1.0 / state.rate));
    }

    /// The pace in calls a second.
    pub(super) fn rate(&self) -> f64 {
        self.state().rate
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lanes_share_one_pace() {
        let pace = Pace::of(10.0);
        let began = Instant::now();
        for _ in 0..21 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed().as_millis(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_grows_with_answers_and_falls_once_for_calls_under_way_together() {
        let pace = Pace::of(5.0);
        let mut turns = Vec::new();
        for _ in 0..10 {
            turns.push(pace.turn().await);
        }
        turns.iter().for_each(|turn| pace.answered(turn));
        let grown = pace.rate();
        assert!(grown > 5.0, "{grown}");
        turns.iter().for_each(|turn| pace.throttled(turn));
        assert!((pace.rate() - LEFT * grown).abs() < 1e-9, "{}", pace.rate());
        let soon = pace.turn().await;
        pace.throttled(&soon);
        assert!((pace.rate() - LEFT * grown).abs() < 1e-9, "{}", pace.rate());
        tokio::time::sleep(SETTLING).await;
        let later = pace.turn().await;
        pace.throttled(&later);
        assert!((pace.rate() - LEFT * LEFT * grown).abs() < 1e-9, "{}", pace.rate());
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_never_falls_below_its_floor_nor_grows_where_it_does_not_hold_up() {
        let pace = Pace::of(1.0);
        for _ in 0..50 {
            tokio::time::sleep(SETTLING).await;
            let turn = pace.turn().await;
            pace.throttled(&turn);
        }
        assert_eq!(pace.rate(), FLOOR);
        let pace = Pace::of(10.0);
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let turn = pace.turn().await;
            pace.answered(&turn);
        }
        assert_eq!(pace.rate(), 10.0);
    }
}
