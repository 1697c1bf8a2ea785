//! Deciding: what a person says of labels becomes decisions for the ledger.

use jiff::Timestamp;

use crate::decision::{Decision, Ruling};
use crate::fault::Fault;
use crate::label::LabelKind;
use crate::ports::{Lexicon, Word};
use crate::record::Record;

/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 80;

/// What a person says of labels of one asset.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// The ruling, the same on all of them.
    pub ruling: Ruling,
    /// The labels, by name or synonym.
    pub labels: &'a [String],
    /// What they are, where a name may be several things or no vocabulary knows it.
    pub kind: Option<LabelKind>,
    /// Who says it, see [`person`].
    pub who: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Makes a decision of each label spoken of, each once; nothing is written.
///
/// # Errors
/// `BadInput` that says what to tell instead when a word means nothing, or several things.
pub fn decide(
    lexicon: &dyn Lexicon,
    record: &Record,
    said: &Said<'_>,
) -> Result<Vec<Decision>, Fault> {
    let mut meant: Vec<Word> = Vec::new();
    for text in said.labels {
        let word = match said.ruling {
            Ruling::Add => lexicon.settle(text, said.kind)?,
            Ruling::Approve | Ruling::Reject => carried(lexicon, record, text, said.kind)?,
        };
        if !meant.contains(&word) {
            meant.push(word);
        }
    }
    let decision = |Word { name: label, kind, wordnet, parents }| Decision {
        asset: record.asset.clone(),
        label,
        kind,
        wordnet,
        parents,
        ruling: said.ruling,
        who: said.who.to_owned(),
        at: said.at,
    };
    Ok(meant.into_iter().map(decision).collect())
}

/// The label of the record that a person speaks of, with what the vocabulary knows of it.
fn carried(
    lexicon: &dyn Lexicon,
    record: &Record,
    text: &str,
    kind: Option<LabelKind>,
) -> Result<Word, Fault> {
    let label = lexicon.among(&record.labels, text, kind)?;
    let known = || lexicon.find(&label.name).into_iter().find(|word| word.kind == label.kind);
    let parents = match label.parents.is_empty() {
        false => label.parents.clone(),
        true => known().map(|word| word.parents).unwrap_or_default(),
    };
    let (name, wordnet) = (label.name.clone(), label.wordnet.clone());
    Ok(Word { name, kind: label.kind, wordnet, parents })
}

/// Checks the name of whoever decides, and frees it of spaces around it.
///
/// # Errors
/// `BadInput` when it is empty, longer than 80 characters or not on one line.
pub fn person(name: &str) -> Result<&str, Fault> {
    let name = name.trim();
    if name.is_empty() || name.chars().any(char::is_control) || name.chars().count() > LONGEST_NAME
    {
        return Err(Fault::bad_input(format!(
            "{name:?} is no name of a person: 1 to {LONGEST_NAME} characters on one line"
        )));
    }
    Ok(name)
}
