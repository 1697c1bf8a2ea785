//! What an image request asks for: the grammar of the Image API's parameters.
//!
//! Source: IIIF Image API 3.0, section 4 (<https://iiif.io/api/image/3.0/#4-image-requests>). What
//! is asked becomes a print by the module `resolve`, which knows the picture.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::print::{PrintFormat, Tones};

use super::refusal::Refusal;

/// Formats that the specification names and that are not coded here.
const NOT_CODED: [&str; 4] = ["tif", "gif", "jp2", "pdf"];

/// One image request, as its path says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImageAsk {
    pub(super) region: RegionAsk,
    pub(super) size: SizeAsk,
    /// Whether the print may be larger than the region.
    pub(super) enlarged: bool,
    pub(super) mirrored: bool,
    /// Degrees clockwise, from 0 to below 360.
    pub(super) degrees: f64,
    pub(super) tones: Tones,
    pub(super) format: PrintFormat,
}

/// Which part of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RegionAsk {
    Full,
    Square,
    /// Left, top, width, height in pixels.
    Pixels([u64; 4]),
    /// Left, top, width, height in hundredths of the picture.
    Percent([f64; 4]),
}

/// At which size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SizeAsk {
    Max,
    Width(u64),
    Height(u64),
    /// In hundredths of the region.
    Percent(f64),
    Exact(u64, u64),
    /// As large as fits, in the region's proportions.
    Within(u64, u64),
}

impl ImageAsk {
    /// Reads the last four parts of an image request's path, decoded; `file` is quality and format.
    ///
    /// # Errors
    /// `BadInput` naming the part; not implemented for a format that is not coded here.
    pub(super) fn read(
        region: &str,
        size: &str,
        rotation: &str,
        file: &str,
    ) -> Result<Self, Refusal> {
        let (quality, format) = file.rsplit_once('.').ok_or_else(|| {
            Fault::bad_input(format!("{file:?} is not a quality and a format, as in default.jpg"))
        })?;
        let (bare, enlarged) = match size.strip_prefix('^') {
            Some(bare) => (bare, true),
            None => (size, false),
        };
        let (turn, mirrored) = match rotation.strip_prefix('!') {
            Some(turn) => (turn, true),
            None => (rotation, false),
        };
        Ok(Self {
            region: region_of(region).ok_or_else(|| wrong("region", region))?,
            size: size_of(bare).ok_or_else(|| wrong("size", size))?,
            enlarged,
            mirrored,
            degrees: degrees_of(turn).ok_or_else(|| wrong("rotation", rotation))?,
            tones: tones_of(quality).ok_or_else(|| wrong("quality", quality))?,
            format: format_of(format)?,
        })
    }
}

fn wrong(part: &str, text: &str) -> Fault {
    Fault::bad_input(format!("{text:?} is no {part} of an image request"))
}

fn region_of(text: &str) -> Option<RegionAsk> {
    match text {
        "full" => return Some(RegionAsk::Full),
        "square" => return Some(RegionAsk::Square),
        _ => {}
    }
    if let Some(percent) = text.strip_prefix("pct:") {
        return four(percent, decimal).map(RegionAsk::Percent);
    }
    four(text, whole).map(RegionAsk::Pixels)
}

fn size_of(text: &str) -> Option<SizeAsk> {
    if text == "max" {
        return Some(SizeAsk::Max);
    }
    if let Some(percent) = text.strip_prefix("pct:") {
        return decimal(percent).map(SizeAsk::Percent);
    }
    if let Some(box_) = text.strip_prefix('!') {
        let (width, height) = box_.split_once(',')?;
        return Some(SizeAsk::Within(whole(width)?, whole(height)?));
    }
    match text.split_once(',')? {
        ("", "") => None,
        (width, "") => whole(width).map(SizeAsk::Width),
        ("", height) => whole(height).map(SizeAsk::Height),
        (width, height) => Some(SizeAsk::Exact(whole(width)?, whole(height)?)),
    }
}

fn degrees_of(text: &str) -> Option<f64> {
    let degrees = decimal(text).filter(|degrees| *degrees <= 360.0)?;
    Some(if degrees == 360.0 { 0.0 } else { degrees })
}

fn tones_of(text: &str) -> Option<Tones> {
    match text {
        "default" | "color" => Some(Tones::Colour),
        "gray" => Some(Tones::Grey),
        "bitonal" => Some(Tones::Bitonal),
        _ => None,
    }
}

fn format_of(text: &str) -> Result<PrintFormat, Refusal> {
    match text {
        "jpg" => Ok(PrintFormat::Jpeg),
        "png" => Ok(PrintFormat::Png),
        "webp" => Ok(PrintFormat::Webp),
        _ if NOT_CODED.contains(&text) => Err(Refusal::NotImplemented(format!(
            "{text} is not coded here; the formats are jpg, png and webp"
        ))),
        _ => Err(wrong("format", text).into()),
    }
}

fn four<T: Copy + Default>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<[T; 4]> {
    let mut numbers = [T::default(); 4];
    let mut parts = text.split(',');
    for number in &mut numbers {
        *number = read(parts.next()?)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Reads a whole number without a sign; what is past 64 bits is past every picture.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads a decimal number without a sign or an exponent.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let points = text.bytes().filter(|byte| *byte == b'.').count();
    let plain = digits > 0 && points <= 1 && digits + points == text.len();
    plain.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Result<ImageAsk, Refusal> {
        let parts: Vec<&str> = path.split('/').collect();
        ImageAsk::read(parts[0], parts[1], parts[2], parts[3])
    }

    #[test]
    fn every_form_that_the_specification_names_is_read() {
        for region in ["full", "square", "125,15,120,140", "pct:41.6,7.5,40,70", "0,0,1,1"] {
            for size in
                ["max", "150,", ",150", "pct:50", "225,100", "!225,100", "pct:.5", "pct:100.0"]
            {
                for rotation in ["0", "22.5", "!0", "!180", "360", "0.0"] {
                    for file in ["default.jpg", "color.png", "gray.webp", "bitonal.png"] {
                        let path = format!("{region}/{size}/{rotation}/{file}");
                        assert!(!read(&path).expect(&path).enlarged);
                        let larger = format!("{region}/^{size}/{rotation}/{file}");
                        assert!(read(&larger).expect(&larger).enlarged);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_parameter_is_bad_input() {
        for path in [
            "fulll/max/0/default.jpg",
            "1,2,3/max/0/default.jpg",
            "1,2,3,4,5/max/0/default.jpg",
            "-1,2,3,4/max/0/default.jpg",
            "1.5,2,3,4/max/0/default.jpg",
            "pct:1,2,3/max/0/default.jpg",
            "pct:1,2,3,1e2/max/0/default.jpg",
            "pct:1,2,3,NaN/max/0/default.jpg",
            "full/full/0/default.jpg",
            "full/,/0/default.jpg",
            "full/!5,/0/default.jpg",
            "full/^/0/default.jpg",
            "full/^^max/0/default.jpg",
            "full/!^5,5/0/default.jpg",
            "full/pct:/0/default.jpg",
            "full/pct:./0/default.jpg",
            "full/max/361/default.jpg",
            "full/max/-90/default.jpg",
            "full/max/!/default.jpg",
            "full/max/!!0/default.jpg",
            "full/max/90deg/default.jpg",
            "full/max/0/native.jpg",
            "full/max/0/grey.jpg",
            "full/max/0/default",
            "full/max/0/default.jpeg",
            "full/max/0/default.",
            "full/max/0/.jpg",
        ] {
            let refusal = read(path).expect_err(path);
            assert_eq!(refusal.status(), 400, "{path}");
        }
    }

    #[test]
    fn a_format_that_exists_elsewhere_is_not_implemented() {
        for format in NOT_CODED {
            let refusal = read(&format!("full/max/0/default.{format}")).expect_err(format);
            assert_eq!(refusal.status(), 501);
        }
    }
}
