//! How a run goes: a bar on a terminal, plain lines when piped.

use std::time::{Duration, Instant};

use glassplate_pipeline::ingest::Watcher;
use glassplate_pipeline::run::{Balance, Item, Outcome};
use indicatif::{ProgressBar, ProgressStyle};

use super::runs::told;
use crate::output::{bytes, say, talks_to_a_terminal};

/// How often a plain line is written when nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows count, rate, time left, and bytes where they are known.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    total_bytes: u64,
    done_bytes: u64,
    began: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn begin(what: &str, total: u64, total_bytes: u64) -> Self {
        let now = Instant::now();
        let bar = talks_to_a_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
                .expect("the template is a constant");
            ProgressBar::new(total).with_style(style)
        });
        if bar.is_none() {
            let size = match total_bytes {
                0 => String::new(),
                known => format!(", {}", bytes(known)),
            };
            say(format!("{total} {what}{size}"));
        }
        Self { bar, total, total_bytes, done_bytes: 0, began: now, last_line: now }
    }

    /// Ends the display; returns the bytes that were done.
    pub(super) fn finish(self) -> u64 {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        self.done_bytes
    }

    fn rate(&self, balance: &Balance) -> String {
        let seconds = self.began.elapsed().as_secs_f64().max(1e-3);
        let done = balance.total() as f64;
        // Bytes tell better than counts how far it is, unless all that is left is empty.
        let counted = done / self.total.max(1) as f64;
        let share = match self.total_bytes {
            0 => counted,
            all => (self.done_bytes as f64 / all as f64).max(counted * 0.01),
        };
        let share = share.clamp(1e-9, 1.0);
        let left = (seconds / share - seconds).min(1e9) as u64;
        let refused = balance.rejected + balance.failed;
        let refused = if refused > 0 { format!(", {refused} refused") } else { String::new() };
        let size = match self.total_bytes {
            0 => String::new(),
            all => format!("{} of {}, ", bytes(self.done_bytes), bytes(all)),
        };
        format!("{:.1}/s, {size}{} left{refused}", done / seconds, duration(left))
    }
}

impl Watcher for Progress {
    fn ended(&mut self, item: &Item, item_bytes: u64, balance: &Balance) {
        self.done_bytes += item_bytes;
        if let Some(bar) = &self.bar {
            if item.outcome >= Outcome::Rejected {
                bar.suspend(|| say(told(item)));
            }
            bar.set_position(balance.total());
            bar.set_message(self.rate(balance));
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            say(format!("{}/{} {}", balance.total(), self.total, self.rate(balance)));
        }
    }
}

/// Writes a time for people: `2 h 05 min`, `3 min 07 s`, `12 s`.
pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!([5, 187, 7500].map(duration), ["5 s", "3 min 07 s", "2 h 05 min"]);
    }
}
