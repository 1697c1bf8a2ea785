//! The picture itself: large, with boxes over it; a script lets one look into it.

use glassplate_pipeline::record::{LabelState, RecordLabel};
use glassplate_pipeline::rendition::Rendition;
use maud::{Markup, html};

use super::Seen;
use crate::page::links;

/// How many labels have boxes that are shown; the style has a rule for each.
pub(super) const BOXED: usize = 40;
/// The most boxes of one label.
const BOXES: usize = 40;

/// Writes the picture, or says why there is none.
pub(super) fn stage(seen: &Seen<'_>) -> Markup {
    let record = seen.record;
    let Some(best) =
        record.renditions.iter().find(|r| longest(r) <= 1024).or(record.renditions.last())
    else {
        return html! {
            div.stage.empty {
                p { "There is no picture to show: the original could not be read here." }
            }
        };
    };
    let sources: Vec<String> = record
        .renditions
        .iter()
        .filter(|r| longest(r) > 256)
        .map(|r| format!("{} {}w", links::rendition(&record.asset, &r.name), r.width))
        .collect();
    let size = record.renditions.first().map(|r| format!("{} {}", r.width, r.height));
    let size = size.unwrap_or_default();
    html! {
        div.stage data-info=(format!("/iiif/3/{}/info.json", record.asset)) data-size=(size) {
            div.plate {
                img src=(links::rendition(&record.asset, &best.name))
                    srcset=[(!sources.is_empty()).then(|| sources.join(", "))]
                    sizes="(min-width: 1000px) 66vw, 100vw"
                    width=(best.width) height=(best.height) alt=(alternative(seen)) fetchpriority="high";
                (boxes(seen))
            }
        }
    }
}

fn longest(rendition: &Rendition) -> u32 {
    rendition.width.max(rendition.height)
}

/// What the picture shows, for those who cannot see it.
fn alternative(seen: &Seen<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for label in seen.record.labels.iter().filter(|label| seen.site.bar.shows(label)) {
        if !names.contains(&label.name.as_str()) && names.len() < 6 {
            names.push(&label.name);
        }
    }
    match names.is_empty() {
        true => seen.title.clone(),
        false => format!("{}; labelled {}", seen.title, names.join(", ")),
    }
}

/// The labels that have boxes, in the order in which the page lists labels.
pub(super) fn boxed<'a>(seen: &Seen<'a>) -> Vec<&'a RecordLabel> {
    let located =
        |label: &&RecordLabel| !label.instances.is_empty() && label.state != LabelState::Rejected;
    seen.record.labels.iter().filter(located).take(BOXED).collect()
}

/// Boxes as a drawing over the picture: shown for the label that is pointed at.
fn boxes(seen: &Seen<'_>) -> Markup {
    html! {
        svg.boxes viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true" {
            @for (at, label) in boxed(seen).into_iter().enumerate() {
                g data-box=(at) {
                    @for instance in label.instances.iter().take(BOXES) {
                        @let [x, y, width, height] = instance.frame;
                        rect x=(x) y=(y) width=(width) height=(height) vector-effect="non-scaling-stroke" {}
                    }
                }
            }
        }
    }
}
