//! Queries of one term whose score rests on the query and the record alone.
//!
//! tantivy's own term query scores by how rare a term is in the whole index. That is left
//! out on purpose: all words of a query must be met, so rarity would not reorder its hits; a
//! score would change whenever a picture is added, which moves pages under a reader; and it
//! would tell one tenant about the words of another.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

use crate::claims;
use crate::level::{LEVELS, Level, claim_score};
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::Bar;

/// Finds documents by one word of a plain query; it scores by its [`Level`].
#[derive(Debug, Clone)]
pub(super) struct AnyQuery {
    pub(super) term: Term,
}

/// Finds documents by one term of text; they score between two bounds.
#[derive(Debug, Clone)]
pub(super) struct TextQuery {
    pub(super) term: Term,
    /// The scores of a word lost in an endless text, and of one that stands alone.
    pub(super) bounds: (Score, Score),
}

/// Finds documents by one term of their labels.
#[derive(Debug, Clone)]
pub(super) struct ClaimQuery {
    pub(super) term: Term,
    /// Only labels of this kind, where one is asked for.
    pub(super) kind: Option<LabelKind>,
    /// How sure a machine's label must be.
    pub(super) least: Least,
}

/// The least confidence of a machine's label by its kind, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    objects: u32,
    scenes: u32,
    concepts: u32,
}

impl Least {
    pub(super) fn of(bar: &Bar) -> Self {
        let [objects, scenes, concepts] = [bar.objects, bar.scenes, bar.concepts]
            .map(|confidence| (confidence * 1000.0).round() as u32);
        Self { objects, scenes, concepts }
    }

    fn of_kind(self, kind: LabelKind) -> u32 {
        match kind {
            LabelKind::Object => self.objects,
            LabelKind::Scene => self.scenes,
            LabelKind::Concept => self.concepts,
        }
    }
}

impl ClaimQuery {
    /// Scores one claim; nothing when it does not count in this query.
    pub(crate) fn score(&self, claim: claims::Weight) -> Option<Score> {
        if self.kind.is_some_and(|kind| kind != claim.kind()) {
            return None;
        }
        let counts = claim.ruled() || claim.thousandths() >= self.least.of_kind(claim.kind());
        counts.then(|| claim_score(claim.relation(), claim.ruled(), claim.thousandths()))
    }
}

impl Query for AnyQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Query for TextQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Query for ClaimQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for AnyQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(postings) = read(reader, &self.term, IndexRecordOption::WithFreqs)? else {
            return Ok(Box::new(EmptyScorer));
        };
        Ok(Box::new(AnyScorer { postings, scores: Level::scores().map(|score| score * boost) }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        explain("the best place of a word", self, reader, doc)
    }
}

impl Weight for TextQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(postings) = read(reader, &self.term, IndexRecordOption::WithFreqs)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let lengths = reader.fieldnorms_readers().get_field(self.term.field())?;
        let (base, span) = (self.bounds.0 * boost, (self.bounds.1 - self.bounds.0) * boost);
        Ok(Box::new(TextScorer { postings, lengths, base, span }))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        explain("a word of a text", self, reader, doc)
    }
}

impl Weight for ClaimQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let option = IndexRecordOption::WithFreqsAndPositions;
        let Some(postings) = read(reader, &self.term, option)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let mut scorer =
            ClaimScorer { query: self.clone(), postings, boost, score: 0.0, weights: Vec::new() };
        scorer.settle();
        Ok(Box::new(scorer))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        explain("the best of the labels", self, reader, doc)
    }
}

fn read(
    reader: &SegmentReader,
    term: &Term,
    option: IndexRecordOption,
) -> tantivy::Result<Option<SegmentPostings>> {
    Ok(reader.inverted_index(term.field())?.read_postings(term, option)?)
}

fn explain(
    what: &'static str,
    weight: &dyn Weight,
    reader: &SegmentReader,
    doc: DocId,
) -> tantivy::Result<Explanation> {
    let mut scorer = weight.scorer(reader, 1.0)?;
    if scorer.doc() > doc || scorer.seek(doc) != doc {
        return Err(TantivyError::InvalidArgument(format!("document {doc} does not match")));
    }
    Ok(Explanation::new(what, scorer.score()))
}

struct AnyScorer {
    postings: SegmentPostings,
    scores: [Score; LEVELS],
}

impl DocSet for AnyScorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.postings.seek(target)
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for AnyScorer {
    fn score(&mut self) -> Score {
        self.scores.get(self.postings.term_freq() as usize).copied().unwrap_or_default()
    }
}

struct TextScorer {
    postings: SegmentPostings,
    lengths: Option<FieldNormReader>,
    base: Score,
    span: Score,
}

impl DocSet for TextScorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.postings.seek(target)
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for TextScorer {
    /// Grows with the repetitions and falls with the length: n / (n + 0.5 + words / 50).
    fn score(&mut self) -> Score {
        let repetitions = self.postings.term_freq() as Score;
        let words = self.lengths.as_ref().map_or(0, |lengths| lengths.fieldnorm(self.doc()));
        self.base + self.span * repetitions / (repetitions + 0.5 + words as Score / 50.0)
    }
}

struct ClaimScorer {
    query: ClaimQuery,
    postings: SegmentPostings,
    boost: Score,
    /// Of the document that it stands on.
    score: Score,
    weights: Vec<u32>,
}

impl ClaimScorer {
    /// Goes on to the next document with a claim that counts, beginning where it stands.
    fn settle(&mut self) -> DocId {
        loop {
            let doc = self.postings.doc();
            if doc == TERMINATED {
                return doc;
            }
            self.postings.positions(&mut self.weights);
            let scores = self.weights.iter().filter_map(|&w| self.query.score(claims::Weight(w)));
            if let Some(best) = scores.reduce(Score::max) {
                self.score = best * self.boost;
                return doc;
            }
            self.postings.advance();
        }
    }
}

impl DocSet for ClaimScorer {
    fn advance(&mut self) -> DocId {
        self.postings.advance();
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if target <= self.postings.doc() {
            return self.postings.doc();
        }
        self.postings.seek(target);
        self.settle()
    }

    fn doc(&self) -> DocId {
        self.postings.doc()
    }

    fn size_hint(&self) -> u32 {
        self.postings.size_hint()
    }
}

impl Scorer for ClaimScorer {
    fn score(&mut self) -> Score {
        self.score
    }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::record::LabelState::{Added, Proposed};
    use tantivy::schema::Field;

    use super::*;
    use crate::claims::Relation::{Broader, Own, Part, Synonym};

    #[test]
    fn a_surer_or_nearer_claim_scores_higher_and_a_ruled_one_highest() {
        let term = Term::from_field_text(Field::from_field_id(0), "dog");
        let query = ClaimQuery { term, kind: None, least: Least::of(&Bar::of_all(0.2)) };
        let score = |relation, state, confidence| {
            query.score(claims::Weight::new(relation, LabelKind::Object, state, confidence))
        };
        let descending = [
            score(Own, Added, 1.0),
            score(Broader(13), Added, 1.0),
            score(Own, Proposed, 1.0),
            score(Synonym, Proposed, 1.0),
            score(Broader(1), Proposed, 1.0),
            score(Own, Proposed, 0.6),
            score(Part, Proposed, 1.0),
        ];
        assert!(descending.windows(2).all(|pair| pair[0] > pair[1]), "{descending:?}");
        assert_eq!(score(Own, Proposed, 0.19), None);
        let scenes = ClaimQuery { kind: Some(LabelKind::Scene), ..query.clone() };
        let object = claims::Weight::new(Own, LabelKind::Object, Proposed, 1.0);
        assert_eq!(scenes.score(object), None);
    }
}
