//! What people wrote of a picture, as label and value pairs: Dublin Core and IPTC terms.

use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::opinion::{Finding, Verdict};
use glassplate_pipeline::record::{IDENTIFY, Parts, current_opinions};
use serde_json::Value;

use super::terms::{Pair, Texts};

/// The terms shown, in their order: their English name and the fields that they are read from.
const TERMS: [(&str, &[&str]); 19] = [
    ("Title", &["title"]),
    ("Alternative title", &["headline", "alternative"]),
    ("Creator", &["creator", "photographer"]),
    ("Contributor", &["contributor"]),
    ("Date", &["date_taken", "date", "date_created"]),
    ("Description", &["caption", "description"]),
    ("Subject", &["keywords", "subject"]),
    ("People", &["people"]),
    ("Event", &["event"]),
    ("Place", &["sublocation", "city", "state", "country", "coverage"]),
    ("Type", &["type"]),
    ("Source", &["derived_from", "credit_source"]),
    ("Relation", &["relation"]),
    ("Language", &["language"]),
    ("Publisher", &["publisher"]),
    ("Identifier", &["identifier", "job_id"]),
    ("Credit", &["credit"]),
    ("Rights", &["copyright", "usage_terms"]),
    ("Rights holder", &["rights_owner"]),
];

/// Terms whose fields are parts of one value and not ways to say the same.
const COMPOSED: &str = "Place";

/// Fields that may hold the URI of a licence or a rights statement.
const RIGHTS: [&str; 5] = ["rights", "license", "copyright", "usage_terms", "web_statement"];

/// Where rights may be told from (section 3.2, `rights`).
const RIGHTS_URIS: [&str; 3] = [
    "creativecommons.org/licenses/",
    "creativecommons.org/publicdomain/",
    "rightsstatements.org/vocab/",
];

/// The longest label made of a caption, in characters.
const LABEL: usize = 80;

/// All that was written of one asset: beside it first, then in the file.
pub(super) struct Metadata<'a> {
    parts: &'a Parts,
    sources: Vec<&'a Fields>,
}

impl<'a> Metadata<'a> {
    /// Takes what is known of an asset.
    pub(super) fn of(parts: &'a Parts) -> Self {
        let mut sources: Vec<&Fields> =
            parts.occurrences.iter().map(|occurrence| &occurrence.metadata).collect();
        let identified = current_opinions(parts).get(IDENTIFY).map(|opinion| &opinion.verdict);
        if let Some(Verdict::Found(Finding::Identified(found))) = identified {
            sources.push(&found.embedded);
        }
        Self { parts, sources }
    }

    /// The asset in a few words: its title, what is near to one, its file's name.
    pub(super) fn label(&self) -> Texts {
        let named = ["title", "headline", "caption"].into_iter().find_map(|name| self.first(name));
        let file = || {
            let source = &self.parts.occurrences.first()?.source;
            source.rsplit('/').next().map(str::to_owned)
        };
        let text = named.or_else(file).unwrap_or_else(|| self.parts.asset.id.to_string());
        Texts::as_written([shortened(&text)])
    }

    /// The caption, when it is more than the label.
    pub(super) fn summary(&self) -> Option<Texts> {
        let caption = self.first("caption").or_else(|| self.first("description"))?;
        let summary = Texts::as_written([caption]);
        (summary != self.label()).then_some(summary)
    }

    /// Every term that something was written for, the collections at the end.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for (label, names) in TERMS {
            let mut values: Vec<String> = Vec::new();
            for name in names {
                let all = self.fields(name).flat_map(|field| texts(&field.value));
                if values.is_empty() || label == COMPOSED {
                    values.extend(all);
                }
            }
            pairs.extend(pair(label, values));
        }
        let collections = self.parts.occurrences.iter().map(|place| place.collection.clone());
        pairs.extend(pair("Collection", collections.collect()));
        pairs
    }

    /// The URI of a licence or a rights statement, as the specification takes it.
    pub(super) fn rights(&self) -> Option<String> {
        let fields = RIGHTS.into_iter().flat_map(|name| self.fields(name));
        fields.flat_map(|field| texts(&field.value)).find_map(|text| rights_uri(&text))
    }

    /// Whom a picture is to be credited to, where somebody asked for it.
    pub(super) fn credit(&self) -> Option<Pair> {
        let credit = self.first("credit").or_else(|| self.first("copyright"))?;
        pair("Credit", vec![credit])
    }

    fn fields(&self, name: &str) -> impl Iterator<Item = &'a Field> {
        self.sources.iter().filter_map(move |fields| fields.get(name))
    }

    fn first(&self, name: &str) -> Option<String> {
        self.fields(name).flat_map(|field| texts(&field.value)).next()
    }
}

fn pair(label: &str, values: Vec<String>) -> Option<Pair> {
    let mut all: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        if !all.contains(&value) {
            all.push(value);
        }
    }
    let some = !all.is_empty();
    some.then(|| Pair { label: Texts::english(label), value: Texts::as_written(all) })
}

/// The texts of a field's value; objects such as coordinates have none.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return text.to_owned();
    }
    let begun: String = text.chars().take(LABEL).collect();
    let whole = begun.rsplit_once(char::is_whitespace).map_or(begun.as_str(), |(words, _)| words);
    format!("{}\u{2026}", whole.trim_end())
}

/// Reads a whole text as the URI of a licence; both bodies identify theirs under `http`.
fn rights_uri(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let known = RIGHTS_URIS.iter().any(|uri| rest.starts_with(uri));
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte));
    (known && plain).then(|| format!("http://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_uri_of_a_licence_is_a_right() {
        let uri = |text| rights_uri(text);
        let by = "http://creativecommons.org/licenses/by/4.0/";
        assert_eq!(uri("https://creativecommons.org/licenses/by/4.0/").as_deref(), Some(by));
        let open = "http://rightsstatements.org/vocab/NoC-US/1.0/";
        assert_eq!(uri(open).as_deref(), Some(open));
        for text in [
            "public domain",
            "see https://creativecommons.org/licenses/by/4.0/",
            "https://creativecommons.org/licenses/by/4.0/ and more",
            "https://example.org/licence",
            "ftp://creativecommons.org/licenses/by/4.0/",
        ] {
            assert_eq!(uri(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_caption_is_cut_between_words() {
        let text = "A street in the rain, with two men under one umbrella who wait for a tram that will not come";
        let label = shortened(text);
        assert!(
            label.chars().count() <= LABEL + 1 && label.ends_with("tram that\u{2026}"),
            "{label}"
        );
        assert_eq!(shortened("short"), "short");
    }
}
