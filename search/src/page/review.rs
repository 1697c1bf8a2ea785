//! `/review`: one question at a time about a label, with its picture, answered by a key.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelState, Record, RecordLabel};
use glassplate_pipeline::review::title;
use glassplate_pipeline::tenancy::Role;
use maud::{Markup, html};
use serde::Deserialize;

use super::asset::{look_up, why_shown};
use super::facets::thousands;
use super::links;
use super::picture;
use super::rule::{Ruled, write};
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::{Caller, Reviews, Site};

/// So many questions that were answered meanwhile are passed over in one request.
const MOST_SETTLED: usize = 200;

/// Which questions are asked, and where the person is among them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Place {
    /// Only labels of this kind.
    kind: Option<LabelKind>,
    /// Only this collection.
    collection: Option<String>,
    /// Where in the queue they are.
    skip: usize,
    /// How many questions they answered.
    done: u64,
    /// The asset of one certain question, to rule otherwise.
    asset: Option<String>,
    /// The label of that question.
    label: Option<String>,
    /// The label's kind.
    of: Option<LabelKind>,
    /// What was ruled last: the asset, the label, its kind.
    was: Option<String>,
}

/// An answer to the question shown.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    ruling: Ruling,
    asset: String,
    label: String,
    kind: LabelKind,
    /// Where the person is, as [`Place`] writes it.
    place: String,
}

/// A question with all that is shown of it.
struct Asked {
    record: Record,
    label: RecordLabel,
}

/// What is waiting to be answered.
struct Left {
    /// How many labels are open among the records looked at.
    open: u64,
    /// How many records were looked at; absent when those are all.
    looked_at: Option<u64>,
    /// The question shown, and where it stands in the queue.
    asked: Option<Asked>,
    at: usize,
    /// The picture of the next one.
    next: Option<AssetId>,
}

/// Shows a question.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(reviews): Extension<Arc<Reviews>>,
    Visitor(caller): Visitor,
    RawQuery(text): RawQuery,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Editor)?;
    let place = Place::read(text.as_deref().unwrap_or_default());
    let left = left(&site, &reviews, &caller, &place).await?;
    let page = Page {
        title: "Review",
        caller: Some(&caller),
        at: "/review",
        query: "",
        scripts: &["plate.js", "review.js"],
        layout: "asset review",
    };
    Ok(page.with(match &left.asked {
        Some(asked) => question(&site, &place, asked, &left),
        None => nothing_left(&place),
    }))
}

/// Takes an answer, and leads to the next question.
pub(super) async fn answer(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Form(answer): Form<Answer>,
) -> Result<Response, Trouble> {
    let ruled = Ruled { ruling: answer.ruling, label: answer.label, kind: answer.kind };
    let asset = write(&site, &caller, &answer.asset, &ruled).await?;
    let mut place = Place::read(&answer.place);
    place.done += 1;
    place.was = Some(format!("{asset} {} {}", ruled.kind.name(), ruled.label));
    (place.asset, place.label, place.of) = (None, None, None);
    Ok(Redirect::to(&place.address()).into_response())
}

impl Place {
    /// Reads an address's query; what it does not know is passed over.
    fn read(text: &str) -> Self {
        let mut place = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "kind" => place.kind = kind(&value),
                "collection" => place.collection = Some(value.into_owned()),
                "skip" => place.skip = value.parse().unwrap_or_default(),
                "done" => place.done = value.parse().unwrap_or_default(),
                "asset" => place.asset = Some(value.into_owned()),
                "label" => place.label = Some(value.into_owned()),
                "of" => place.of = kind(&value),
                "was" => place.was = Some(value.into_owned()),
                _ => {}
            }
        }
        place
    }

    fn pairs(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        };
        add("kind", self.kind.map(LabelKind::name));
        add("collection", self.collection.as_deref());
        add("skip", (self.skip > 0).then(|| self.skip.to_string()).as_deref());
        add("done", (self.done > 0).then(|| self.done.to_string()).as_deref());
        add("asset", self.asset.as_deref());
        add("label", self.label.as_deref());
        add("of", self.of.map(LabelKind::name));
        add("was", self.was.as_deref());
        pairs.finish()
    }

    fn address(&self) -> String {
        format!("/review?{}", self.pairs())
    }

    /// The question that was answered last, to answer it otherwise.
    fn back(&self) -> Option<Self> {
        let mut parts = self.was.as_deref()?.splitn(3, ' ');
        Some(Self {
            asset: parts.next().map(str::to_owned),
            of: parts.next().and_then(kind),
            label: parts.next().map(str::to_owned),
            was: None,
            ..self.clone()
        })
    }

    /// The next question, this one left open.
    fn next(&self) -> Self {
        let skip = if self.asset.is_some() { self.skip } else { self.skip + 1 };
        Self { skip, asset: None, label: None, of: None, was: None, ..self.clone() }
    }
}

fn kind(name: &str) -> Option<LabelKind> {
    [LabelKind::Object, LabelKind::Scene, LabelKind::Concept]
        .into_iter()
        .find(|kind| kind.name() == name)
}

/// Finds the question to show: a certain one, or the first open one from the place on.
async fn left(
    site: &Site,
    reviews: &Reviews,
    caller: &Caller,
    place: &Place,
) -> Result<Left, Fault> {
    let waiting =
        reviews.waiting(site, &caller.tenant, place.collection.clone(), place.kind).await?;
    let looked_at = (!waiting.complete).then_some(waiting.looked_at);
    let mut left = Left { open: waiting.open, looked_at, asked: None, at: place.skip, next: None };
    if let (Some(asset), Some(label), Some(kind)) = (&place.asset, &place.label, place.of) {
        left.asked = asked(site, caller, asset, label, kind).await?;
    }
    for (at, question) in waiting.questions.iter().enumerate().skip(place.skip).take(MOST_SETTLED) {
        if left.asked.is_some() {
            left.next = Some(question.asset.clone());
            break;
        }
        let asset = question.asset.as_str();
        let found = asked(site, caller, asset, &question.label, question.kind).await?;
        left.asked = found.filter(|asked| asked.label.state == LabelState::Proposed);
        left.at = at;
    }
    Ok(left)
}

async fn asked(
    site: &Site,
    caller: &Caller,
    asset: &str,
    label: &str,
    kind: LabelKind,
) -> Result<Option<Asked>, Fault> {
    let (_, record) = look_up(site, caller, asset).await?;
    let found = record.labels.iter().find(|l| l.kind == kind && l.name == label).cloned();
    Ok(found.map(|label| Asked { record, label }))
}

fn question(site: &Site, place: &Place, asked: &Asked, left: &Left) -> Markup {
    let place = &Place { skip: left.at, ..place.clone() };
    let (record, label) = (&asked.record, &asked.label);
    let name = label.name.replace('_', " ");
    html! {
        (picture::stage(record, &title(record), std::slice::from_ref(&label)))
        div.details {
            p.progress {
                @if place.done > 0 { strong { (place.done) } " answered, " }
                strong { (thousands(left.open)) } " labels were open"
                @if let Some(looked_at) = left.looked_at {
                    " in the " (thousands(looked_at)) " pictures looked at so far"
                }
            }
            section.ask aria-labelledby="question" {
                h1 #question { (sentence(label.kind, &name)) }
                p.quiet { (why_shown(&site.bar, label)) }
                (answers(place, asked))
            }
            @if let Some(back) = place.back() {
                p.note.done role="status" {
                    "Written down: " (back.label.clone().unwrap_or_default().replace('_', " ")) ". "
                    a.back href=(back.address()) { "Change that " kbd { "u" } }
                }
            }
            section {
                h2 { a href=(links::asset(&record.asset)) { (title(record)) } }
                (super::asset::grounds(label))
            }
            (filters(place))
        }
        // Fetched meanwhile, so that the next question is there at once.
        @if let Some(asset) = &left.next {
            link rel="prefetch" as="image" href=(links::rendition(asset, "1024"));
        }
    }
}

/// The question in words.
fn sentence(kind: LabelKind, name: &str) -> String {
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    match kind {
        LabelKind::Object => format!("Is there {article} {name}?"),
        LabelKind::Scene => format!("Is the scene “{name}”?"),
        LabelKind::Concept => format!("Is it about “{name}”?"),
    }
}

fn answers(place: &Place, asked: &Asked) -> Markup {
    html! {
        form.answers method="post" action="/review" {
            input type="hidden" name="asset" value=(asked.record.asset);
            input type="hidden" name="label" value=(asked.label.name);
            input type="hidden" name="kind" value=(asked.label.kind.name());
            input type="hidden" name="place" value=(place.pairs());
            button.yes name="ruling" value="approve" { "Approve " kbd { "a" } }
            button.no name="ruling" value="reject" { "Reject " kbd { "r" } }
            a.next href=(place.next().address()) { "Next " kbd { "n" } }
        }
    }
}

fn filters(place: &Place) -> Markup {
    let kinds = [
        (None, "all"),
        (Some(LabelKind::Object), "objects"),
        (Some(LabelKind::Scene), "scenes"),
        (Some(LabelKind::Concept), "concepts"),
    ];
    html! {
        nav.filters aria-label="Which questions" {
            @for (kind, words) in kinds {
                @let to = Place { kind, collection: place.collection.clone(), ..Place::default() };
                a href=(to.address()) aria-current=[(kind == place.kind).then_some("true")] { (words) }
            }
        }
    }
}

fn nothing_left(place: &Place) -> Markup {
    html! {
        div.details {
            h1 { "Nothing is left to ask" }
            p {
                @if place.skip > 0 {
                    a href=(Place { skip: 0, was: None, ..place.clone() }.address()) { "Back to those passed over" }
                } @else {
                    "Every label is settled, or far enough from the bar."
                }
            }
            (filters(place))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_can_be_given_otherwise_whatever_the_label_is_called() {
        let place = Place {
            collection: Some("A & B".to_owned()),
            skip: 3,
            was: Some("abc object sea turtle".to_owned()),
            ..Place::default()
        };
        let back = place.back().expect("a way back");
        assert_eq!(back.asset.as_deref(), Some("abc"));
        assert_eq!((back.label.as_deref(), back.of), (Some("sea turtle"), Some(LabelKind::Object)));
        assert_eq!((back.skip, back.next().skip), (3, 3), "what is asked again is not passed over");
        assert_eq!(place.next().skip, 4);
    }

    #[test]
    fn a_place_reads_back() {
        let place = Place {
            kind: Some(LabelKind::Scene),
            collection: Some("A & B=?".to_owned()),
            skip: 2,
            done: 7,
            asset: Some("abc".to_owned()),
            label: Some("sea turtle".to_owned()),
            of: Some(LabelKind::Concept),
            was: Some("abc object boat".to_owned()),
        };
        assert_eq!(Place::read(&place.pairs()), place);
    }
}
