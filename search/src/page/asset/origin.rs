//! The origin of all that the page says: digests, steps, opinions, decisions.

use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::opinion::{Finding, Opinion, Verdict};
use glassplate_pipeline::record::State;
use maud::{Markup, html};

use super::Seen;
use super::about::moment;
use crate::page::links;

/// Writes it all, folded away.
pub(super) fn origin(seen: &Seen<'_>) -> Markup {
    let record = seen.record;
    html! {
        section {
            details.origin {
                summary { h2 { "Provenance" } }
                dl.fields {
                    dt { "asset" } dd { code { (record.asset) } }
                    dt { "registered" } dd { (moment(record.registered)) }
                    dt { "SHA-256" } dd { code { (record.digest.sha256) } }
                    dt { "BLAKE3" } dd { code { (record.digest.blake3) } }
                    @if let Some(pixels) = &record.pixel_digest { dt { "pixels" } dd { code { (pixels) } } }
                    @if let Some(phash) = &record.phash { dt { "perceptual hash" } dd { code { (phash) } } }
                }
                h3 { "Steps" }
                dl.fields {
                    @for (step, state) in &record.steps {
                        dt { (step) }
                        dd {
                            (word(state.state))
                            @if let Some(reason) = &state.reason { ": " (reason) }
                        }
                    }
                }
                (opinions(seen))
                @if !seen.parts.decisions.is_empty() {
                    h3 { "Decisions" }
                    ol.ledger {
                        @for decision in &seen.parts.decisions {
                            li {
                                strong { (decision.who) } " "
                                (match decision.ruling {
                                    Ruling::Approve => "approved",
                                    Ruling::Reject => "rejected",
                                    Ruling::Add => "added",
                                })
                                " " (decision.label) " (" (decision.kind.name()) ") "
                                span.source { (moment(decision.at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn opinions(seen: &Seen<'_>) -> Markup {
    html! {
        h3 { "Opinions" }
        ol.ledger {
            @for opinion in &seen.parts.opinions {
                @let withdrawn = seen.parts.withdrawn.contains(&opinion.run);
                li.withdrawn[withdrawn] {
                    strong { (opinion.step) } " " (said(opinion))
                    @if withdrawn { " (does not count)" }
                    br;
                    span.source {
                        (opinion.maker.model) " " (opinion.maker.version) ", " (moment(opinion.at)) ", "
                        a href=(links::run(opinion.run.as_str())) { "run " (opinion.run) }
                        @if let Some(from) = &opinion.reused { ", taken over from " (from) }
                    }
                }
            }
        }
    }
}

fn said(opinion: &Opinion) -> String {
    match &opinion.verdict {
        Verdict::Found(Finding::Labelled(labels)) => format!("found {} labels", labels.len()),
        Verdict::Found(Finding::Rendered(files)) => format!("made {} files", files.files.len()),
        Verdict::Found(Finding::Identified(found)) => {
            format!("{}, {} fields", found.technical.format.name(), found.embedded.len())
        }
        Verdict::Found(Finding::Assessed(found)) => match found.tone.is_monochrome() {
            true => "one colour".to_owned(),
            false => "in colour".to_owned(),
        },
        Verdict::Found(Finding::Restored(made)) => format!("made {} files", made.files.len()),
        Verdict::Found(Finding::Discarded { who }) => format!("{who} did away with it"),
        Verdict::NoneFound => "found none".to_owned(),
        Verdict::NotRun { reason } => format!("did not run: {reason}"),
        Verdict::Failed { fault, reason } => format!("failed ({fault}): {reason}"),
    }
}

const fn word(state: State) -> &'static str {
    match state {
        State::Done => "done",
        State::NoneFound => "none found",
        State::NotRun => "not run",
        State::Failed => "failed",
    }
}
