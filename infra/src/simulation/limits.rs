//! What is let through at a moment, and what it is that holds the rest back.

use super::Plan;
use super::figures::Figures;

/// States that a shard's execution goes through, its end included.
const TRANSITIONS_A_SHARD: f64 = 2.0;
/// Write units of an entry of the feed and of an outcome, both in a transaction.
const UNITS_IN_TRANSACTION: f64 = 2.0;

/// How many pieces the ledger's busiest partitions come in: the pieces, and what a picture writes.
const PARTITIONS: [(&str, usize, f64); 4] = [
    ("outcomes of the run (I), 16", 16, UNITS_IN_TRANSACTION),
    ("change feed (F), 32", 32, UNITS_IN_TRANSACTION),
    ("assets of the tenant (T), 29", 29, 1.0),
    ("assets of the run (M), 29", 29, 1.0),
];

/// For each of the partitions how much the fullest piece has, beside an equal share.
pub(super) type Skew = [f64; PARTITIONS.len()];

/// Counts how unequally so many pieces are hit, by `draw` of one of them.
pub(super) fn skew(mut draw: impl FnMut(usize) -> usize) -> Skew {
    PARTITIONS.map(|(_, pieces, _)| {
        const DRAWN: usize = 100_000;
        let mut hits = vec![0_usize; pieces];
        (0..DRAWN).for_each(|_| hits[draw(pieces)] += 1);
        let fullest = hits.into_iter().max().unwrap_or_default();
        fullest as f64 * pieces as f64 / DRAWN as f64
    })
}

/// The hottest partition at a rate, and its write units a second.
pub(super) fn hottest(figures: &Figures, rate: f64, skew: &Skew) -> (&'static str, f64) {
    let rate = rate.min(figures.table_units / figures.units_written);
    let heat = PARTITIONS
        .iter()
        .zip(skew)
        .map(|((name, pieces, units), skew)| (*name, rate * units * skew / *pieces as f64));
    heat.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default()
}

/// What is let through, as the services grow with what was asked of them.
#[derive(Debug)]
pub(super) struct Throughput<'a> {
    plan: &'a Plan,
    figures: &'a Figures,
    /// Write units a second that the table takes now, and from when that holds.
    table: (f64, f64),
    /// Write units a second at the best since then.
    peak: f64,
    /// For how many seconds the bucket was busy enough to be divided.
    busy: f64,
}

impl<'a> Throughput<'a> {
    pub(super) fn new(plan: &'a Plan, figures: &'a Figures) -> Self {
        Self { plan, figures, table: (figures.warm_units, 0.0), peak: 0.0, busy: 0.0 }
    }

    /// Pictures a second that are let through of so many, and what holds back the rest.
    pub(super) fn at(&mut self, now: f64, wanted: f64) -> (f64, Option<&'static str>) {
        let figures = self.figures;
        if now - self.table.1 >= figures.doubling_seconds {
            let doubled = self.table.0.max(2.0 * self.peak).min(figures.table_units);
            self.table = (doubled.max(figures.warm_units.min(figures.table_units)), now);
            self.peak = 0.0;
        }
        let divided = (self.busy / figures.dividing_seconds).floor();
        let partitions = figures.bucket_partitions.min(2.0_f64.powf(divided));
        let shard = f64::from(self.plan.shard);
        let table = match self.table.0 < figures.table_units {
            true => "ledger: units of a table that is not warm",
            false => "ledger: units of a table",
        };
        let limits = [
            (table, self.table.0 / figures.units_written),
            (
                "ledger: a partition of outcomes",
                figures.partition_units * 16.0 / UNITS_IN_TRANSACTION,
            ),
            (
                "ledger: one transaction at a time of a shard of the feed",
                figures.feed_shards / figures.transaction_seconds,
            ),
            (
                "bucket: writes of partitions that are not divided yet",
                partitions * figures.bucket_writes / figures.objects_written,
            ),
            ("Step Functions: shards at once", figures.map_children * figures.pictures_a_second),
            ("Step Functions: executions begun a second", figures.child_starts * shard),
            (
                "Step Functions: transitions a second",
                figures.transitions * shard / TRANSITIONS_A_SHARD,
            ),
            ("Rekognition: calls a second", figures.rekognition_calls / self.plan.rekognition),
        ];
        let (name, most) = limits.into_iter().min_by(|a, b| a.1.total_cmp(&b.1)).expect("some");
        if most < wanted { (most, Some(name)) } else { (wanted, None) }
    }

    /// Tells what was done in a step.
    pub(super) fn used(&mut self, rate: f64) {
        self.peak = self.peak.max(rate * self.figures.units_written);
        // Half of what one partition takes is where dividing begins.
        if rate * self.figures.objects_written > self.figures.bucket_writes / 2.0 {
            self.busy += super::STEP;
        }
    }
}
