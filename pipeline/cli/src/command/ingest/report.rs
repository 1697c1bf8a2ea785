//! The last word of a run: the balance, and everything that was refused with its reason.

use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::run::{Balance, Item, Outcome, RunId};
use glassplate_pipeline::telemetry::Reading;
use serde_json::json;

use super::super::runs::{Items, balance_of, told};
use super::super::spend::spending;
use crate::compose::Desk;
use crate::output::{self, data};

/// What a run came to, ready to be told.
pub(super) struct Report<'a> {
    /// Absent for a rehearsal.
    pub(super) run: Option<&'a RunId>,
    pub(super) balance: Balance,
    pub(super) left: u64,
    pub(super) seconds: f64,
    pub(super) bytes: u64,
    pub(super) readings: Vec<Reading>,
    /// Why the run ended before its time, when something broke.
    pub(super) broken: Option<String>,
    /// Absent when nothing that costs money could be asked.
    pub(super) purse: Option<&'a Purse>,
}

impl Report<'_> {
    /// Prints the report of a run; its items are read from the ledger page by page.
    pub(super) async fn print(&self, desk: &Desk, catalogue: &dyn Catalogue) -> Result<(), Fault> {
        let run = self.run.expect("a run that was performed has a name");
        let mut pages = Items::of(catalogue, desk, run);
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            items.extend(page.into_iter().filter(|item| desk.json || worth_telling(item)));
        }
        if desk.json {
            output::json(&self.json(&items));
            return Ok(());
        }
        self.tell(&items);
        data(self.summary());
        if let Some(purse) = self.purse {
            data(spending(purse));
        }
        data(format!("run {run}: `glassplate runs {run}` shows this again"));
        Ok(())
    }

    /// Prints what would have become of each source.
    pub(super) fn print_foreseen(&self, desk: &Desk, items: &[Item], quote: &serde_json::Value) {
        if desk.json {
            let mut value = self.json(items);
            value["dry_run"] = json!(true);
            value["quote"] = quote.clone();
            output::json(&value);
            return;
        }
        let told: Vec<Item> = items.iter().filter(|item| worth_telling(item)).cloned().collect();
        self.tell(&told);
        data(format!("nothing was done; it would be: {}", self.summary()));
    }

    fn tell(&self, items: &[Item]) {
        for outcome in Outcome::ALL {
            for item in items.iter().filter(|item| item.outcome == outcome) {
                data(told(item));
            }
        }
    }

    fn summary(&self) -> String {
        let rate = self.balance.total() as f64 / self.seconds.max(1e-3);
        let mut text = format!(
            "{}\n{} in {:.1} s, {rate:.1} files a second",
            balance_of(&self.balance),
            output::bytes(self.bytes),
            self.seconds,
        );
        if self.left > 0 {
            text.push_str(&format!(
                "\nended early: {} files were not begun; the same command resumes",
                self.left
            ));
        } else if self.balance.total() > 0 && self.balance.unchanged == self.balance.total() {
            text.push_str("\neverything was known already: no work was done twice");
        }
        text
    }

    fn json(&self, items: &[Item]) -> serde_json::Value {
        let stages: serde_json::Map<String, serde_json::Value> = self
            .readings
            .iter()
            .map(|reading| {
                let value = json!({
                    "calls": reading.calls,
                    "wall_seconds": reading.wall.as_secs_f64(),
                    "cpu_seconds": reading.cpu.as_secs_f64(),
                });
                (reading.stage.name().to_owned(), value)
            })
            .collect();
        json!({
            "run": self.run,
            "in": self.balance.total(),
            "enriched": self.balance.enriched,
            "unchanged": self.balance.unchanged,
            "duplicate": self.balance.duplicate,
            "rejected": self.balance.rejected,
            "failed": self.balance.failed,
            "left": self.left,
            "broken": self.broken,
            "seconds": self.seconds,
            "bytes": self.bytes,
            "spent": self.purse.map(Purse::spent),
            "stages": stages,
            "items": items,
        })
    }
}

/// Whether an item is worth a line of text: refused, or accepted with a note.
fn worth_telling(item: &Item) -> bool {
    item.outcome >= Outcome::Rejected || item.reason.is_some()
}
