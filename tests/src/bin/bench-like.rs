//! Measures likeness at 1,000,000 pictures: `cargo run --release -p glassplate-tests --bin bench-like [PICTURES]`.
//!
//! Embeddings come in clusters, as those of photographs do, and their values tell less and less,
//! as those of a real projection do. Everything is derived from one seed. What is found is
//! compared with what a look at every whole embedding finds.

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::time::{Duration, Instant};

use glassplate_pipeline::embedding::{DIMENSIONS, Embedding, Space, cosine};
use glassplate_search::Neighbours;
use glassplate_tests::measure::{Outcome, cpu, describe_machine};
use nix::sys::resource::UsageWho;

/// How many pictures a page asks for.
const MOST: usize = 24;
/// Queries that are timed; so many of them are compared with the truth.
const ROUNDS: usize = 200;
/// See [`ROUNDS`].
const JUDGED: usize = 20;
/// Pictures of one cluster, in the mean.
const CLUSTER: usize = 100;

fn main() -> Outcome<()> {
    let pictures: usize = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    describe_machine();
    let embeddings = embeddings(pictures);
    let begun = Instant::now();
    let neighbours = Neighbours::build(embeddings.iter().map(|it| Some(*it)));
    println!(
        "built      {pictures} in {:.0} ms, {:.1} MB",
        begun.elapsed().as_secs_f64() * 1e3,
        neighbours.bytes() as f64 / 1e6
    );
    let nearest = |at: usize| {
        let whole = |document: u32| embeddings.get(document as usize).copied();
        neighbours.nearest(&embeddings[at], MOST, |document| document as usize != at, whole)
    };
    let step = (pictures / ROUNDS).max(1);
    let mut times: Vec<Duration> = Vec::new();
    let before = cpu(UsageWho::RUSAGE_SELF)?;
    for at in (0..pictures).step_by(step) {
        let begun = Instant::now();
        nearest(at);
        times.push(begun.elapsed());
    }
    let spent = (cpu(UsageWho::RUSAGE_SELF)? - before).as_secs_f64() * 1e3 / times.len() as f64;
    times.sort();
    let ms = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "best {MOST}    {spent:.2} ms of processor time a query; wall p50 {:.2} ms, p99 {:.2} ms",
        ms(0.5),
        ms(0.99)
    );
    let (mut met, mut all) = (0, 0);
    for at in (0..pictures).step_by((pictures / JUDGED).max(1)) {
        let mut truly: Vec<(usize, f32)> = (0..pictures)
            .filter(|other| *other != at)
            .map(|other| (other, cosine(&embeddings[at], &embeddings[other])))
            .collect();
        truly.sort_by(|a, b| b.1.total_cmp(&a.1));
        // Of equals it does not matter which is found.
        let least = truly[..MOST.min(truly.len())].last().map_or(1.0, |last| last.1);
        met += nearest(at).iter().filter(|found| found.1 >= least).count();
        all += MOST.min(truly.len());
    }
    println!("recall     {met} of the {all} truly nearest");
    Ok(())
}

/// Clustered embeddings whose values' deviation falls as in the projection that is built in.
fn embeddings(pictures: usize) -> Vec<[i8; DIMENSIONS]> {
    let mut random = Random(88_172_645_463_325_252);
    let space = Space::named("synthetic");
    let deviation = |at: usize| 1.0 / (1.0 + at as f32).powf(0.29);
    let centres: Vec<[f32; DIMENSIONS]> = (0..pictures.div_ceil(CLUSTER))
        .map(|_| std::array::from_fn(|at| random.normal() * deviation(at)))
        .collect();
    let mut made = Vec::with_capacity(pictures);
    while made.len() < pictures {
        let centre = centres[random.below(centres.len())];
        let place = centre.map(|value| value * 0.8);
        let direction = std::array::from_fn(|at| place[at] + 0.6 * random.normal() * deviation(at));
        made.extend(Embedding::of(&space, &direction).map(|it| it.values));
    }
    made
}

/// A xorshift generator: enough for made-up pictures.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Nearly normal: the sum of twelve even shares (Irwin and Hall).
    fn normal(&mut self) -> f32 {
        let share = |bits: u64| (bits & 0xffff) as f32 / 65_536.0;
        let sum: f32 = (0..3)
            .map(|_| {
                let bits = self.next();
                (0..4).map(|at| share(bits >> (16 * at))).sum::<f32>()
            })
            .sum();
        sum - 6.0
    }
}
