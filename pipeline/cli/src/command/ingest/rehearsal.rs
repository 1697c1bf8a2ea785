//! The rehearsal of an ingest: what would become of each source, and what it would cost.

use std::time::Instant;

use glassplate_pipeline::beside::Beside;
use glassplate_pipeline::catalogue_csv::Catalogue as CatalogueCsv;
use glassplate_pipeline::enrich::{House, Rehearsal, foresee};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::quote::{Quote, worth_asking};
use glassplate_pipeline::run::{Balance, Item};
use serde_json::{Value, json};

use super::report::Report;
use crate::arguments::{Ingest, Sources};
use crate::compose::{Desk, Staff};
use crate::exit::Exit;
use crate::output::{self, data};

/// How many labelled pictures tell what share of new ones will be asked about.
const SAMPLE: usize = 500;

/// Says what would become of each source, and does nothing.
pub(super) async fn rehearse(
    desk: &Desk,
    arguments: &Ingest,
    beside: &Beside,
    csv: Option<&CatalogueCsv>,
) -> Result<Exit, Fault> {
    let staff = match arguments.without_labels {
        true => Staff::none(),
        false => desk.staff_at_hand(&arguments.sources.collection).await?,
    };
    let foreseen = Foreseen::of(desk, staff, &arguments.sources, beside, csv).await?;
    let quote = foreseen.quote_json(desk);
    foreseen.report.print_foreseen(desk, &foreseen.items, &quote);
    if !desk.json && foreseen.paid {
        foreseen.tell_quote(desk);
    }
    Ok(Exit::Done)
}

/// Says what an ingest would cost, and does nothing.
pub(super) async fn quote(
    desk: &Desk,
    sources: &Sources,
    beside: &Beside,
    csv: Option<&CatalogueCsv>,
) -> Result<Exit, Fault> {
    let staff = desk.staff_at_hand(&sources.collection).await?;
    let foreseen = Foreseen::of(desk, staff, sources, beside, csv).await?;
    if desk.json {
        output::json(&foreseen.quote_json(desk));
    } else {
        foreseen.tell_quote(desk);
    }
    Ok(Exit::Done)
}

struct Foreseen {
    report: Report<'static>,
    items: Vec<Item>,
    quote: Quote,
    /// Whether anything that costs money could be asked.
    paid: bool,
    /// Of how many pictures of the collection more would be asked, out of how many labelled ones.
    history: (usize, usize),
}

impl Foreseen {
    async fn of(
        desk: &Desk,
        staff: Staff,
        sources: &Sources,
        beside: &Beside,
        csv: Option<&CatalogueCsv>,
    ) -> Result<Self, Fault> {
        // A home that is not there yet must not come to be by a rehearsal.
        let scratch = tempfile::tempdir()
            .map_err(|e| Fault::broken("cannot make a temporary folder").because(e))?;
        let paid = staff.labellers.iter().any(|labeller| labeller.price().is_some());
        let house: House = match desk.has_catalogue() {
            true => desk.house(staff).await?,
            false => desk.at(scratch.path()).house(staff).await?,
        };
        let house = House { objects: super::objects_for(desk, beside).await?, ..house };
        let began = Instant::now();
        let (mut balance, mut bytes, mut items) = (Balance::default(), 0, Vec::new());
        let (mut rehearsal, mut quote) = (Rehearsal::default(), Quote::default());
        for source in beside.sources(csv) {
            let item = match source {
                Ok(source) => {
                    bytes += source.bytes;
                    let foreseen =
                        foresee(&house, &sources.collection, &source, &mut rehearsal).await;
                    quote.add(&foreseen);
                    foreseen.item
                }
                Err(item) => item,
            };
            balance.add(item.outcome);
            items.push(item);
        }
        let history = match paid {
            true => worth_asking(&house, &sources.collection, SAMPLE).await?,
            false => (0, 0),
        };
        let report = Report {
            run: None,
            balance,
            left: 0,
            seconds: began.elapsed().as_secs_f64(),
            bytes,
            readings: Vec::new(),
            broken: None,
            purse: None,
        };
        Ok(Self { report, items, quote, paid, history })
    }

    fn share(&self) -> Option<f64> {
        let (asking, seen) = self.history;
        (seen > 0).then(|| asking as f64 / seen as f64)
    }

    fn seconds(&self, desk: &Desk) -> f64 {
        self.quote.calls() as f64 / desk.settings.rekognition.calls_per_second
    }

    fn quote_json(&self, desk: &Desk) -> Value {
        json!({
            "lines": self.quote.lines,
            "calls_at_most": self.quote.calls(),
            "dollars_at_most": self.quote.at_most().to_string(),
            "dollars_expected": self.share().map(|share| self.quote.expected(share).to_string()),
            "seconds_at_most": self.seconds(desk),
        })
    }

    fn tell_quote(&self, desk: &Desk) {
        for (step, line) in &self.quote.lines {
            data(format!(
                "{step}: {} calls for certain, {} more at most, at {} dollars each; {} answers are known",
                line.certain, line.possible, line.price, line.known
            ));
        }
        data(format!(
            "at most {} paid calls, {} dollars, {:.0} s at {} calls a second",
            self.quote.calls(),
            self.quote.at_most(),
            self.seconds(desk),
            desk.settings.rekognition.calls_per_second
        ));
        if let Some(share) = self.share() {
            let (asking, seen) = self.history;
            data(format!(
                "of {seen} labelled pictures of this collection {asking} are worth asking about: expect {} dollars",
                self.quote.expected(share)
            ));
        }
    }
}
