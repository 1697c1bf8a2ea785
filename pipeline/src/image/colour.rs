//! Brings colours to sRGB: ICC profiles, CMYK, Lab, and the gammas that PNG and linear formats name.
//!
//! Works on packed 8-bit samples; decoders bring them here, whatever their file had.
//! Conversion is by `moxcms`; this module chooses the profile, the intent and what to do when
//! a profile is broken (ICC.1:2022; IEC 61966-2-1 for sRGB).

use std::sync::OnceLock;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ProfileText, ToneReprCurve, Transform8BitExecutor,
    TransformOptions,
};

use crate::fault::Fault;

/// CMYK pictures without a profile are taken for North American web offset print.
///
/// See `colour/README.md` for where the profile is from.
const DEFAULT_CMYK: &[u8] = include_bytes!("colour/cgats001.icc");

/// How many samples are converted at a time: source and result stay in the second cache.
const CHUNK_PIXELS: usize = 16 * 1024;

/// A profile whose colours move by no more than this many of 255 steps is sRGB for our purpose.
const UNSEEN_STEPS: u8 = 1;

/// Converts packed RGB in place from a profile's colours to sRGB.
///
/// Takes RGB profiles, and grey ones for pixels whose three samples are equal. Does nothing
/// for profiles that mean sRGB.
///
/// # Errors
/// `BadInput` when the profile is damaged or for another kind of picture; the pixels are then
/// unchanged, and callers show them as they are with a note.
pub fn to_srgb(rgb: &mut [u8], icc: &[u8]) -> Result<(), Fault> {
    let profile = parse(icc)?;
    match profile.color_space {
        DataColorSpace::Rgb => convert_rgb(rgb, &profile),
        DataColorSpace::Gray => {
            let curve = grey_curve(&profile)?;
            rgb.iter_mut().for_each(|sample| *sample = curve[usize::from(*sample)]);
            Ok(())
        }
        other => Err(Fault::bad_input(format!("the ICC profile is for {other:?}, not RGB"))),
    }
}

/// Reads the description of an ICC profile: `Adobe RGB (1998)`; `None` when there is none.
pub fn icc_description(icc: &[u8]) -> Option<String> {
    let text = match parse(icc).ok()?.description? {
        ProfileText::PlainString(text) => text,
        ProfileText::Localizable(texts) => texts.into_iter().next()?.value,
        ProfileText::Description(text) => {
            if text.ascii_string.is_empty() {
                text.unicode_string
            } else {
                text.ascii_string
            }
        }
    };
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
    (!text.is_empty()).then_some(text)
}

/// Converts packed CMYK, 255 being full ink, to packed sRGB by the given or the default profile.
///
/// Gives a note when the given profile could not be used.
pub(crate) fn cmyk_to_srgb(cmyk: &[u8], icc: Option<&[u8]>) -> (Vec<u8>, Option<String>) {
    let given = icc.map(|icc| parse(icc).and_then(|profile| cmyk_transform(&profile)));
    let (transform, note) = match given {
        Some(Ok(transform)) => (transform, None),
        Some(Err(fault)) => (default_cmyk(), Some(ignored(&fault))),
        None => (default_cmyk(), None),
    };
    let mut rgb = vec![0; cmyk.len() / 4 * 3];
    for (from, to) in cmyk.chunks(CHUNK_PIXELS * 4).zip(rgb.chunks_mut(CHUNK_PIXELS * 3)) {
        let whole = from.len() / 4 * 4;
        transform.transform(&from[..whole], to).expect("three samples for every four");
    }
    (rgb, note)
}

/// Says that a profile was left out and why.
pub(crate) fn ignored(fault: &Fault) -> String {
    format!("the embedded ICC profile was ignored: {}", fault.reason())
}

/// Converts CIE L*a*b* under D50 to sRGB; L from 0 to 100, a and b around 0.
pub(crate) fn lab_to_srgb([l, a, b]: [f32; 3]) -> [u8; 3] {
    // CIE 15:2004; the inverse of its cube root with the linear toe.
    let fy = (l + 16.0) / 116.0;
    let inverse =
        |t: f32| if t > 6.0 / 29.0 { t.powi(3) } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    let (x, y, z) =
        (0.9642 * inverse(fy + a / 500.0), inverse(fy), 0.8249 * inverse(fy - b / 200.0));
    // XYZ under D50 to linear sRGB, Bradford-adapted: the inverse of the sRGB profile's colorants.
    [
        srgb_encode(3.1339 * x - 1.6169 * y - 0.4906 * z),
        srgb_encode(-0.9788 * x + 1.9161 * y + 0.0335 * z),
        srgb_encode(0.0719 * x - 0.2290 * y + 1.4052 * z),
    ]
}

/// Encodes a linear light of 0 to 1 as sRGB; beyond both ends it is clipped, NaN becomes black.
pub(crate) fn srgb_encode(linear: f32) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let encoded =
        if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (encoded * 255.0 + 0.5) as u8
}

/// The primaries and white point of PNG's cHRM chunk: white, red, green, blue as x, y.
pub(crate) type Chromaticities = [(f32, f32); 4];

/// Converts packed RGB in place from a gamma and, when known, primaries, to sRGB.
///
/// `gamma` is PNG's: the exponent of encoding, 1/2.2 for most displays.
pub(crate) fn gamma_to_srgb(rgb: &mut [u8], gamma: f32, primaries: Option<Chromaticities>) {
    // Encoders write 0.45455 for sRGB itself; closer than this no eye sees the difference.
    let usual = (gamma - 1.0 / 2.2).abs() < 0.01;
    let unusual_primaries = primaries.filter(|given| {
        let srgb = [(0.3127, 0.329), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)];
        given.iter().zip(srgb).any(|(a, b)| (a.0 - b.0).abs() > 0.005 || (a.1 - b.1).abs() > 0.005)
    });
    if !(0.05..=5.0).contains(&gamma) || (usual && unusual_primaries.is_none()) {
        return;
    }
    if let Some([white, red, green, blue]) = unusual_primaries {
        let mut profile = ColorProfile::new_srgb();
        let point = |(x, y): (f32, f32)| moxcms::Chromaticity::new(x, y);
        profile.update_rgb_colorimetry(
            point(white).to_xyyb(),
            moxcms::ColorPrimaries { red: point(red), green: point(green), blue: point(blue) },
        );
        let curve = ToneReprCurve::Parametric(vec![1.0 / gamma]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
        // Primaries that give no conversion are nonsense; the gamma alone still holds.
        if convert_rgb(rgb, &profile).is_ok() {
            return;
        }
    }
    let curve: [u8; 256] =
        std::array::from_fn(|sample| srgb_encode((sample as f32 / 255.0).powf(1.0 / gamma)));
    rgb.iter_mut().for_each(|sample| *sample = curve[usize::from(*sample)]);
}

fn parse(icc: &[u8]) -> Result<ColorProfile, Fault> {
    ColorProfile::new_from_slice(icc)
        .map_err(|error| Fault::bad_input("damaged ICC profile").because(error.to_string()))
}

fn refused(error: moxcms::CmsError) -> Fault {
    Fault::bad_input("the ICC profile gives no conversion to sRGB").because(error.to_string())
}

fn convert_rgb(rgb: &mut [u8], profile: &ColorProfile) -> Result<(), Fault> {
    let options = TransformOptions::default();
    let transform = profile
        .create_transform_8bit(Layout::Rgb, &ColorProfile::new_srgb(), Layout::Rgb, options)
        .map_err(refused)?;
    if means_srgb(&*transform)? {
        return Ok(());
    }
    let mut source = vec![0; CHUNK_PIXELS * 3];
    for chunk in rgb.chunks_mut(CHUNK_PIXELS * 3) {
        let source = &mut source[..chunk.len()];
        source.copy_from_slice(chunk);
        transform.transform(source, chunk).map_err(refused)?;
    }
    Ok(())
}

/// Tries a lattice of colours that reaches the corners and the greys.
fn means_srgb(transform: &Transform8BitExecutor) -> Result<bool, Fault> {
    let levels = [0, 32, 64, 128, 192, 255_u8];
    let mut lattice = Vec::new();
    for r in levels {
        for g in levels {
            lattice.extend(levels.iter().flat_map(|&b| [r, g, b]));
        }
    }
    let mut converted = vec![0; lattice.len()];
    transform.transform(&lattice, &mut converted).map_err(refused)?;
    Ok(lattice.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= UNSEEN_STEPS))
}

fn grey_curve(profile: &ColorProfile) -> Result<Vec<u8>, Fault> {
    let options = TransformOptions::default();
    let transform = profile
        .create_transform_8bit(Layout::Gray, &ColorProfile::new_srgb(), Layout::Rgb, options)
        .map_err(refused)?;
    let levels: Vec<u8> = (0..=255).collect();
    let mut rgb = vec![0; 256 * 3];
    transform.transform(&levels, &mut rgb).map_err(refused)?;
    Ok(rgb.chunks_exact(3).map(|pixel| pixel[1]).collect())
}

type SharedTransform = std::sync::Arc<Transform8BitExecutor>;

fn cmyk_transform(profile: &ColorProfile) -> Result<SharedTransform, Fault> {
    if profile.color_space != DataColorSpace::Cmyk {
        let space = profile.color_space;
        return Err(Fault::bad_input(format!("the ICC profile is for {space:?}, not CMYK")));
    }
    let options = TransformOptions::default();
    // moxcms lays CMYK out as RGBA.
    profile
        .create_transform_8bit(Layout::Rgba, &ColorProfile::new_srgb(), Layout::Rgb, options)
        .map_err(refused)
}

fn default_cmyk() -> SharedTransform {
    static DEFAULT: OnceLock<SharedTransform> = OnceLock::new();
    let make = || parse(DEFAULT_CMYK).and_then(|profile| cmyk_transform(&profile));
    DEFAULT.get_or_init(|| make().expect("the built-in profile is whole")).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(profile: &ColorProfile) -> Vec<u8> {
        profile.encode().expect("a whole profile")
    }

    fn near(found: &[u8], expected: &[u8], steps: u8) {
        let far = found.iter().zip(expected).any(|(a, b)| a.abs_diff(*b) > steps);
        assert!(!far && found.len() == expected.len(), "{found:?} is not near {expected:?}");
    }

    #[test]
    fn a_wide_gamut_profile_gives_the_known_srgb_values() {
        // Adobe RGB (1998) and Display P3 to sRGB, by the published matrices.
        let mut adobe = [128, 128, 128, 100, 150, 200, 200, 150, 100];
        to_srgb(&mut adobe, &encoded(&ColorProfile::new_adobe_rgb())).expect("a whole profile");
        near(&adobe, &[128, 128, 128, 65, 150, 201, 219, 149, 97], 2);
        let mut p3 = [200, 100, 50];
        to_srgb(&mut p3, &encoded(&ColorProfile::new_display_p3())).expect("a whole profile");
        near(&p3, &[215, 95, 31], 2);
    }

    #[test]
    fn an_srgb_profile_changes_nothing_and_a_broken_one_neither() {
        let original: Vec<u8> = (0..=254).collect();
        let mut rgb = original.clone();
        to_srgb(&mut rgb, &encoded(&ColorProfile::new_srgb())).expect("a whole profile");
        assert_eq!(rgb, original);
        let mut cut = encoded(&ColorProfile::new_adobe_rgb());
        cut.truncate(200);
        assert!(to_srgb(&mut rgb, &cut).is_err());
        assert!(to_srgb(&mut rgb, DEFAULT_CMYK).is_err(), "CMYK profiles are for CMYK pictures");
        assert_eq!(rgb, original);
    }

    #[test]
    fn a_grey_profile_moves_greys() {
        let mut linear = [128, 128, 128];
        let mut profile = ColorProfile::new_gray_with_gamma(1.0);
        profile.gray_trc = Some(ToneReprCurve::Parametric(vec![1.0]));
        to_srgb(&mut linear, &encoded(&profile)).expect("a whole profile");
        near(&linear, &[188, 188, 188], 1);
    }

    #[test]
    fn inks_without_a_profile_look_as_on_paper() {
        // White, black ink, cyan, magenta, yellow, half black, as printers' charts show them.
        let inks =
            [0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 128];
        let (rgb, note) = cmyk_to_srgb(&inks, None);
        assert_eq!(note, None);
        near(&rgb[..3], &[255, 255, 255], 3);
        near(&rgb[3..6], &[35, 31, 32], 20);
        near(&rgb[6..9], &[0, 174, 239], 20);
        near(&rgb[9..12], &[236, 0, 140], 20);
        near(&rgb[12..15], &[255, 242, 0], 20);
        near(&rgb[15..18], &[147, 149, 152], 12);
    }

    #[test]
    fn a_wrong_profile_for_cmyk_is_left_out_with_a_note() {
        let (with, note) = cmyk_to_srgb(&[10, 20, 30, 40], Some(b"junk"));
        assert_eq!(with, cmyk_to_srgb(&[10, 20, 30, 40], None).0);
        assert!(note.is_some_and(|note| note.starts_with("the embedded ICC profile was ignored")));
    }

    #[test]
    fn lab_and_gamma_follow_their_formulas() {
        near(&lab_to_srgb([100.0, 0.0, 0.0]), &[255, 255, 255], 1);
        near(&lab_to_srgb([53.6, 0.0, 0.0]), &[128, 128, 128], 1);
        near(&lab_to_srgb([54.29, 80.81, 69.89]), &[255, 0, 0], 2);
        let mut rgb = [128, 0, 255];
        gamma_to_srgb(&mut rgb, 1.0, None);
        assert_eq!(rgb, [188, 0, 255]);
        let mut usual = [128, 0, 255];
        gamma_to_srgb(&mut usual, 0.45455, None);
        assert_eq!(usual, [128, 0, 255]);
    }

    #[test]
    fn every_cut_of_a_profile_is_survived() {
        for length in (0..DEFAULT_CMYK.len()).step_by(37) {
            let _ = (
                icc_description(&DEFAULT_CMYK[..length]),
                cmyk_to_srgb(&[0; 4], Some(&DEFAULT_CMYK[..length])),
            );
        }
    }
}
