//! `/review`: one question at a time about a label, with its picture, answered by a key.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::Serializer;
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Record, RecordLabel, fold};
use glassplate_pipeline::review::{Queue, title};
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
use crate::http::{Caller, Site};

/// Which questions are asked, and where the person is among them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// Only labels of this kind.
    kind: Option<LabelKind>,
    /// Only this collection.
    collection: Option<String>,
    /// How many questions were passed over.
    skip: usize,
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
struct Waiting {
    open: u64,
    questions: Vec<(String, String, LabelKind)>,
}

/// Shows a question.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Query(place): Query<Place>,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Editor)?;
    let waiting = waiting(&site, &caller, &place).await?;
    let certain = match (&place.asset, &place.label, place.of) {
        (Some(asset), Some(label), Some(kind)) => Some((asset.clone(), label.clone(), kind)),
        _ => None,
    };
    let mut left =
        certain.clone().into_iter().chain(waiting.questions.iter().skip(place.skip).cloned());
    let asked = match left.next() {
        Some(question) => asked(&site, &caller, &question).await?,
        None => None,
    };
    let next = left.next();
    let page = Page {
        title: "Review",
        caller: Some(&caller),
        at: "/review",
        query: "",
        scripts: &["plate.js", "review.js"],
        layout: "asset review",
    };
    Ok(page.with(match asked {
        Some(asked) => question(&site, &place, &asked, waiting.open, next.as_ref()),
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
    place.was = Some(format!("{asset} {} {}", ruled.kind.name(), ruled.label));
    (place.asset, place.label, place.of) = (None, None, None);
    Ok(Redirect::to(&place.address()).into_response())
}

impl Place {
    fn read(text: &str) -> Self {
        let mut place = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "kind" => place.kind = kind(&value),
                "collection" => place.collection = Some(value.into_owned()),
                "skip" => place.skip = value.parse().unwrap_or_default(),
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

/// Finds what is waiting.
async fn waiting(site: &Site, caller: &Caller, place: &Place) -> Result<Waiting, Fault> {
    let mut queue = Queue::new(site.bar, place.kind, 500);
    let collection = place.collection.as_deref();
    let assets = site.catalogue.assets(&caller.tenant, collection, None, 1_000).await?;
    for parts in site.catalogue.parts_of_many(&caller.tenant, &assets).await? {
        queue.add(&fold(&parts, &*site.interpreter));
    }
    let (open, questions) = queue.finish();
    let questions = questions.into_iter().map(|q| (q.asset.to_string(), q.label, q.kind)).collect();
    Ok(Waiting { open, questions })
}

async fn asked(
    site: &Site,
    caller: &Caller,
    (asset, label, kind): &(String, String, LabelKind),
) -> Result<Option<Asked>, Fault> {
    let (_, record) = look_up(site, caller, asset).await?;
    let found = record.labels.iter().find(|l| l.kind == *kind && l.name == *label).cloned();
    Ok(found.map(|label| Asked { record, label }))
}

fn question(
    site: &Site,
    place: &Place,
    asked: &Asked,
    open: u64,
    next: Option<&(String, String, LabelKind)>,
) -> Markup {
    let (record, label) = (&asked.record, &asked.label);
    let name = label.name.replace('_', " ");
    html! {
        (picture::stage(record, &title(record), std::slice::from_ref(&label)))
        div.details {
            p.progress {
                strong { (thousands(open)) } " labels are open"
                @if place.skip > 0 { ", " (place.skip) " passed over" }
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
        @if let Some((asset, _, _)) = next {
            @if let Ok(asset) = asset.parse() {
                link rel="prefetch" as="image" href=(links::rendition(&asset, "1024"));
            }
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
            ..Place::default()
        };
        assert_eq!(Place::read(&place.pairs()), place);
    }
}
