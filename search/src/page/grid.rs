//! The grid: hits as pictures, each with its title and why it was found.

use std::borrow::Borrow;

use maud::{Markup, html};

use super::links;
use crate::highlight::Highlight;
use crate::search::Hit;

/// The height of a row for which thumbnails are chosen, in CSS pixels: a picture of three to two
/// fits the small rendition.
const ROW: f64 = 170.0;
/// How much taller rows are on very wide screens, see the style.
const WIDE_SCREEN: f64 = 240.0 / ROW;
/// The longest side of the smallest rendition by default, and of what finer screens get, in pixels.
const SMALL: u32 = 256;
/// See [`SMALL`].
const FINER: u32 = 512;
/// Shapes beyond these are cut to them in the grid, so that a panorama leaves room for others.
const SHAPES: (f64, f64) = (0.5, 2.6);

/// Writes hits as a list of pictures that link to their assets.
pub(super) fn grid(hits: &[impl Borrow<Hit>]) -> Markup {
    html! {
        ol.grid {
            @for hit in hits { (cell(hit.borrow())) }
        }
    }
}

/// Writes one hit.
fn cell(hit: &Hit) -> Markup {
    let shape = shape(hit);
    html! {
        li class=(shape_class(shape.unwrap_or(1.0))) {
            a href=(links::asset(&hit.asset)) data-asset=(hit.asset) {
                @match shape {
                    Some(shape) => (thumbnail(hit, shape)),
                    None => span.blank { (hit.title) br; "no picture to show" },
                }
                span.told {
                    strong { (hit.title) }
                    @for why in &hit.why {
                        " " span.why { (why) }
                    }
                    @for highlight in hit.highlights.iter().take(2) {
                        " " span.quote { (marked(highlight)) }
                    }
                    @if hit.why.is_empty() && !hit.labels.is_empty() {
                        " " span.why {
                            (hit.labels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", "))
                        }
                    }
                }
            }
        }
    }
}

/// Writes the picture with its size, so that nothing jumps when it comes.
fn thumbnail(hit: &Hit, shape: f64) -> Markup {
    let small = links::thumbnail(&hit.asset);
    let shown = (ROW * shape).round();
    html! {
        img src=(small) srcset=[finer(hit, &small, shape)]
            sizes=(format!("(min-width: 2200px) {}px, {shown}px", (shown * WIDE_SCREEN).round()))
            width=(shown) height=(ROW) alt="" loading="lazy" decoding="async";
    }
}

/// A finer picture for finer screens, where there is one: nothing is made larger than it is.
fn finer(hit: &Hit, small: &str, shape: f64) -> Option<String> {
    let longest = hit.width?.max(hit.height?).min(FINER);
    let wide = |longest: u32| (f64::from(longest) * shape.min(1.0)).round();
    (longest > SMALL).then(|| {
        let large = links::fitted(&hit.asset, longest);
        format!("{small} {}w, {large} {}w", wide(SMALL), wide(longest))
    })
}

/// Width to height as the grid shows it; nothing where there is no picture to show.
fn shape(hit: &Hit) -> Option<f64> {
    let (width, height) = (hit.width?, hit.height?);
    Some((f64::from(width.max(1)) / f64::from(height.max(1))).clamp(SHAPES.0, SHAPES.1))
}

/// The class by which the grid grows a picture in its row when no script lays rows out: the
/// shape in tenths.
fn shape_class(shape: f64) -> String {
    format!("s{}", (shape * 10.0).round() as u32)
}

/// Writes a piece of text with the words found in it marked.
pub(super) fn marked(highlight: &Highlight) -> Markup {
    let (text, mut at) = (highlight.text.as_str(), 0);
    let mut pieces: Vec<(bool, &str)> = Vec::new();
    for &(begin, end) in &highlight.found {
        // What does not fit the text is left unmarked.
        let (Some(before), Some(found)) = (text.get(at..begin), text.get(begin..end)) else {
            continue;
        };
        pieces.extend([(false, before), (true, found)]);
        at = end;
    }
    pieces.push((false, text.get(at..).unwrap_or_default()));
    html! {
        @for (found, piece) in pieces {
            @if found { mark { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlight(text: &str, found: &[(usize, usize)]) -> String {
        let highlight =
            Highlight { field: "caption".to_owned(), text: text.to_owned(), found: found.to_vec() };
        marked(&highlight).into_string()
    }

    #[test]
    fn the_words_found_are_marked_and_the_text_stays_text() {
        assert_eq!(
            highlight("a <b>turtle</b> swims", &[(5, 11)]),
            "a &lt;b&gt;<mark>turtle</mark>&lt;/b&gt; swims"
        );
        assert_eq!(highlight("größe", &[(3, 4), (0, 99)]), "größe", "no range that does not fit");
    }
}
