//! Queries of one term whose score rests on the query and the record alone.
//!
//! tantivy's own term query scores by how rare a term is in the whole index. That is left
//! out on purpose: all words of a query must be met, so rarity would not reorder its hits; a
//! score would change whenever a picture is added, which moves pages under a reader; and it
//! would tell one tenant about the words of another.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, Postings as _, SegmentPostings};
use tantivy::query::{
    BooleanQuery, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
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

/// Finds documents by the words of a plain query, each of which they must have: what desks ask
/// most. Blocks of 128 documents are read, which takes a sixth off the slowest pairs of words.
#[derive(Debug, Clone)]
pub(super) struct EveryQuery {
    pub(super) words: Vec<AnyQuery>,
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

impl Query for EveryQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let word = |word: &AnyQuery| -> Box<dyn Query> { Box::new(word.clone()) };
        let one_by_one = BooleanQuery::intersection(self.words.iter().map(word).collect());
        let one_by_one = one_by_one.weight(scoring)?;
        Ok(Box::new(EveryWeight { words: self.words.clone(), one_by_one }))
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

/// Reads blocks where all that matches is asked for, and documents where some are.
struct EveryWeight {
    words: Vec<AnyQuery>,
    one_by_one: Box<dyn Weight>,
}

impl Weight for EveryWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        self.one_by_one.scorer(reader, boost)
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.one_by_one.explain(reader, doc)
    }

    fn for_each(
        &self,
        reader: &SegmentReader,
        found: &mut dyn FnMut(DocId, Score),
    ) -> tantivy::Result<()> {
        let mut lists = Vec::with_capacity(self.words.len());
        for AnyQuery { term } in &self.words {
            let inverted = reader.inverted_index(term.field())?;
            let option = IndexRecordOption::WithFreqs;
            let Some(blocks) = inverted.read_block_postings(term, option)? else { return Ok(()) };
            lists.push(List { blocks, at: 0 });
        }
        lists.sort_by_key(|list| list.blocks.doc_freq());
        let Some((rarest, others)) = lists.split_first_mut() else { return Ok(()) };
        let scores = Level::scores().map(f64::from);
        // Summed in double width, where no order of the words makes a difference.
        let mut block: Vec<(DocId, f64)> = Vec::new();
        while !rarest.blocks.docs().is_empty() {
            let (docs, levels) = (rarest.blocks.docs(), rarest.blocks.freqs());
            let score = |level: &u32| scores.get(*level as usize).copied().unwrap_or_default();
            block.clear();
            block.extend(docs.iter().copied().zip(levels.iter().map(score)));
            for list in &mut *others {
                block.retain_mut(|(doc, sum)| {
                    let level = list.find(*doc);
                    level.inspect(|level| *sum += score(level)).is_some()
                });
            }
            block.iter().for_each(|&(doc, sum)| found(doc, sum as Score));
            rarest.blocks.advance();
        }
        Ok(())
    }
}

/// How many documents are stepped over before it is quicker to search.
const STEPS: usize = 8;

/// The documents that have one word, read by blocks.
struct List {
    blocks: BlockSegmentPostings,
    /// Where in the block it stands.
    at: usize,
}

impl List {
    /// Goes on to a document and tells at what level it has the word, if it has.
    fn find(&mut self, doc: DocId) -> Option<u32> {
        let near = self.blocks.docs().get(self.at..).unwrap_or_default();
        match near.iter().take(STEPS).position(|&there| there >= doc) {
            Some(steps) => self.at += steps,
            None => self.at = self.blocks.seek(doc),
        }
        (self.blocks.docs().get(self.at) == Some(&doc)).then(|| self.blocks.freq(self.at))
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

    #[test]
    fn several_words_by_blocks_are_those_one_by_one_with_the_same_scores() {
        let mut schema = tantivy::schema::Schema::builder();
        let indexing = tantivy::schema::TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_index_option(IndexRecordOption::WithFreqs);
        let options = tantivy::schema::TextOptions::default().set_indexing_options(indexing);
        let field = schema.add_text_field("any", options);
        let index = tantivy::Index::create_in_ram(schema.build());
        let mut writer = index.writer_with_num_threads(1, 20_000_000).expect("a writer");
        // Words of every 2nd, 3rd, 45th, 700th document, at levels that change, and one in the last.
        let steps = [2, 3, 45, 700];
        for doc in 0..5_000_u32 {
            let words = steps.iter().filter(|&&step| doc % step == step - 1).flat_map(|step| {
                std::iter::repeat_n(format!("w{step} "), 1 + (doc / 7 + step) as usize % 4)
            });
            let last = if doc == 4_999 { "last" } else { "" };
            let text: String = words.chain([last.to_owned()]).collect();
            let mut document = tantivy::TantivyDocument::new();
            document.add_text(field, text);
            writer.add_document(document).expect("a document");
        }
        writer.commit().expect("a commit");
        let searcher = index.reader().expect("a reader").searcher();
        let scoring = || EnableScoring::enabled_from_searcher(&searcher);
        let all = ["w2", "w3", "w45", "w700", "last", "none"];
        for chosen in 1_u32..64 {
            let words = all.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
            let word =
                |(_, word): (usize, &&str)| AnyQuery { term: Term::from_field_text(field, word) };
            let query = EveryQuery { words: words.map(word).collect() };
            let weight = query.weight(scoring()).expect("a weight");
            for segment in searcher.segment_readers() {
                let mut blocks = Vec::new();
                weight
                    .for_each(segment, &mut |doc, score| blocks.push((doc, score)))
                    .expect("read");
                let mut scorer = weight.scorer(segment, 1.0).expect("a scorer");
                let mut single = Vec::new();
                while scorer.doc() != TERMINATED {
                    single.push((scorer.doc(), scorer.score()));
                    scorer.advance();
                }
                let docs =
                    |list: &[(DocId, Score)]| list.iter().map(|hit| hit.0).collect::<Vec<_>>();
                assert_eq!(docs(&blocks), docs(&single), "{chosen:b}");
                let apart = blocks.iter().zip(&single).map(|(a, b)| (a.1 - b.1).abs());
                assert!(apart.fold(0.0, f32::max) < 1e-4, "{chosen:b}");
            }
        }
    }
}
