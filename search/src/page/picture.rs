//! A picture, large, with boxes over it; a script lets one look into it.

use glassplate_pipeline::record::{LabelState, Record, RecordLabel};
use glassplate_pipeline::rendition::Rendition;
use maud::{Markup, html};

use super::links;

/// How many labels have boxes that are shown; the style has a rule for each.
pub(super) const BOXED: usize = 40;
/// The most boxes of one label.
const BOXES: usize = 40;
/// Places less sure than this share of the surest are not shown.
const SURE_ENOUGH: f32 = 0.4;
/// From this overlap on two places are one.
const SAME: f32 = 0.5;

/// Writes the picture, or says why there is none.
/// `alternative` says what it shows to those who cannot see it; `boxed` are the labels whose boxes
/// lie over it, see [`boxed`].
pub(super) fn stage(record: &Record, alternative: &str, boxed: &[&RecordLabel]) -> Markup {
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
    let size = record.renditions.first().map_or((1, 1), |r| (r.width, r.height));
    html! {
        div.stage data-info=(format!("/iiif/3/{}/info.json", record.asset)) data-size=(format!("{} {}", size.0, size.1)) {
            div.plate {
                img src=(links::rendition(&record.asset, &best.name))
                    srcset=[(!sources.is_empty()).then(|| sources.join(", "))]
                    sizes="(min-width: 1000px) 66vw, 100vw"
                    width=(best.width) height=(best.height) alt=(alternative) fetchpriority="high";
                (boxes(size, boxed))
            }
        }
    }
}

fn longest(rendition: &Rendition) -> u32 {
    rendition.width.max(rendition.height)
}

/// The labels of a record that have boxes, in the order in which the page lists labels.
pub(super) fn boxed(record: &Record) -> Vec<&RecordLabel> {
    let located =
        |label: &&RecordLabel| !label.instances.is_empty() && label.state != LabelState::Rejected;
    record.labels.iter().filter(located).take(BOXED).collect()
}

/// Boxes as a drawing over the picture, in its own pixels so that both are fitted in alike: shown for
/// the label that is pointed at.
fn boxes(size: (u32, u32), boxed: &[&RecordLabel]) -> Markup {
    let (width, height) = (size.0 as f32, size.1 as f32);
    html! {
        svg.boxes viewBox=(format!("0 0 {width} {height}")) aria-hidden="true" {
            @for (at, label) in boxed.iter().enumerate() {
                g data-box=(at) {
                    @for [x, y, w, h] in places(label) {
                        rect x=(x * width) y=(y * height) width=(w * width) height=(h * height)
                            vector-effect="non-scaling-stroke" {}
                    }
                }
            }
        }
    }
}

/// The places of a label worth showing, the surest first: detectors list many more, some of them
/// the same thing seen twice.
pub(super) fn places(label: &RecordLabel) -> Vec<[f32; 4]> {
    let best = label.instances.iter().map(|i| i.confidence).fold(0.0, f32::max);
    let mut sure: Vec<_> =
        label.instances.iter().filter(|i| i.confidence >= best * SURE_ENOUGH).collect();
    sure.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut places: Vec<[f32; 4]> = Vec::new();
    for instance in sure {
        if places.len() < BOXES && places.iter().all(|held| overlap(held, &instance.frame) < SAME) {
            places.push(instance.frame);
        }
    }
    places
}

/// How much of two boxes together is in both, 0 to 1.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let side = |a0: f32, a1: f32, b0: f32, b1: f32| ((a0 + a1).min(b0 + b1) - a0.max(b0)).max(0.0);
    let both = side(a[0], a[2], b[0], b[2]) * side(a[1], a[3], b[1], b[3]);
    let all = a[2] * a[3] + b[2] * b[3] - both;
    if all > 0.0 { both / all } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::label::Instance;

    use super::*;
    use crate::page::tests::label;

    #[test]
    fn what_two_detectors_saw_at_one_place_is_one_box_and_faint_ones_are_none() {
        let at = |frame, confidence| Instance { frame, confidence };
        let dog = RecordLabel {
            instances: vec![
                at([0.1, 0.1, 0.4, 0.4], 0.9),
                at([0.11, 0.1, 0.4, 0.41], 0.8),
                at([0.6, 0.5, 0.3, 0.3], 0.7),
                at([0.0, 0.8, 0.2, 0.2], 0.05),
            ],
            ..label("dog")
        };
        assert_eq!(places(&dog), [[0.1, 0.1, 0.4, 0.4], [0.6, 0.5, 0.3, 0.3]]);
    }
}
