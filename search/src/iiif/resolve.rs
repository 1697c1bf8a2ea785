//! From what is asked to what is printed: regions and sizes in pixels of a given picture, and the
//! one way to write each request.
//!
//! Source: IIIF Image API 3.0, sections 4.1, 4.2 and 4.7. Sides are rounded to the nearest pixel
//! and never below one.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::print::{Print, PrintFormat, Region, Tones};

use super::ask::{ImageAsk, RegionAsk, SizeAsk};

/// The longest side of a print, in pixels: a WebP could have twice as many.
pub(super) const MOST_SIDE: u32 = 8_192;
/// The most pixels of a print before it is turned: 48 MiB of RGB.
pub(super) const MOST_AREA: u64 = 1 << 24;

/// A request resolved against a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub(super) print: Print,
    /// The request in its canonical form: the last four parts of its path.
    pub(super) canonical: String,
}

/// Resolves a request against a picture of a width and height.
///
/// # Errors
/// `BadInput` for a region outside the picture, and a size of nothing, beyond the bounds, or
/// larger than the region without `^`.
pub(super) fn resolve(ask: &ImageAsk, (width, height): (u32, u32)) -> Result<Resolved, Fault> {
    let region = region(ask.region, width, height)?;
    let (columns, rows) = size(ask, region)?;
    let print = Print {
        region,
        of: (width, height),
        width: columns,
        height: rows,
        mirrored: ask.mirrored,
        degrees: ask.degrees,
        tones: ask.tones,
        format: ask.format,
    };
    let canonical = canonical(&print);
    Ok(Resolved { print, canonical })
}

fn region(ask: RegionAsk, width: u32, height: u32) -> Result<Region, Fault> {
    let whole = Region { left: 0, top: 0, width, height };
    let [left, top, across, down] = match ask {
        RegionAsk::Full => return Ok(whole),
        RegionAsk::Square => {
            let side = width.min(height);
            let (left, top) = ((width - side) / 2, (height - side) / 2);
            return Ok(Region { left, top, width: side, height: side });
        }
        RegionAsk::Pixels(pixels) => pixels,
        RegionAsk::Percent([left, top, across, down]) => {
            // Narrowing saturates, and what is as wide as that is outside anyway.
            let at = |percent: f64, side: u32| (percent / 100.0 * f64::from(side)).round() as u64;
            let side = |percent: f64, side: u32| match at(percent, side) {
                0 if percent > 0.0 => 1,
                pixels => pixels,
            };
            [at(left, width), at(top, height), side(across, width), side(down, height)]
        }
    };
    let (wide, high) = (u64::from(width), u64::from(height));
    if across == 0 || down == 0 || left >= wide || top >= high {
        return Err(Fault::bad_input(format!(
            "the region {left},{top},{across},{down} has nothing of a picture of {width} x {height} pixels"
        )));
    }
    let within = |pixels: u64| pixels as u32;
    Ok(Region {
        left: within(left),
        top: within(top),
        width: within(across.min(wide - left)),
        height: within(down.min(high - top)),
    })
}

fn size(ask: &ImageAsk, region: Region) -> Result<(u32, u32), Fault> {
    let (width, height) = (f64::from(region.width), f64::from(region.height));
    let scaled = |by: f64| (width * by, height * by);
    let (across, down) = match ask.size {
        SizeAsk::Max => return Ok(largest(region, ask.enlarged)),
        SizeAsk::Width(across) => (across as f64, scaled(across as f64 / width).1),
        SizeAsk::Height(down) => (scaled(down as f64 / height).0, down as f64),
        SizeAsk::Percent(percent) => scaled(percent / 100.0),
        SizeAsk::Exact(across, down) => (across as f64, down as f64),
        SizeAsk::Within(across, down) => {
            let scale = (across as f64 / width).min(down as f64 / height);
            let most = bound(region);
            if scale > most && (ask.enlarged || most < 1.0) {
                return Ok(largest(region, ask.enlarged));
            }
            scaled(scale)
        }
    };
    let refused = |why: String| Err(Fault::bad_input(why));
    if across <= 0.0 || down <= 0.0 {
        return refused("the size asks for no pixels".to_owned());
    }
    let side = |length: f64| length.round().max(1.0);
    let (across, down) = (side(across), side(down));
    if across > f64::from(MOST_SIDE)
        || down > f64::from(MOST_SIDE)
        || across * down > MOST_AREA as f64
    {
        return refused(format!(
            "{across} x {down} pixels: at most {MOST_SIDE} a side and {MOST_AREA} altogether are made"
        ));
    }
    // A box larger than the region would be an enlargement too: the specification's table says to
    // give the region as it is, its text and its validator call it an error.
    if !ask.enlarged && (across > width || down > height) {
        return refused(format!(
            "{across} x {down} pixels are more than the region's {width} x {height}: write ^ to enlarge"
        ));
    }
    Ok((across as u32, down as u32))
}

/// The scale at which a region meets the bounds.
fn bound(region: Region) -> f64 {
    let (width, height) = (f64::from(region.width), f64::from(region.height));
    let most = f64::from(MOST_SIDE);
    (most / width).min(most / height).min((MOST_AREA as f64 / (width * height)).sqrt())
}

/// The largest print of a region within the bounds, in its proportions.
pub(super) fn largest(region: Region, enlarged: bool) -> (u32, u32) {
    let scale = bound(region);
    if scale >= 1.0 && !enlarged {
        return (region.width, region.height);
    }
    // Rounded down, so that rounding does not go over the bounds.
    let side = |length: u32| {
        let length = (f64::from(length) * scale + 1e-9).floor() as u32;
        length.clamp(1, MOST_SIDE)
    };
    (side(region.width), side(region.height))
}

/// Writes a request in its canonical form (section 4.7).
fn canonical(print: &Print) -> String {
    let Region { left, top, width, height } = print.region;
    let region = match (width, height) == print.of {
        true => "full".to_owned(),
        false => format!("{left},{top},{width},{height}"),
    };
    let (across, down) = (print.width, print.height);
    let size = if (across, down) == largest(print.region, false) {
        "max".to_owned()
    } else if across <= width && down <= height {
        format!("{across},{down}")
    } else if (across, down) == largest(print.region, true) {
        "^max".to_owned()
    } else {
        format!("^{across},{down}")
    };
    let mirrored = if print.mirrored { "!" } else { "" };
    let quality = match print.tones {
        Tones::Colour => "default",
        Tones::Grey => "gray",
        Tones::Bitonal => "bitonal",
    };
    let format = match print.format {
        PrintFormat::Jpeg => "jpg",
        PrintFormat::Png => "png",
        PrintFormat::Webp => "webp",
    };
    format!("{region}/{size}/{mirrored}{}/{quality}.{format}", print.degrees)
}

#[cfg(test)]
mod tests;
