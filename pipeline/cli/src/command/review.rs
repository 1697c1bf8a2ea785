//! `glassplate review`: the labels that a person should look at, and what to type next.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::fold;
use glassplate_pipeline::review::{Question, Queue};
use serde_json::{Value, json};

use super::labels::rests_on;
use crate::arguments::Review;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

/// How many records are read at a time.
const PAGE: usize = 500;

pub(crate) async fn run(desk: &Desk, arguments: &Review) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let interpreter = desk.interpreter()?;
    let collection = arguments.collection.as_deref();
    let kind = arguments.kind.map(LabelKind::from);
    let mut queue = Queue::new(desk.settings.labels, kind, arguments.limit);
    let mut after: Option<AssetId> = None;
    loop {
        let page = catalogue.assets(&desk.tenant, collection, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for parts in catalogue.parts_of_many(&desk.tenant, &page).await? {
            queue.add(&fold(&parts, &*interpreter));
        }
    }
    if let (Some(name), None) = (collection, after) {
        return Err(Fault::not_found(format!("there is no collection {name:?}")));
    }
    let (open, questions) = queue.finish();
    if desk.json {
        let told: Vec<Value> = questions.iter().map(question_json).collect();
        output::json(&json!({ "open": open, "questions": told }));
        return Ok(Exit::Done);
    }
    questions.iter().for_each(print);
    say(match (open, questions.len() as u64) {
        (0, _) => "nothing is open: every label is settled or far from the bar".to_owned(),
        (open, shown) if open == shown => format!("{open} labels are open"),
        (open, shown) => {
            format!(
                "{open} labels are open, the {shown} that teach most are listed; --limit lists more"
            )
        }
    });
    Ok(Exit::Done)
}

fn print(question: &Question) {
    let Question { asset, title, source, label, kind, confidence, by, .. } = question;
    data(format!("{asset}  {}", plain(title)));
    data(format!("    {}", plain(source)));
    data(format!(
        "    {} ({}) {confidence:.2}, {}: {}",
        plain(label),
        kind.name(),
        plain(&by.model),
        plain(&why(question)),
    ));
    if !question.evidence.is_empty() {
        data(format!("    {}", rests_on(&question.evidence)));
    }
    let [approve, reject] = commands(question);
    data(format!("    {approve}\n    {reject}"));
}

/// Why a label is in the queue.
fn why(question: &Question) -> String {
    if !question.doubts.is_empty() {
        let reasons: Vec<&str> =
            question.doubts.iter().map(|doubt| doubt.reason.as_str()).collect();
        return format!("in doubt, {}", reasons.join("; "));
    }
    let mut why = format!("uncertain, near the bar of {:.2}", question.bar);
    if question.others > 0 {
        let pictures = if question.others == 1 { "picture" } else { "pictures" };
        why.push_str(&format!(", as in {} other {pictures}", question.others));
    }
    if question.resting > 0 {
        let rest = if question.resting == 1 { "label rests" } else { "labels rest" };
        why.push_str(&format!("; {} {rest} on it", question.resting));
    }
    why
}

/// What to type for either answer.
fn commands(question: &Question) -> [String; 2] {
    let label = quoted(&question.label);
    ["approve", "reject"].map(|ruling| {
        format!("glassplate {ruling} {} {label} --kind {}", question.asset, question.kind.name())
    })
}

/// Writes a word so that a shell takes it as one.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", plain(word).replace('\'', r"'\''"))
}

fn question_json(question: &Question) -> Value {
    let mut value = json!(question);
    value["why"] = json!(why(question));
    value["next"] = json!(commands(question));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_quoted_where_a_shell_would_take_it_apart() {
        let said = ["boat", "sea turtle", "baker's", "$(x)", "café"].map(quoted);
        assert_eq!(said, ["boat", "'sea turtle'", r"'baker'\''s'", "'$(x)'", "café"]);
    }
}
