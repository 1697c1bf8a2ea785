//! Renditions by their pixels: upright, in register, never enlarged, with their colours.
#![allow(clippy::print_stderr, reason = "the measured figures belong in the test's output")]

#[allow(unreachable_pub, reason = "the file is a public module of glassplate-tests")]
#[path = "../../tests/src/photograph.rs"]
mod photograph;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::image::render::{from_jpeg, from_raster, render};
use glassplate_pipeline::image::{
    ColourModel, Decoded, Format, Limits, Rendered, Technical, coded, phash,
};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::rendition::{Recipe, RenditionFormat};
use moxcms::{ColorProfile, Layout, TransformOptions};
use turbojpeg::{Colorspace, Compressor, PixelFormat, Subsamp};

const SUBSAMPLINGS: [Subsamp; 6] = [
    Subsamp::None,
    Subsamp::Sub2x1,
    Subsamp::Sub2x2,
    Subsamp::Sub1x2,
    Subsamp::Sub4x1,
    Subsamp::Sub1x4,
];

fn technical(orientation: u8) -> Technical {
    Technical {
        format: Format::Jpeg,
        width: 0,
        height: 0,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Ycbcr,
        alpha: false,
        orientation,
        icc: None,
    }
}

fn sizes(sizes: &[u32]) -> Recipe {
    Recipe { sizes: sizes.to_vec(), quality: 95, ..Recipe::default() }
}

fn synthetic(width: usize, height: usize) -> Raster {
    Raster::new(width as u32, height as u32, photograph::photograph(width, height, 3))
}

fn code(raster: &Raster, settings: impl FnOnce(&mut Compressor)) -> Vec<u8> {
    let mut compressor = Compressor::new().expect("a compressor");
    compressor.set_quality(95).expect("a good quality");
    settings(&mut compressor);
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    let pixels = raster.rgb();
    let format = PixelFormat::RGB;
    compressor
        .compress_to_vec(turbojpeg::Image { pixels, width, pitch: width * 3, height, format })
        .expect("coded")
}

fn jpeg(raster: &Raster, subsampling: Subsamp) -> Vec<u8> {
    code(raster, |compressor| compressor.set_subsamp(subsampling).expect("a good subsampling"))
}

fn fast(bytes: &[u8], orientation: u8, recipe: &Recipe) -> Rendered {
    from_jpeg(bytes, &technical(orientation), recipe, &Limits::default())
        .expect("rendered")
        .expect("for the fast path")
}

fn decode(bytes: &[u8]) -> Raster {
    let decoded = turbojpeg::decompress(bytes, PixelFormat::RGB).expect("decodes");
    Raster::new(decoded.width as u32, decoded.height as u32, decoded.pixels)
}

/// The mean square difference of luma, and of Cb and Cr together.
fn differences(one: &Raster, other: &Raster) -> (f64, f64) {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()), "sizes are equal");
    let mut squares = (0.0, 0.0);
    for (a, b) in one.rgb().chunks_exact(3).zip(other.rgb().chunks_exact(3)) {
        let d: [f64; 3] = std::array::from_fn(|at| f64::from(a[at]) - f64::from(b[at]));
        let luma = 0.299 * d[0] + 0.587 * d[1] + 0.114 * d[2];
        squares.0 += luma * luma;
        squares.1 += ((d[2] - luma) / 1.772).powi(2) + ((d[0] - luma) / 1.402).powi(2);
    }
    let count = f64::from(one.width()) * f64::from(one.height());
    (squares.0 / count, squares.1 / count)
}

/// Stores upright pixels the way a camera held otherwise would: the inverse of the EXIF turn,
/// written as EXIF 2.32 words it, independently of the code under test.
fn as_held(upright: &Raster, orientation: u8) -> Raster {
    let (width, height) = (upright.width(), upright.height());
    let (columns, rows) = if orientation >= 5 { (height, width) } else { (width, height) };
    let mut rgb = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            // Where row 0 and column 0 of the stored picture are in the upright one.
            let (x, y) = match orientation {
                1 => (column, row),
                2 => (width - 1 - column, row),
                3 => (width - 1 - column, height - 1 - row),
                4 => (column, height - 1 - row),
                5 => (row, column),
                6 => (width - 1 - row, column),
                7 => (width - 1 - row, height - 1 - column),
                8 => (row, height - 1 - column),
                _ => unreachable!("EXIF has eight orientations"),
            };
            let at = (y * width + x) as usize * 3;
            rgb.extend_from_slice(&upright.rgb()[at..at + 3]);
        }
    }
    Raster::new(columns, rows, rgb)
}

#[test]
fn all_eight_orientations_come_out_upright_and_in_register() {
    // Odd sides both ways: there chroma pairs change partners when the picture is flipped.
    let upright = synthetic(333, 221);
    for size in [1024, 201, 64] {
        let mut recipe = sizes(&[size]);
        let expected =
            decode(&from_raster(upright.clone(), &recipe).expect("rendered").files[0].bytes);
        recipe.quality = 95;
        for orientation in 1..=8 {
            let bytes = jpeg(&as_held(&upright, orientation), Subsamp::None);
            let rendered = fast(&bytes, orientation, &recipe);
            let (luma, chroma) = differences(&decode(&rendered.files[0].bytes), &expected);
            assert!(luma < 12.0 && chroma < 6.0, "{orientation} at {size}: {luma:.1} {chroma:.1}");
            let working = (rendered.working.width(), rendered.working.height());
            assert_eq!(working, (333, 221), "{orientation}");
        }
    }
}

#[test]
fn every_subsampling_keeps_chroma_in_register_with_luma() {
    let original = synthetic(1511, 1007);
    for subsampling in SUBSAMPLINGS {
        for orientation in [1, 3] {
            let held = as_held(&original, orientation);
            let recipe = sizes(&[311]);
            let rendered = fast(&jpeg(&held, subsampling), orientation, &recipe);
            let ours = decode(&rendered.files[0].bytes);
            let exact = from_raster(original.clone(), &recipe).expect("rendered");
            let (luma, chroma) = differences(&ours, &decode(&exact.files[0].bytes));
            assert!(luma < 6.0 && chroma < 4.0, "{subsampling:?}: {luma:.2} {chroma:.2}");
        }
    }
}

#[test]
fn a_partly_filled_last_sample_does_not_stretch_the_picture() {
    // At an eighth of the size the picture ends an eighth into its tenth row.
    let original = synthetic(9425, 73);
    let recipe = sizes(&[1024]);
    let exact = from_raster(original.clone(), &recipe).expect("rendered");
    let exact = decode(&exact.files[0].bytes);
    for orientation in [1, 3] {
        let held = as_held(&original, orientation);
        let rendered = fast(&jpeg(&held, Subsamp::Sub2x2), orientation, &recipe);
        let (luma, chroma) = differences(&decode(&rendered.files[0].bytes), &exact);
        assert!(luma < 20.0 && chroma < 8.0, "{orientation}: {luma:.2} {chroma:.2}");
    }
}

#[test]
fn grey_stays_grey() {
    let grey = code(&synthetic(700, 500), |compressor| {
        compressor.set_colorspace(Colorspace::Gray).expect("grey");
        compressor.set_subsamp(Subsamp::Gray).expect("grey");
    });
    let rendered = fast(&grey, 6, &sizes(&[256]));
    let header = turbojpeg::read_header(&rendered.files[0].bytes).expect("a header");
    assert_eq!((header.width, header.height), (183, 256));
    assert_eq!(header.colorspace, Colorspace::Gray);
    assert!(rendered.working.rgb().chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]));
}

#[test]
fn what_has_no_planes_goes_to_the_general_decoder() {
    let raster = synthetic(300, 200);
    let rgb = code(&raster, |compressor| {
        compressor.set_colorspace(Colorspace::RGB).expect("RGB");
    });
    let lossless = code(&raster, |compressor| compressor.set_lossless(true).expect("lossless"));
    let pixels: Vec<u8> =
        raster.rgb().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 9]).collect();
    let cmyk = Compressor::new()
        .expect("a compressor")
        .compress_to_vec(turbojpeg::Image {
            pixels: &pixels[..],
            width: 300,
            pitch: 1200,
            height: 200,
            format: PixelFormat::CMYK,
        })
        .expect("coded");
    for bytes in [rgb, lossless, cmyk] {
        let (recipe, limits) = (sizes(&[256]), Limits::default());
        assert!(from_jpeg(&bytes, &technical(1), &recipe, &limits).expect("no fault").is_none());
        let damage = Some("odd".to_owned());
        let general = || Ok(Decoded { raster: raster.clone(), damage, note: None });
        let rendered = render(&bytes, &technical(1), &recipe, &limits, general).expect("rendered");
        assert_eq!(rendered.damage.as_deref(), Some("odd"));
    }
}

#[test]
fn nothing_is_enlarged_and_every_size_has_its_file() {
    let rendered = fast(&jpeg(&synthetic(601, 399), Subsamp::Sub2x2), 1, &Recipe::default());
    let files: Vec<_> =
        rendered.files.iter().map(|f| (f.name.as_str(), f.width, f.height)).collect();
    assert_eq!(files, [("2048", 601, 399), ("1024", 601, 399), ("256", 256, 170)]);
    assert_eq!(rendered.files[0].bytes, rendered.files[1].bytes);
    assert_eq!((rendered.working.width(), rendered.working.height()), (601, 399));
}

#[test]
fn the_thinnest_pictures_keep_both_sides() {
    for (width, height) in [(1, 5000), (5000, 1), (1, 1), (2, 3), (7, 4099), (8, 8)] {
        let raster = synthetic(width, height);
        for subsampling in SUBSAMPLINGS {
            for orientation in 1..=8 {
                let bytes = jpeg(&raster, subsampling);
                let rendered = fast(&bytes, orientation, &Recipe::default());
                for file in &rendered.files {
                    let decoded = decode(&file.bytes);
                    assert_eq!((decoded.width(), decoded.height()), (file.width, file.height));
                    assert!(file.width.max(file.height) <= width.max(height) as u32);
                }
            }
        }
        assert_eq!(from_raster(raster, &Recipe::default()).expect("rendered").files.len(), 3);
    }
}

#[test]
fn a_raster_gives_the_same_renditions_as_its_jpeg() {
    let raster = synthetic(2301, 1533);
    let ours = from_raster(raster.clone(), &Recipe::default()).expect("rendered");
    let jpegs = fast(&jpeg(&raster, Subsamp::None), 1, &Recipe::default());
    assert!(phash::distance(ours.phash, jpegs.phash) <= 4);
    for (one, other) in ours.files.iter().zip(&jpegs.files) {
        let (luma, chroma) = differences(&decode(&one.bytes), &decode(&other.bytes));
        assert!(luma < 12.0 && chroma < 6.0, "{}: {luma:.2} {chroma:.2}", one.name);
    }
}

#[test]
fn webp_is_written_when_asked_for() {
    let recipe = Recipe { format: RenditionFormat::Webp, sizes: vec![256], quality: 90 };
    let raster = synthetic(901, 600);
    let rendered = fast(&jpeg(&raster, Subsamp::Sub2x2), 1, &recipe);
    let decoded = webp::Decoder::new(&rendered.files[0].bytes).decode().expect("a WebP");
    assert_eq!((decoded.width(), decoded.height()), (256, 170));
    let jpegs = fast(&jpeg(&raster, Subsamp::Sub2x2), 1, &sizes(&[256]));
    let pixels = Raster::new(256, 170, decoded.to_vec());
    let (luma, chroma) = differences(&pixels, &decode(&jpegs.files[0].bytes));
    assert!(luma < 40.0 && chroma < 20.0, "{luma:.1} {chroma:.1}");
}

/// Puts a profile into a JPEG, right behind its start, as one APP2 chunk.
fn with_profile(jpeg: &[u8], icc: &[u8]) -> Vec<u8> {
    let length = u16::try_from(icc.len() + 16).expect("a small profile");
    let head = [&[0xff, 0xd8, 0xff, 0xe2][..], &length.to_be_bytes(), b"ICC_PROFILE\0\x01\x01"];
    [&head.concat(), icc, &jpeg[2..]].concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_profile_is_carried_or_converted_but_never_dropped() {
    let colour = [90, 190, 110];
    let raster = Raster::new(300, 200, colour.repeat(300 * 200));
    let plain = jpeg(&raster, Subsamp::Sub2x2);
    let profile = ColorProfile::new_adobe_rgb();
    let mut srgb = [0; 3];
    profile
        .create_transform_8bit(
            Layout::Rgb,
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            TransformOptions::default(),
        )
        .expect("a transform")
        .transform(&colour, &mut srgb)
        .expect("transformed");
    assert!(srgb[0].abs_diff(colour[0]) > 20, "the test's colour differs between the spaces");
    let near = |raster: &Raster, expected: [u8; 3]| {
        let pixel = &raster.rgb()[30_000..30_003];
        assert!(pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4), "{pixel:?}");
    };

    let small = profile.encode().expect("encoded");
    let rendered = fast(&with_profile(&plain, &small), 1, &sizes(&[256]));
    assert!(holds(&rendered.files[0].bytes, &small));
    near(&decode(&rendered.files[0].bytes), colour);
    near(&rendered.working, srgb);

    let mut large = small.clone();
    large.resize(20_000, 0);
    large[..4].copy_from_slice(&20_000_u32.to_be_bytes());
    let rendered = fast(&with_profile(&plain, &large), 1, &sizes(&[256]));
    assert!(!holds(&rendered.files[0].bytes, b"ICC_PROFILE"));
    near(&decode(&rendered.files[0].bytes), srgb);

    let webp = Recipe { format: RenditionFormat::Webp, ..sizes(&[256]) };
    let rendered = fast(&with_profile(&plain, &small), 1, &webp);
    let decoded = webp::Decoder::new(&rendered.files[0].bytes).decode().expect("a WebP");
    near(&Raster::new(256, 171, decoded.to_vec()), srgb);

    let mut broken = small.clone();
    broken.truncate(200);
    let rendered = fast(&with_profile(&plain, &broken), 1, &sizes(&[256]));
    let damage = rendered.damage.expect("a note");
    assert!(damage.starts_with("profile ignored: "), "{damage}");
    near(&rendered.working, colour);

    let neutral = ColorProfile::new_srgb().encode().expect("encoded");
    let rendered = fast(&with_profile(&plain, &neutral), 1, &sizes(&[256]));
    assert!(!holds(&rendered.files[0].bytes, b"ICC_PROFILE"));
    near(&rendered.working, colour);
}

#[test]
fn a_truncated_jpeg_says_how_far_it_goes() {
    let whole = jpeg(&synthetic(640, 480), Subsamp::Sub2x2);
    assert_eq!(fast(&whole, 1, &sizes(&[256])).damage, None);
    let half = fast(&whole[..whole.len() / 2], 1, &sizes(&[256]));
    let damage = half.damage.expect("damage");
    let rows = damage
        .strip_prefix("truncated: ")
        .and_then(|rest| rest.strip_suffix(" of 480 rows decoded"))
        .and_then(|rows| rows.parse::<u32>().ok())
        .expect(&damage);
    assert!((160..=340).contains(&rows), "{damage}");
    let endless = fast(&whole[..whole.len() - 2], 1, &sizes(&[256]));
    assert_eq!(endless.damage.as_deref(), Some("truncated: the end marker is missing"));
}

#[test]
fn a_jpeg_without_picture_data_is_bad_input() {
    let whole = jpeg(&synthetic(640, 480), Subsamp::Sub2x2);
    let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
    for length in [0, 1, 2, 20, scan, scan + 14] {
        let fault = from_jpeg(&whole[..length], &technical(1), &sizes(&[256]), &Limits::default())
            .expect_err("no picture");
        assert_eq!(fault.kind(), FaultKind::BadInput, "{length}: {fault}");
    }
}

#[test]
fn claims_over_the_limits_are_refused_before_decoding() {
    let mut bytes = jpeg(&synthetic(64, 64), Subsamp::Sub2x2);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let fault = from_jpeg(&bytes, &technical(1), &sizes(&[256]), &Limits::default())
        .expect_err("too large");
    assert_eq!(fault.kind(), FaultKind::TooLarge, "{fault}");
}

#[test]
fn a_progressive_bomb_is_refused_by_its_scans() {
    let bytes = code(&synthetic(200, 200), |compressor| {
        compressor.set_progressive(true).expect("progressive");
    });
    assert_eq!(fast(&bytes, 1, &sizes(&[64])).damage, None);
    // Repeat the last scan, a few hundred bytes of refinement, 600 times.
    let scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).expect("a scan");
    let end = bytes.len() - 2;
    let mut bomb = bytes[..end].to_vec();
    for _ in 0..600 {
        bomb.extend_from_slice(&bytes[scan..end]);
    }
    bomb.extend_from_slice(&bytes[end..]);
    let outcome = from_jpeg(&bomb, &technical(1), &sizes(&[64]), &Limits::default());
    match outcome {
        Err(fault) => assert_eq!(fault.kind(), FaultKind::TooLarge, "{fault}"),
        // A warning before the limit makes the pixels so far count.
        Ok(rendered) => assert!(rendered.expect("planes").damage.is_some()),
    }
}

/// Renders hostile bytes: any answer will do that is quick and no panic.
fn survive(name: &str, bytes: &[u8]) {
    let started = Instant::now();
    let outcome = from_jpeg(bytes, &technical(6), &sizes(&[64]), &Limits::default());
    if let Err(fault) = outcome {
        assert!(fault.kind().rejects(), "{name}: {fault}");
    }
    coded::pixel_digest(bytes, Format::Jpeg);
    coded::pixel_digest(bytes, Format::Png);
    assert!(started.elapsed() < Duration::from_secs(5), "{name} took {:?}", started.elapsed());
}

#[test]
fn truncated_and_altered_jpegs_are_survived() {
    let raster = synthetic(95, 67);
    let samples = [
        jpeg(&raster, Subsamp::Sub2x2),
        jpeg(&raster, Subsamp::Sub2x1),
        jpeg(&raster, Subsamp::Sub1x2),
        code(&raster, |compressor| compressor.set_progressive(true).expect("progressive")),
    ];
    for (at, sample) in samples.iter().enumerate() {
        for length in (0..sample.len()).step_by(23) {
            survive(&format!("sample {at} cut to {length}"), &sample[..length]);
        }
        for position in (0..sample.len()).step_by(11).chain(0..700) {
            let mut altered = sample.clone();
            altered[position] ^= [0x01, 0x80, 0xff][position % 3];
            survive(&format!("sample {at} altered at {position}"), &altered);
        }
    }
}

#[test]
#[ignore = "needs ../shared/data"]
fn every_bad_input_is_survived() {
    let mut left = vec![shared("data/bad_inputs/dev"), shared("data/metadata_files/dev")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("../shared/data is there");
            left.extend(entries.map(|entry| entry.expect("a readable folder").path()));
        } else {
            let bytes = std::fs::read(&path).expect("a readable file");
            survive(&path.display().to_string(), &bytes);
            for part in 1..8 {
                survive(&format!("{} {part}/8", path.display()), &bytes[..bytes.len() * part / 8]);
            }
            files += 1;
        }
    }
    assert!(files > 200, "{files} files");
}

#[test]
#[ignore = "needs ../shared/data"]
fn near_duplicates_share_a_hash_and_others_do_not() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(shared("data/coco_sample/dev"))
        .expect("../shared/data/coco_sample/dev is there")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    let mut hashes = Vec::new();
    let mut furthest_twin = 0;
    for path in &paths {
        let bytes = std::fs::read(path).expect("a readable file");
        let hash = fast(&bytes, 1, &Recipe::default()).phash;
        let whole = decode(&bytes);
        let saved = code(&whole, |compressor| {
            compressor.set_quality(40).expect("a good quality");
            compressor.set_subsamp(Subsamp::Sub2x2).expect("a good subsampling");
        });
        let recipe = sizes(&[whole.width().max(whole.height()) * 3 / 5]);
        let smaller = fast(&bytes, 1, &recipe).files.remove(0).bytes;
        for twin in [&saved, &smaller] {
            let distance = phash::distance(hash, fast(twin, 1, &Recipe::default()).phash);
            furthest_twin = furthest_twin.max(distance);
        }
        hashes.push(hash);
    }
    let mut distances: Vec<u32> = Vec::new();
    for (at, one) in hashes.iter().enumerate() {
        distances.extend(hashes[at + 1..].iter().map(|other| phash::distance(*one, *other)));
    }
    distances.sort_unstable();
    let far = distances.iter().filter(|distance| **distance > 16).count();
    let share = far as f64 / distances.len() as f64;
    eprintln!(
        "{} pictures: twins at most {furthest_twin}; others at least {}, median {}, {:.3} % above 16",
        hashes.len(),
        distances[0],
        distances[distances.len() / 2],
        share * 100.0,
    );
    assert!(furthest_twin <= 8, "{furthest_twin}");
    assert!(distances[0] > 8, "{}", distances[0]);
    assert!(share > 0.995, "{share}");
}

fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path)
}
