//! Likeness: which pictures lie nearest to one, among a million, in a few milliseconds.
//!
//! The first values of an embedding tell the most (`pipeline/src/embedding.rs`). So the first 32
//! of each are kept in memory and looked at one after the other; of the best of those the whole
//! embeddings are fetched from wherever they lie, and compared exactly. That beats 256 bits of
//! signs, which take the same memory: it finds more of the nearest, and needs no instruction that
//! only some processors have.

use std::cmp::Reverse;

use glassplate_pipeline::embedding::{DIMENSIONS, cosine};

/// How many values of each embedding are kept in memory, a byte each.
const HEAD: usize = 32;
/// What a head's values are multiplied by once the embedding's length is 1; what is beyond a byte
/// is cut, which is rare: one value would have to be most of the length.
const SCALE: f32 = 181.0;
/// How many are compared exactly at least, and for each one asked for: `bench-like` tells what
/// share of the truly nearest is found with it.
const COMPARED: usize = 5_000;
/// See [`COMPARED`].
const COMPARED_EACH: usize = 50;

/// No head has this value.
const ABSENT: i8 = i8::MIN;

/// The embeddings of one space in one segment of the index, in the order of its documents.
#[derive(Debug, Default)]
pub struct Neighbours {
    heads: Vec<[i8; HEAD]>,
}

impl Neighbours {
    /// Takes the heads of every document's embedding; nothing for a document that has none, or
    /// one of another space.
    pub fn build(embeddings: impl Iterator<Item = Option<[i8; DIMENSIONS]>>) -> Self {
        let absent = [ABSENT; HEAD];
        let mut heads: Vec<_> =
            embeddings.map(|embedding| embedding.map_or(absent, |it| head(&it))).collect();
        heads.shrink_to_fit();
        Self { heads }
    }

    /// How many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.heads.capacity() * HEAD
    }

    /// Returns up to `most` documents that `keep` lets pass, with the cosine of each to the
    /// query, the nearest first, equals by number.
    ///
    /// `keep` is asked of few documents unless it lets few pass; `whole` fetches the embedding of
    /// each that is compared exactly. Where there are no more than those, nothing is missed.
    pub fn nearest(
        &self,
        query: &[i8; DIMENSIONS],
        most: usize,
        keep: impl Fn(u32) -> bool,
        whole: impl Fn(u32) -> Option<[i8; DIMENSIONS]>,
    ) -> Vec<(u32, f32)> {
        let compared = COMPARED.max(most.saturating_mul(COMPARED_EACH));
        let mut near: Vec<(u32, f32)> = self
            .nearest_heads(query, compared, keep)
            .into_iter()
            .filter_map(|document| Some((document, cosine(query, &whole(document)?))))
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(most);
        near
    }

    fn nearest_heads(
        &self,
        query: &[i8; DIMENSIONS],
        most: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        // Wider numbers on one side are multiplied without a detour on every processor.
        let query = head(query).map(i16::from);
        let mut best: Vec<(Reverse<i32>, u32)> = Vec::with_capacity(2 * most.min(self.heads.len()));
        let mut least = i32::MIN;
        for (document, head) in (0..).zip(&self.heads) {
            let product = product(&query, head);
            if product > least && head[0] != ABSENT && keep(document) {
                best.push((Reverse(product), document));
                if best.len() == 2 * most {
                    let (_, last, _) = best.select_nth_unstable(most - 1);
                    least = last.0.0;
                    best.truncate(most);
                }
            }
        }
        best.sort_unstable();
        best.truncate(most);
        best.into_iter().map(|(_, document)| document).collect()
    }
}

/// The first values of an embedding brought to one length.
fn head(embedding: &[i8; DIMENSIONS]) -> [i8; HEAD] {
    let squares = embedding.iter().map(|value| i32::from(*value).pow(2)).sum::<i32>();
    let scale = SCALE / (squares.max(1) as f32).sqrt();
    std::array::from_fn(|at| (f32::from(embedding[at]) * scale).round().clamp(-127.0, 127.0) as i8)
}

fn product(query: &[i16; HEAD], head: &[i8; HEAD]) -> i32 {
    query.iter().zip(head).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Embeddings whose later values are smaller, as those of principal components are.
    fn embeddings(count: u32, seed: u32) -> Vec<Option<[i8; DIMENSIONS]>> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 24) as u8 as i8
        };
        (0..count)
            .map(|n| {
                let values = std::array::from_fn(|at| next() / (1 + at / 16) as i8);
                (n % 7 != 3).then_some(values)
            })
            .collect()
    }

    /// What looking at every whole embedding gives.
    fn exactly(
        all: &[Option<[i8; DIMENSIONS]>],
        query: &[i8; DIMENSIONS],
        most: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Vec<(u32, f32)> {
        let mut near: Vec<(u32, f32)> = (0..)
            .zip(all)
            .filter(|(document, _)| keep(*document))
            .filter_map(|(document, it)| Some((document, cosine(query, &(*it)?))))
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(most);
        near
    }

    proptest! {
        #[test]
        fn of_a_few_thousand_the_very_nearest_are_found(
            count in 1_u32..2_000, seed in any::<u32>(), most in 0_usize..40, apart in 1_u32..5,
        ) {
            let all = embeddings(count, seed);
            let neighbours = Neighbours::build(all.iter().copied());
            let query = all[0].expect("the first has one");
            let keep = |document: u32| document.is_multiple_of(apart) && document != 0;
            let found =
                neighbours.nearest(&query, most, keep, |document| all[document as usize]);
            prop_assert_eq!(found, exactly(&all, &query, most, keep));
        }
    }

    #[test]
    fn of_many_most_of_the_nearest_are_found_in_little_memory() {
        let all = embeddings(50_000, 7);
        let neighbours = Neighbours::build(all.iter().copied());
        assert!(neighbours.bytes() <= 33 * all.len(), "{}", neighbours.bytes());
        let mut met = 0;
        for query in all.iter().flatten().step_by(4_000) {
            let near = exactly(&all, query, 20, |_| true);
            let found = neighbours.nearest(query, 20, |_| true, |document| all[document as usize]);
            assert_eq!(found[0], near[0], "a picture is nearest to itself");
            met += near.iter().filter(|it| found.contains(it)).count();
        }
        assert!(met >= 200, "{met} of 220");
    }

    #[test]
    fn documents_without_an_embedding_or_whose_embedding_is_gone_are_left_out() {
        let one = [1; DIMENSIONS];
        let neighbours = Neighbours::build([None, Some(one), Some(one), None].into_iter());
        let minus = [-1; DIMENSIONS];
        let found =
            neighbours.nearest(&minus, 9, |_| true, |document| (document == 2).then_some(one));
        assert_eq!(found, [(2, -1.0)]);
        assert_eq!(Neighbours::default().nearest(&one, 9, |_| true, |_| None), []);
    }
}
