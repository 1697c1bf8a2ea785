//! Plots as SVG, drawn here: a report loads nothing from anywhere.

use maud::{Markup, html};

use super::Series;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 160.0;
/// Room for the numbers at the left and below.
const LEFT: f64 = 64.0;
const BELOW: f64 = 22.0;

/// A series as an area over time.
pub(super) fn area(series: &Series, unit: &str) -> Markup {
    let values = &series.values;
    let most = values.iter().copied().fold(0.0, f64::max);
    let Some(from) = series.from.filter(|_| most > 0.0) else {
        return html! { p.nothing { "nothing yet" } };
    };
    let x = |at: usize| LEFT + (WIDTH - LEFT) * at as f64 / values.len() as f64;
    let y = |value: f64| (HEIGHT - BELOW) * (1.0 - value / most) + 4.0;
    let mut path = format!("M{LEFT:.1} {:.1}", y(0.0));
    for (at, value) in values.iter().enumerate() {
        path.push_str(&format!("L{:.1} {2:.1}L{:.1} {2:.1}", x(at), x(at + 1), y(*value)));
    }
    path.push_str(&format!("L{WIDTH:.1} {:.1}Z", y(0.0)));
    let length = series.seconds * values.len() as f64;
    let title = format!("{unit}, over {length:.0} seconds from {from}");
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(title) {
            title { (title) }
            path.area d=(path) {}
            text x=(LEFT - 6.0) y="14" text-anchor="end" { (number(most)) }
            text x=(LEFT - 6.0) y=(y(0.0)) text-anchor="end" { "0" }
            text x=(LEFT) y=(HEIGHT - 4.0) { (from.strftime("%H:%M:%S UTC").to_string()) }
            text x=(WIDTH) y=(HEIGHT - 4.0) text-anchor="end" { "+ " (format!("{length:.0}")) " s" }
        }
    }
}

/// Counts as bars, one a line.
pub(super) fn bars(counts: &[(String, u64)]) -> Markup {
    const LINE: f64 = 20.0;
    const NAMES: f64 = 180.0;
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if most == 0 {
        return html! { p.nothing { "none" } };
    }
    let height = LINE * counts.len() as f64;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" {
            @for (at, (name, count)) in counts.iter().enumerate() {
                @let y = LINE * at as f64;
                @let long = (WIDTH - NAMES - 60.0) * *count as f64 / most as f64;
                text x=(NAMES - 6.0) y=(y + 14.0) text-anchor="end" { (shortened(name)) }
                rect.bar x=(NAMES) y=(y + 3.0) width=(format!("{long:.1}")) height="14" {}
                text x=(format!("{:.1}", NAMES + long + 6.0)) y=(y + 14.0) { (count) }
            }
        }
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(24) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 1.0 => format!("{v:.1}"),
        v => format!("{v:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_plot() {
        let svg = bars(&[("</text><script>x</script>".to_owned(), 2)]).into_string();
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
        assert!(area(&Series::default(), "x").into_string().contains("nothing"));
    }
}
