//! Restored pictures beside their original, marked as what they are, and the condition of the original.

use glassplate_pipeline::assessment::{Assessment, Tone};
use glassplate_pipeline::record::RecordRestoration;
use glassplate_pipeline::restoration::Repaired;
use maud::{Markup, html};

use super::Seen;
use super::about::moment;
use crate::page::links;

/// Writes every restoration beside the original: two pictures, which `asset.js` lays over each other
/// with a slider between them.
pub(super) fn restorations(seen: &Seen<'_>) -> Markup {
    html! {
        @for made in &seen.record.restorations { (restoration(seen, made)) }
    }
}

fn restoration(seen: &Seen<'_>, made: &RecordRestoration) -> Markup {
    let record = seen.record;
    let original = record.renditions.iter().find(|r| r.width.max(r.height) <= 1024);
    let original = original.or(record.renditions.first());
    let shown = made.restoration.files.last();
    let only = made.labels.iter().filter(|label| seen.site.bar.shows_only(label, &record.labels));
    let only: Vec<_> = only.map(|label| label.name.as_str()).collect();
    html! {
        section.restoration {
            h2 { "Restored by programs" }
            p.warning {
                "Not the original: " strong { (made.restoration.name) } ", made " (moment(made.at)) " in "
                a href=(links::run(made.run.as_str())) { "run " (made.run) }
                ". Details may be made up."
            }
            div.pair {
                @if let Some(file) = original {
                    figure {
                        img src=(links::rendition(&record.asset, &file.name)) loading="lazy"
                            width=(file.width) height=(file.height) alt="The original";
                        figcaption { "Original" }
                    }
                }
                @if let Some(file) = shown {
                    figure {
                        img src=(links::rendition(&record.asset, &file.name)) loading="lazy"
                            width=(file.width) height=(file.height) alt="The restored picture";
                        figcaption { span.badge { "Restored" } }
                    }
                }
            }
            ol.ledger { @for repaired in &made.restoration.repairs { li { (told(repaired)) } } }
            ul.downloads aria-label="Download the restored picture" {
                @for file in &made.restoration.files {
                    li {
                        a href=(links::rendition(&record.asset, &file.name))
                            download=(format!("{}-restored-{}.jpg", record.asset, file.name)) {
                            (file.width) " × " (file.height)
                        }
                    }
                }
            }
            @if !only.is_empty() {
                p.quiet {
                    "Seen only here, and so not among the picture's labels: "
                    (only.join(", "))
                }
            }
        }
    }
}

fn told(repaired: &Repaired) -> Markup {
    html! {
        strong { (repaired.repair.name()) } " by " (repaired.maker.model) " " (repaired.maker.version)
        @if let Some(strength) = repaired.strength { ", strength " (format!("{strength:.1}")) }
        @if let Some(remark) = &repaired.remark { ", " (remark) }
        ", " (format!("{:.1} s", repaired.seconds))
    }
}

/// Writes what assess found.
pub(super) fn condition(seen: &Seen<'_>) -> Markup {
    let Some(assessment) = &seen.record.assessment else { return html! {} };
    html! {
        section {
            h2 { "Condition" }
            dl.fields {
                @for (name, value) in measured(assessment) { dt { (name) } dd { (value) } }
            }
        }
    }
}

fn measured(assessment: &Assessment) -> Vec<(&'static str, String)> {
    let tone = match assessment.tone {
        Tone::Colour => "in colour",
        Tone::Grey => "grey",
        Tone::Toned => "of one hue",
    };
    let mut all = vec![("tone", tone.to_owned())];
    if let Some(found) = &assessment.condition {
        all.push(("noise", format!("{:.1} of 255", found.noise)));
        if let Some(blur) = found.blur {
            let way = if found.motion { ", in one direction" } else { "" };
            all.push(("blur", format!("{blur:.1} pixels{way}")));
        }
        all.push(("contrast", format!("{:.0} % of the range", found.contrast * 100.0)));
        all.push(("blockiness", format!("{:.1} of 255", found.blockiness)));
        if found.border.iter().any(|&share| share > 0.0) {
            let shares = found.border.map(|share| format!("{:.0} %", share * 100.0));
            all.push(("border", format!("left, top, right, bottom: {}", shares.join(", "))));
        }
    }
    all
}
