//! A batch of very many pictures, played through on paper: how long, how dear, what breaks first.
//!
//! Time goes in steps of a minute. In each, workers are killed by chance, what AWS and the ledger
//! let through at that moment is shared among those at work, and shards go from the queue to whoever is free.
//! Nothing reads a clock: the same seed gives the same answer. What is measured and what is only
//! published or assumed says [`figures`].

pub mod figures;
mod limits;
mod price;
mod random;

use std::collections::{BTreeMap, VecDeque};

use self::figures::Figures;
use self::limits::Throughput;
pub use self::price::Costs;
use self::random::Random;

/// Seconds of a step.
const STEP: f64 = 60.0;

/// What is played through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How many pictures, all new.
    pub pictures: u64,
    /// How many to a shard.
    pub shard: u32,
    /// How many workers.
    pub workers: u32,
    /// The share of pictures that Rekognition is asked about, 0 to 1.
    pub rekognition: f64,
    /// What chance begins with.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// Shards handed out, those again included.
    pub shards: u64,
    /// Seconds until the last shard was done.
    pub seconds: f64,
    /// Seconds until the books were made.
    pub reconciled: f64,
    /// Seconds until one server's index has everything.
    pub searchable: f64,
    /// Workers killed in the middle of a shard.
    pub kills: u64,
    /// Pictures that were gone through again after a kill, and found done.
    pub repeated: u64,
    /// Pictures a second at the best minute.
    pub peak: f64,
    /// The hottest partition of the ledger: its name, and its write units a second at the best minute.
    pub hottest: (&'static str, f64),
    /// What held the work back: the first second, and for how many.
    pub bound: BTreeMap<&'static str, (f64, f64)>,
    /// What it costs.
    pub costs: Costs,
}

impl Played {
    /// What held the work back first.
    pub fn first_bound(&self) -> Option<&'static str> {
        let first = self.bound.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        first.map(|(name, _)| *name)
    }
}

/// A shard in hand: how much work is left, and how many pictures are behind it.
#[derive(Debug, Clone, Copy)]
struct Shard {
    /// In pictures of the mean size.
    work: f64,
    done: f64,
}

/// One worker.
#[derive(Debug, Clone, Copy, Default)]
struct Worker {
    shard: Option<Shard>,
    /// The second from which it is there again.
    back: f64,
}

/// Plays a plan through.
pub fn play(plan: &Plan, figures: &Figures) -> Played {
    let mut random = Random::new(plan.seed);
    let mut fresh = plan.pictures.div_ceil(u64::from(plan.shard));
    let mut shards = fresh;
    // What a killed worker had, with the second at which it is seen again.
    let mut hidden: VecDeque<(f64, Shard)> = VecDeque::new();
    let mut workers = vec![Worker::default(); plan.workers as usize];
    let mut throughput = Throughput::new(plan, figures);
    let skew = limits::skew(|pieces| random.below(pieces));
    let (mut now, mut kills, mut repeated, mut peak) = (0.0, 0, 0.0, 0.0_f64);
    let mut bound: BTreeMap<&'static str, (f64, f64)> = BTreeMap::new();
    let kill = 1.0 - (-figures.kills_an_hour * STEP / 3600.0).exp();
    loop {
        for worker in &mut workers {
            if worker.shard.is_some() && random.chance() < kill {
                let lost = worker.shard.take().expect("it has one");
                kills += 1;
                repeated += lost.done;
                let again = lost.done * figures.repeat_share;
                hidden.push_back((
                    now + figures.visibility_seconds,
                    Shard { work: lost.work + again, done: 0.0 },
                ));
                worker.back = now + figures.start_seconds;
            }
        }
        let there = workers.iter().filter(|worker| worker.back <= now).count();
        let waiting = hidden.len() as u64 + fresh;
        let busy = workers.iter().filter(|worker| worker.shard.is_some()).count();
        if busy == 0 && waiting == 0 {
            break;
        }
        let wanted = figures.pictures_a_second * (there as f64).min(busy as f64 + waiting as f64);
        let (let_through, held_by) = throughput.at(now, wanted);
        if let Some(name) = held_by {
            bound.entry(name).or_insert((now, 0.0)).1 += STEP;
        }
        let mut done = 0.0;
        let each = if wanted > 0.0 {
            figures.pictures_a_second * (let_through / wanted) * STEP
        } else {
            0.0
        };
        for worker in workers.iter_mut().filter(|worker| worker.back <= now) {
            let mut left = each;
            while left > 0.0 {
                let Some(shard) = &mut worker.shard else {
                    let seen = hidden.front().is_some_and(|(from, _)| *from <= now);
                    worker.shard = match (seen, fresh) {
                        (true, _) => {
                            shards += 1;
                            hidden.pop_front().map(|(_, shard)| shard)
                        }
                        (false, 0) => break,
                        (false, _) => {
                            fresh -= 1;
                            Some(Shard {
                                work: f64::from(plan.shard) * random.size(figures.size_skew),
                                done: 0.0,
                            })
                        }
                    };
                    continue;
                };
                let step = left.min(shard.work);
                shard.work -= step;
                shard.done += step;
                left -= step;
                done += step;
                if shard.work <= f64::EPSILON {
                    worker.shard = None;
                }
            }
        }
        let rate = done / STEP;
        throughput.used(rate);
        peak = peak.max(rate);
        now += STEP;
    }
    let pictures = plan.pictures as f64;
    let reconciled = now + pictures / figures.reconciled_a_second;
    // The index follows from the first minute on, with one writer.
    let searchable = reconciled.max(pictures / figures.indexed_a_second);
    if pictures / figures.indexed_a_second > now {
        bound.insert("index: one writer", (now, searchable - now));
    }
    let repeated = repeated as u64;
    Played {
        shards,
        seconds: now,
        reconciled,
        searchable,
        kills,
        repeated,
        peak,
        hottest: limits::hottest(figures, peak, &skew),
        bound,
        costs: price::costs(plan, figures, shards, repeated, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(workers: u32) -> Plan {
        Plan { pictures: 2_000_000, shard: 256, workers, rekognition: 0.0, seed: 1936 }
    }

    #[test]
    fn the_same_seed_gives_the_same_answer_and_another_another() {
        let figures = Figures::default();
        let played = play(&plan(20), &figures);
        assert_eq!(played, play(&plan(20), &figures));
        assert_ne!(played, play(&Plan { seed: 7, ..plan(20) }, &figures));
    }

    #[test]
    fn more_workers_are_never_slower_until_a_named_limit_binds() {
        let figures = Figures::default();
        let mut last = play(&plan(5), &figures);
        for workers in [10, 20, 40, 80, 160, 320] {
            let played = play(&plan(workers), &figures);
            let of_the_work =
                |played: &Played| played.bound.keys().any(|name| *name != "index: one writer");
            let faster = played.seconds < last.seconds;
            assert!(faster || of_the_work(&played), "{workers}: {played:?}");
            last = played;
        }
        assert_eq!(last.first_bound(), Some("ledger: units of a table that is not warm"));
    }

    #[test]
    fn without_limits_and_kills_it_is_a_division() {
        let figures = Figures { kills_an_hour: 0.0, size_skew: 0.0, ..Figures::default() };
        let played = play(&plan(10), &figures);
        let expected = 2_000_000.0 / (10.0 * figures.pictures_a_second);
        let off = played.seconds - expected;
        assert!((0.0..3.0 * STEP).contains(&off), "{} beside {expected}", played.seconds);
        assert_eq!((played.kills, played.repeated, played.shards), (0, 0, 7_813));
    }

    #[test]
    fn a_killed_shard_is_done_again_and_nothing_is_lost() {
        let figures = Figures { kills_an_hour: 2.0, ..Figures::default() };
        let played = play(&plan(10), &figures);
        assert!(played.kills > 100, "{}", played.kills);
        assert_eq!(played.shards, 7_813 + played.kills);
        let calm = play(&plan(10), &Figures { kills_an_hour: 0.0, ..figures });
        assert!(played.seconds > calm.seconds, "{} {}", played.seconds, calm.seconds);
    }

    #[test]
    fn costs_add_up_and_grow_with_the_pictures() {
        let figures = Figures::default();
        let costs = play(&plan(20), &figures).costs;
        let lines: f64 = costs.lines().iter().map(|(_, dollars)| dollars).sum();
        assert!((lines - costs.total()).abs() < 1e-9);
        let double = play(&Plan { pictures: 4_000_000, ..plan(20) }, &figures).costs;
        let ratio = double.total() / costs.total();
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
        let paid = play(&Plan { rekognition: 0.5, ..plan(20) }, &figures).costs;
        assert!(paid.rekognition > 900.0 && costs.rekognition == 0.0, "{paid:?}");
    }

    #[test]
    fn a_service_that_is_asked_little_a_second_holds_all_back() {
        let figures = Figures::default();
        let played = play(&Plan { rekognition: 1.0, pictures: 200_000, ..plan(20) }, &figures);
        assert_eq!(played.first_bound(), Some("Rekognition: calls a second"));
        assert!((played.peak - figures.rekognition_calls).abs() < 0.01, "{}", played.peak);
    }
}
