//! The report as one page of HTML: nothing in it comes from elsewhere, and no script runs.

use glassplate_pipeline::run::Outcome;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{area, bars};
use super::{Report, SAMPLE};
use crate::output::{bytes, plain};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#1c1b1a;background:#fdfcfa}h1{font-size:1.5rem}h2{font-size:1.1rem;\
margin-top:2rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;\
border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}svg{width:100%;height:auto;\
font:11px system-ui,sans-serif}.area,.bar{fill:#7a5c2e}text{fill:currentColor}.nothing{color:#666}\
@media(prefers-color-scheme:dark){body{background:#1c1b1a;color:#eee}td,th{border-color:#444}\
.area,.bar{fill:#d8b070}.nothing{color:#aaa}}";

/// Makes the page.
pub(super) fn page(report: &Report) -> Markup {
    let standing = &report.standing;
    let (plan, control) = (&standing.plan, &standing.control);
    let faults: Vec<(String, u64)> =
        standing.faults.iter().map(|(fault, count)| (fault.clone(), *count)).collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Run " (plan.run) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Run " (plan.run) ": " (control.state.name()) }
                @if let Some(why) = &control.why { p { (plain(why)) } }
                (facts(report))
                h2 { "Sources a second" }
                (area(&report.throughput, "sources a second"))
                h2 { "In quarantine, by kind of fault" }
                (bars(&faults))
                h2 { "Labels found" }
                (bars(&report.labels.found))
                @if report.labels.assets > 0 {
                    p { "In " (report.labels.assets) " pictures of this run"
                        @if report.labels.assets >= SAMPLE { ", an arbitrary sample" } "." }
                }
                h2 { "Dollars spent" }
                (area(&report.spend, "dollars spent in all"))
                h2 { "Quarantine" }
                (quarantine(report))
            }
        }
    }
}

fn facts(report: &Report) -> Markup {
    let standing = &report.standing;
    let (plan, control, shards) = (&standing.plan, &standing.control, &standing.shards);
    html! {
        table {
            tr { th { "Collection" } td { (plain(&plan.collection)) " of " (plan.tenant) } }
            tr { th { "From" } td { (plain(&plan.sources.join(", "))) } }
            tr { th { "Planned" } td { (plan.pictures) " sources, " (bytes(plan.bytes)) ", " (plan.planned) } }
            @for outcome in Outcome::ALL {
                tr { th { (outcome.name()) } td { (standing.balance.of(outcome)) } }
            }
            tr { th { "All of these" } td { (standing.balance.total()) " of " (plan.pictures) } }
            tr {
                th { "Round " (control.round) }
                td { (shards.done) " of " (shards.all) " shards done, " (shards.failed) " failed" }
            }
            tr { th { "Tolerated in quarantine" } td { (control.tolerated_percent) " %" } }
            @if let Some(budget) = control.budget {
                tr {
                    th { "Spent" }
                    td {
                        (report.account.spent) " of " (budget) " dollars: "
                        (report.account.answered) " answered, " (report.account.lost) " lost, "
                        (report.account.reserved) " left open, " (report.account.free) " not paid"
                    }
                }
            }
        }
    }
}

fn quarantine(report: &Report) -> Markup {
    if report.quarantine.is_empty() {
        return html! { p.nothing { "empty" } };
    }
    let listed = report.quarantine.len() as u64;
    html! {
        @if listed < report.quarantined {
            p { "The first " (listed) " of " (report.quarantined) "; the CSV has all." }
        }
        table {
            tr { th { "Source" } th { "Fault" } th { "Reason" } }
            @for item in &report.quarantine {
                tr {
                    td { (plain(&item.source)) }
                    td { (item.fault.map(|fault| fault.faces().name).unwrap_or_default()) }
                    td { (plain(item.reason.as_deref().unwrap_or_default())) }
                }
            }
        }
    }
}
