//! How each step of an asset's way ended.

use std::collections::BTreeMap;

use super::{IDENTIFY, LABEL_PREFIX, RENDER, State, StepState};
use crate::opinion::{Finding, Identified, Opinion, Verdict};

/// Tells of each step how it ended, and sums the labellers up as one.
pub(super) fn fold_steps(current: &BTreeMap<&str, &Opinion>) -> BTreeMap<String, StepState> {
    let mut steps: BTreeMap<String, StepState> =
        current.iter().map(|(step, opinion)| ((*step).to_owned(), step_state(opinion))).collect();
    // An asset that has a record was registered, and the record is what record makes.
    for step in ["register", "record"] {
        steps
            .insert(step.to_owned(), StepState { state: State::Done, reason: None, opinion: None });
    }
    for step in [IDENTIFY, RENDER] {
        steps.entry(step.to_owned()).or_insert_with(|| not_run("interrupted before this step"));
    }
    steps.insert("label".to_owned(), sum_up_labels(&steps));
    steps
}

fn step_state(opinion: &Opinion) -> StepState {
    let (state, reason) = match &opinion.verdict {
        Verdict::Found(Finding::Identified(found)) => (State::Done, note_of(found)),
        Verdict::Found(Finding::Rendered(found)) => (State::Done, found.note.clone()),
        Verdict::Found(Finding::Labelled(_) | Finding::Assessed(_) | Finding::Restored(_)) => {
            (State::Done, None)
        }
        Verdict::Found(Finding::Discarded { who }) => {
            (State::NoneFound, Some(format!("{who} did away with it")))
        }
        Verdict::NoneFound => (State::NoneFound, None),
        Verdict::NotRun { reason } => (State::NotRun, Some(reason.clone())),
        Verdict::Failed { fault, reason } => (State::Failed, Some(format!("{fault}: {reason}"))),
    };
    StepState { state, reason, opinion: Some(opinion.id.clone()) }
}

fn note_of(found: &Identified) -> Option<String> {
    (!found.damage.is_empty()).then(|| found.damage.join("; "))
}

fn not_run(reason: &str) -> StepState {
    StepState { state: State::NotRun, reason: Some(reason.to_owned()), opinion: None }
}

/// Sums the labellers up: done if one found something, else failed, none found or not run.
fn sum_up_labels(steps: &BTreeMap<String, StepState>) -> StepState {
    let of_labellers: Vec<_> =
        steps.iter().filter(|(step, _)| step.starts_with(LABEL_PREFIX)).collect();
    let reason = |state: State| {
        let reasons: Vec<String> = of_labellers
            .iter()
            .filter(|(_, step)| step.state == state)
            .filter_map(|(name, step)| Some(format!("{name}: {}", step.reason.as_ref()?)))
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    };
    for state in [State::Done, State::Failed, State::NoneFound, State::NotRun] {
        if of_labellers.iter().any(|(_, step)| step.state == state) {
            // A labeller that failed beside one that found something still shows.
            let reason = if state == State::Done { reason(State::Failed) } else { reason(state) };
            return StepState { state, reason, opinion: None };
        }
    }
    match steps.get(RENDER) {
        Some(render) if render.state != State::Done => not_run("there are no pixels to look at"),
        _ => not_run("no labeller was configured"),
    }
}
