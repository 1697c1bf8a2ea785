//! A reliability diagram as SVG: how often claims are right, by how sure they were.

use std::fmt::Write as _;

use super::calibration::{Bin, error};
use super::report::Reliability;

/// The side of one diagram's square, in SVG's units.
const SIDE: f64 = 320.0;
/// The room left of and below a square, for numbers and words.
const MARGIN: f64 = 64.0;
/// The room above a square, for its title.
const HEAD: f64 = 52.0;

/// Draws one diagram for each kind of claim, side by side.
pub fn svg(kinds: &[Reliability]) -> String {
    let width = kinds.len() as f64 * (SIDE + MARGIN + 24.0);
    let height = HEAD + SIDE + MARGIN;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="100%" height="100%" fill="#fff"/>
"##
    );
    for (at, kind) in kinds.iter().enumerate() {
        let left = at as f64 * (SIDE + MARGIN + 24.0) + MARGIN;
        let _ = writeln!(svg, r#"<g transform="translate({left} {HEAD})">"#);
        diagram(&mut svg, kind);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn diagram(svg: &mut String, kind: &Reliability) {
    let claims: u64 = kind.bins.iter().map(|bin| bin.claims).sum();
    let _ = writeln!(
        svg,
        r#"<text x="0" y="-28" font-size="15" font-weight="bold">{}</text>
<text x="0" y="-10">{claims} claims, {} a bin; calibration error {:.3}</text>"#,
        kind.name,
        a_bin(&kind.bins),
        error(&kind.bins)
    );
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let at = share * SIDE;
        let down = SIDE - at;
        let _ = writeln!(
            svg,
            r##"<path d="M0 {down}H{SIDE}M{at} 0V{SIDE}" stroke="#e4e4e4"/><text x="-8" y="{}" text-anchor="end">{share:.1}</text><text x="{at}" y="{}" text-anchor="middle">{share:.1}</text>"##,
            down + 4.0,
            SIDE + 18.0
        );
    }
    let middle = SIDE / 2.0;
    let _ = writeln!(
        svg,
        r##"<path d="M0 {SIDE}L{SIDE} 0" stroke="#888" stroke-dasharray="5 4"/>
<text x="{middle}" y="{}" text-anchor="middle">mean confidence</text>
<text transform="translate(-44 {middle}) rotate(-90)" text-anchor="middle">share that is right</text>"##,
        SIDE + 40.0
    );
    let line: Vec<_> = kind.bins.iter().map(|bin| format!("{:.1},{:.1}", x(bin), y(bin))).collect();
    let _ = writeln!(
        svg,
        r##"<polyline points="{}" fill="none" stroke="#1a6fb5" stroke-width="1.5"/>"##,
        line.join(" ")
    );
    for bin in &kind.bins {
        let _ = writeln!(
            svg,
            r##"<path d="M{0:.1} {1:.1}V{2:.1}" stroke="#d1495b" stroke-opacity=".6"/><circle cx="{0:.1}" cy="{1:.1}" r="4" fill="#1a6fb5"><title>{3} claims of {4:.3}: {5:.3} right</title></circle>"##,
            x(bin),
            y(bin),
            SIDE * (1.0 - bin.confidence),
            bin.claims,
            bin.confidence,
            bin.right
        );
    }
}

/// Says how many claims are in a bin: as good as the same number in each.
fn a_bin(bins: &[Bin]) -> String {
    let counts = || bins.iter().map(|bin| bin.claims);
    match (counts().min().unwrap_or(0), counts().max().unwrap_or(0)) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least} or {most}"),
    }
}

fn x(bin: &Bin) -> f64 {
    SIDE * bin.confidence
}

fn y(bin: &Bin) -> f64 {
    SIDE * (1.0 - bin.right)
}
