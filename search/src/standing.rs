//! The standing of a tenant: what they have as a whole, and how one may go on typing.
//!
//! It is the answer to the empty query, so it is exact, and what large segments say of it is
//! kept like any other answer. The whole is kept until the index changes.

use std::sync::Arc;

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use tantivy::Searcher;
use tantivy::query::EnableScoring;

use crate::ask::{Count, Facet, Holdings, LabelCount, Sort, Suggestion};
use crate::collect::Wanted;
use crate::document::{Builder, named_term};
use crate::fields;
use crate::generation::Generation;
use crate::lexicon::Lexicon;
use crate::query::Query;
use crate::query::plan::plan;
use crate::schema::BYTES;
use crate::search::guarded;
use crate::words;

/// What one tenant has.
pub(crate) struct Standing {
    counts: Vec<u32>,
    pub(crate) holdings: Holdings,
}

/// Reads the standing, or takes it as it was since nothing changed.
fn standing(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    searcher: &Searcher,
) -> tantivy::Result<Arc<Standing>> {
    let name = (searcher.generation().generation_id(), tenant.as_str().to_owned());
    generation.standings.get_or_insert_with(&name, || {
        let everything = Query { all: Vec::new(), least: None, notes: Vec::new() };
        let plan = plan(&everything, &[], tenant, generation, searcher, &builder.bar)?;
        let wanted = Wanted {
            sort: Sort::Added,
            limit: 0,
            after: None,
            counts: true,
            name: Some(&format!("{tenant} standing")),
        };
        let found =
            generation.collector.collect(searcher, &generation.sheets, &*plan.asks, &wanted)?;
        let weight = plan.asks.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let mut bytes = 0;
        for segment in searcher.segment_readers() {
            let lengths = segment.fast_fields().u64(BYTES)?;
            weight.for_each_no_score(segment, &mut |docs| {
                let alive = docs.iter().filter(|&&doc| !segment.is_deleted(doc));
                bytes += alive.filter_map(|&doc| lengths.first(doc)).sum::<u64>();
            })?;
        }
        let holdings = Holdings { pictures: found.total, bytes };
        Ok(Arc::new(Standing { counts: found.counts, holdings }))
    })
}

/// Tells how much a tenant has.
pub(crate) fn holdings(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
) -> Result<Holdings, Fault> {
    guarded("cannot count what there is", || {
        let searcher = generation.reader.searcher();
        Ok(standing(generation, builder, tenant, &searcher)?.holdings)
    })
}

/// Lists all values of a facet by name.
pub(crate) fn values(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    facet: Facet,
) -> Result<Vec<Count>, Fault> {
    guarded("cannot list what there is", || {
        let searcher = generation.reader.searcher();
        let standing = standing(generation, builder, tenant, &searcher)?;
        let counted = generation.sheets.values.counted(tenant, facet, &standing.counts);
        let mut values: Vec<Count> = counted
            .into_iter()
            .map(|(value, count)| Count { value: value.name.clone(), count })
            .collect();
        values.sort_unstable_by(|a, b| a.value.cmp(&b.value));
        Ok(values)
    })
}

/// Lists the labels in use whose name begins so, by kind and name, after one.
pub(crate) fn labels(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    kind: Option<LabelKind>,
    prefix: &str,
    after: Option<(LabelKind, &str)>,
    limit: usize,
) -> Result<Vec<LabelCount>, Fault> {
    let kinds = [
        (LabelKind::Object, Facet::Object),
        (LabelKind::Scene, Facet::Scene),
        (LabelKind::Concept, Facet::Concept),
    ];
    let place = |kind: LabelKind| kinds.iter().position(|(k, _)| *k == kind);
    let mut labels = Vec::new();
    for (kind, facet) in kinds.into_iter().filter(|(k, _)| kind.is_none_or(|kind| kind == *k)) {
        let behind =
            |name: &str| after.is_none_or(|(k, after)| (place(kind), name) > (place(k), after));
        let values = values(generation, builder, tenant, facet)?;
        let wanted = values.into_iter().filter(|v| v.value.starts_with(prefix) && behind(&v.value));
        labels.extend(wanted.map(|v| LabelCount { name: v.value, kind, count: v.count }));
        if labels.len() >= limit {
            break;
        }
    }
    labels.truncate(limit);
    Ok(labels)
}

/// Suggests how to go on with what was typed: names of labels and collections one of whose
/// words begins so, then words of texts.
pub(crate) fn suggest(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    typed: &str,
    limit: usize,
) -> Result<Vec<Suggestion>, Fault> {
    let Some((before, opening)) = split(typed) else { return Ok(Vec::new()) };
    guarded("cannot suggest words", || {
        let searcher = generation.reader.searcher();
        let Generation { columns, neighbours, .. } = generation;
        let lexicon = Lexicon { columns, tenant, searcher: &searcher, neighbours };
        if let Some((field, opening)) = opening.split_once(':')
            && let Some(field) = fields::named(field)
        {
            let column = generation.columns.named;
            let opening = words::fold(opening);
            let counted = lexicon.counted(column, &named_term(field.name, ""), &opening, limit)?;
            let of = |(word, count): (String, u64)| Suggestion {
                text: format!("{before}{}:{word}", field.name),
                of: "word",
                count,
            };
            return Ok(counted.into_iter().map(of).collect());
        }
        let whole = words::fold(typed.trim_start());
        let folded = words::fold(opening);
        let standing = standing(generation, builder, tenant, &searcher)?;
        let mut all = Vec::new();
        for facet in [Facet::Object, Facet::Scene, Facet::Concept, Facet::Collection] {
            let values = &generation.sheets.values;
            for (value, count) in values.counted(tenant, facet, &standing.counts) {
                let text = if value.folded.starts_with(&whole) {
                    value.name.clone()
                } else if begins_a_word(&value.folded, &folded) {
                    format!("{before}{}", value.name)
                } else {
                    continue;
                };
                let text = if facet == Facet::Collection && text == value.name {
                    format!("collection:\"{text}\"")
                } else {
                    text
                };
                all.push(Suggestion { text, of: facet.name(), count });
            }
        }
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.text.cmp(&b.text)));
        all.dedup_by(|a, b| a.text == b.text);
        all.truncate(limit);
        let counted = lexicon.counted(generation.columns.any, "", &folded, limit)?;
        for (word, count) in counted {
            let text = format!("{before}{word}");
            if all.len() < limit && !all.iter().any(|known| known.text == text) {
                all.push(Suggestion { text, of: "word", count });
            }
        }
        Ok(all)
    })
}

/// Parts what was typed into what stands and the word that is being typed; nothing when there
/// is no such word, or when it is in a phrase.
fn split(typed: &str) -> Option<(&str, &str)> {
    let at = typed.char_indices().rev().find(|(_, c)| c.is_whitespace() || matches!(c, '(' | '"'));
    let at = at.map_or(0, |(at, c)| at + c.len_utf8());
    let (before, opening) = typed.split_at(at);
    let word = opening.trim_start_matches('-');
    let before = &typed[..before.len() + opening.len() - word.len()];
    let phrase = before.matches('"').count() % 2 == 1;
    (!phrase && word.chars().any(char::is_alphanumeric)).then_some((before, word))
}

fn begins_a_word(name: &str, opening: &str) -> bool {
    !opening.is_empty()
        && name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_is_being_typed_is_the_last() {
        assert_eq!(split("sea tur"), Some(("sea ", "tur")));
        assert_eq!(split("tur"), Some(("", "tur")));
        assert_eq!(split("dog -ca"), Some(("dog -", "ca")));
        assert_eq!(split("(dog OR ca"), Some(("(dog OR ", "ca")));
        assert_eq!(split("creator:my"), Some(("", "creator:my")));
        assert_eq!(split("dog "), None);
        assert_eq!(split("\"old mi"), None, "a phrase is not guessed");
    }

    #[test]
    fn a_name_is_found_by_any_of_its_words() {
        assert!(begins_a_word("sea turtle", "tur") && begins_a_word("sea turtle", "sea"));
        assert!(!begins_a_word("sea turtle", "urt") && !begins_a_word("sea turtle", ""));
    }
}
