//! The labels of an asset: objects, scenes, concepts, each with how sure, whose, and why; with
//! forms to rule on them for those who may.

use glassplate_pipeline::label::{Evidence, LabelKind};
use glassplate_pipeline::record::{Bar, LabelState, RecordLabel};
use glassplate_pipeline::tenancy::Role;
use maud::{Markup, html};

use super::Seen;
use crate::page::links;
use crate::page::picture::{boxed, places};

/// Every kind with its heading, in the order shown.
const KINDS: [(LabelKind, &str); 3] = [
    (LabelKind::Object, "Objects"),
    (LabelKind::Scene, "Scenes"),
    (LabelKind::Concept, "Concepts"),
];

/// Writes the labels that the bar shows, and those that it holds back behind a fold.
pub(super) fn labels(seen: &Seen<'_>) -> Markup {
    let (shown, held): (Vec<&RecordLabel>, Vec<&RecordLabel>) =
        seen.record.labels.iter().partition(|label| seen.site.bar.shows(label));
    html! {
        section #labels aria-labelledby="labels-heading" {
            h2 #labels-heading { "Labels" }
            @if shown.is_empty() { p.quiet { (none(seen)) } }
            (groups(seen, &shown))
            @if !held.is_empty() {
                details.held {
                    summary { (held.len()) " less sure, in doubt or rejected" }
                    (groups(seen, &held))
                }
            }
            @if seen.caller.role >= Role::Editor { (add(seen)) }
        }
    }
}

/// Why no label is shown: none found, not run and failed are different answers.
fn none(seen: &Seen<'_>) -> String {
    let step = seen.record.steps.get("label");
    match step.and_then(|step| step.reason.clone()) {
        Some(reason) => format!("None: {reason}."),
        None => "None is sure enough to be shown.".to_owned(),
    }
}

fn groups(seen: &Seen<'_>, labels: &[&RecordLabel]) -> Markup {
    html! {
        @for (kind, heading) in KINDS {
            @let of_kind: Vec<_> = labels.iter().filter(|label| label.kind == kind).collect();
            @if !of_kind.is_empty() {
                h3 { (heading) }
                ul.labels {
                    @for label in of_kind { (row(seen, label)) }
                }
            }
        }
    }
}

fn row(seen: &Seen<'_>, label: &RecordLabel) -> Markup {
    let boxed = boxed(seen.record).iter().position(|other| std::ptr::eq(*other, label));
    let (facet, times) = (links::facet_of(label.kind), places(label).len());
    html! {
        li.label.(state(label.state)).doubtful[!label.doubts.is_empty()] data-label=[boxed] {
            div.line {
                a.name href=(links::within(facet, &label.name)) { (label.name.replace('_', " ")) }
                @if boxed.is_some() && times > 1 { span.times { "× " (times) } }
                @if seen.caller.role >= Role::Editor { (rule(seen, label)) }
            }
            details.grounds {
                summary { span.unseen { "Why " (label.name) ": " } (sure(label)) }
                (grounds(label))
            }
        }
    }
}

/// How sure: a bar for a machine's claim, a word for a person's.
fn sure(label: &RecordLabel) -> Markup {
    let word = match label.state {
        LabelState::Approved => "approved",
        LabelState::Added => "added",
        LabelState::Rejected => "rejected",
        LabelState::Proposed if !label.doubts.is_empty() => "in doubt",
        LabelState::Proposed => "",
    };
    html! {
        @if !word.is_empty() { span.state { (word) } }
        @if label.state != LabelState::Added {
            svg viewBox="0 0 40 4" width="40" height="4" aria-hidden="true" {
                rect.all width="40" height="4" rx="2" {}
                rect.part width=(40.0 * label.confidence.clamp(0.0, 1.0)) height="4" rx="2" {}
            }
            (format!("{:.2}", label.confidence))
        }
    }
}

/// Whose claim it is, what it rests on, who ruled.
pub(in crate::page) fn grounds(label: &RecordLabel) -> Markup {
    html! {
        dl {
            @if label.source.backend != "human" {
                dt { "Claimed by" }
                dd {
                    (label.source.model) " " (label.source.version) " (" (label.source.backend) ")"
                    @if let Some(run) = &label.source.run {
                        ", " a href=(links::run(run.as_str())) { "run " (run) }
                    }
                }
            }
            @for doubt in &label.doubts { dt { "In doubt" } dd { (doubt.reason) } }
            @if !label.evidence.is_empty() {
                dt { "Rests on" }
                dd { (evidence(&label.evidence)) }
            }
            @if !label.parents.is_empty() {
                dt { "Is a" }
                dd { (label.parents.join(", ")) }
            }
            @if let Some(synset) = &label.wordnet { dt { "WordNet 3.0" } dd { (synset) } }
            @if let Some(ruled) = &label.ruled {
                dt { (if label.state == LabelState::Rejected { "Rejected by" } else { "Confirmed by" }) }
                dd { (ruled.who) ", " (super::about::moment(ruled.at)) }
            }
        }
    }
}

/// Says why a label waits for a person, or where it stands.
pub(in crate::page) fn why_shown(bar: &Bar, label: &RecordLabel) -> String {
    if let Some(doubt) = label.doubts.first() {
        return format!("In doubt: {}.", doubt.reason);
    }
    let (sure, least) = (label.confidence, bar.of(label.kind));
    match label.state {
        LabelState::Proposed => format!("Its confidence {sure:.2} is near the bar of {least:.2}."),
        state => format!("It is {} so far.", self::state(state)),
    }
}

fn evidence(evidence: &[Evidence]) -> Markup {
    html! {
        ul.evidence {
            @for one in evidence {
                li {
                    (one.name.replace('_', " ")) " (" (one.kind.name()) ") "
                    span.count { (format!("{:+.1}", one.weight)) }
                    @if let Some(by) = &one.by { ", " (by) }
                }
            }
        }
    }
}

/// Buttons that say yes or no to a label, where the other answer is not given already.
fn rule(seen: &Seen<'_>, label: &RecordLabel) -> Markup {
    let name = label.name.replace('_', " ");
    html! {
        form.rule method="post" action=(links::labels(&seen.record.asset)) {
            input type="hidden" name="label" value=(label.name);
            input type="hidden" name="kind" value=(label.kind.name());
            button.yes name="ruling" value="approve" aria-label=(format!("Approve {name}"))
                title="Approve" aria-pressed=(label.state == LabelState::Approved) { "✓" }
            button.no name="ruling" value="reject" aria-label=(format!("Reject {name}"))
                title="Reject" aria-pressed=(label.state == LabelState::Rejected) { "✗" }
        }
    }
}

/// A form for what no model saw.
fn add(seen: &Seen<'_>) -> Markup {
    html! {
        form.add method="post" action=(links::labels(&seen.record.asset)) {
            input type="hidden" name="ruling" value="add";
            label.unseen for="add-label" { "Add a label" }
            input #add-label name="label" required maxlength="100" placeholder="Add a label" autocomplete="off";
            label.unseen for="add-kind" { "Its kind" }
            select #add-kind name="kind" {
                option value="object" { "object" }
                option value="scene" { "scene" }
                option value="concept" { "concept" }
            }
            button { "Add" }
        }
    }
}

const fn state(state: LabelState) -> &'static str {
    match state {
        LabelState::Proposed => "proposed",
        LabelState::Approved => "approved",
        LabelState::Rejected => "rejected",
        LabelState::Added => "added",
    }
}
