//! What a batch costs by list prices: us-east-1, as published in autumn 2026; not measured.

use super::Plan;
use super::figures::Figures;

/// A core of Fargate for an hour, and a GB of its memory.
const CORE_HOUR: f64 = 0.040_48;
const GB_HOUR: f64 = 0.004_445;
/// What spot costs of that; it changes daily.
const SPOT: f64 = 0.3;
/// The share of workers on spot, as the template has it: four of five.
const ON_SPOT: f64 = 0.8;
/// A worker: cores, GB.
const WORKER: (f64, f64) = (2.0, 4.0);
/// Of a million units, on demand.
const UNITS_WRITTEN: f64 = 0.625;
const UNITS_READ: f64 = 0.125;
/// Of a thousand requests of S3.
const OBJECTS_WRITTEN: f64 = 0.005;
const OBJECTS_READ: f64 = 0.000_4;
/// Of a thousand transitions of a state machine.
const TRANSITIONS: f64 = 0.025;
/// Of a million requests of SQS; a shard is sent, received, deleted, and kept hidden now and then.
const QUEUE: f64 = 0.40;
const REQUESTS_A_SHARD: f64 = 5.0;
/// Of a GB of logs: some 8 lines of 600 bytes a shard.
const LOGS: f64 = 0.50;
const LOGGED_A_SHARD: f64 = 8.0 * 600.0;
/// Of a call of Rekognition: up to so many of a month, and what each costs.
const CALLS: [(f64, f64); 4] =
    [(1e6, 0.001), (5e6, 0.000_8), (35e6, 0.000_6), (f64::INFINITY, 0.000_25)];

/// What a batch costs, in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Costs {
    /// Workers.
    pub workers: f64,
    /// The ledger's units.
    pub ledger: f64,
    /// The bucket's requests, not what lies in it.
    pub bucket: f64,
    /// State machine, queue, logs.
    pub engine: f64,
    /// Paid labels.
    pub rekognition: f64,
}

impl Costs {
    /// Each by its name.
    pub fn lines(&self) -> [(&'static str, f64); 5] {
        [
            ("workers", self.workers),
            ("ledger", self.ledger),
            ("bucket", self.bucket),
            ("engine", self.engine),
            ("rekognition", self.rekognition),
        ]
    }

    /// All together.
    pub fn total(&self) -> f64 {
        self.workers + self.ledger + self.bucket + self.engine + self.rekognition
    }
}

/// What a plan costs that took so many seconds, shards and repeated pictures.
pub(super) fn costs(
    plan: &Plan,
    figures: &Figures,
    shards: u64,
    repeated: u64,
    seconds: f64,
) -> Costs {
    let (pictures, shards) = (plan.pictures as f64, shards as f64);
    let (cores, gb) = WORKER;
    let hour = (cores * CORE_HOUR + gb * GB_HOUR) * (1.0 - ON_SPOT + ON_SPOT * SPOT);
    // A repeated picture is looked up, no more.
    let read = figures.units_read * (pictures + repeated as f64);
    Costs {
        workers: f64::from(plan.workers) * seconds / 3600.0 * hour,
        ledger: (figures.units_written * pictures * UNITS_WRITTEN + read * UNITS_READ) / 1e6,
        bucket: pictures
            * (figures.objects_written * OBJECTS_WRITTEN + figures.objects_read * OBJECTS_READ)
            / 1e3,
        engine: shards
            * (2.0 * TRANSITIONS / 1e3
                + REQUESTS_A_SHARD * QUEUE / 1e6
                + LOGGED_A_SHARD * LOGS / 1e9),
        rekognition: calls(pictures * plan.rekognition),
    }
}

/// What so many calls of one month cost.
fn calls(count: f64) -> f64 {
    let mut before = 0.0;
    let mut dollars = 0.0;
    for (up_to, price) in CALLS {
        dollars += (count.min(up_to) - before).max(0.0) * price;
        before = up_to;
    }
    dollars
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls_cost_less_the_more_there_are() {
        for (count, dollars) in [(1e6, 1_000.0), (5e6, 4_200.0), (10e6, 7_200.0)] {
            assert!((super::calls(count) - dollars).abs() < 1e-6, "{count}");
        }
    }
}
