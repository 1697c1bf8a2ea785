//! The renditions' fidelity, held against libvips at the same size, quality and subsampling.
//!
//! The reference is a Lanczos reduction of the fully decoded original that is never coded. Both
//! sides are decoded alike and compared in luma and chroma; ours may be at most 0.3 dB below.
#![allow(clippy::print_stderr, reason = "the measured figures belong in the test's output")]

#[allow(unreachable_pub, reason = "the file is a public module of glassplate-tests")]
#[path = "../../tests/src/photograph.rs"]
mod photograph;

use std::path::{Path, PathBuf};
use std::process::Command;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use glassplate_pipeline::image::{ColourModel, Format, Limits, Technical, render};
use glassplate_pipeline::rendition::Recipe;
use turbojpeg::{Compressor, PixelFormat, Subsamp};

/// The largest loss against libvips, in decibels.
const ALLOWED_DB: f64 = 0.3;

struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

#[test]
#[ignore = "needs vipsthumbnail (Debian package libvips-tools)"]
fn renditions_of_synthetic_photographs_are_as_true_as_those_of_libvips() {
    // The sizes put the largest rendition just above each DCT scale's margin, and odd sides.
    for (width, height, subsampling) in [
        (4720, 3147, Subsamp::Sub2x2),
        (2601, 1735, Subsamp::Sub2x2),
        (2300, 1531, Subsamp::Sub2x1),
        (1533, 2301, Subsamp::None),
    ] {
        let rgb = photograph::photograph(width, height, 5);
        let name = format!("synthetic {width} x {height} {subsampling:?}");
        compare(&name, &Pixels { width, height, rgb }, subsampling);
    }
}

#[test]
#[ignore = "needs vipsthumbnail (Debian package libvips-tools) and ../shared/data"]
fn renditions_of_real_photographs_are_as_true_as_those_of_libvips() {
    let folder = shared("data/coco_sample/dev");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("../shared/data/coco_sample/dev is there")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    for path in paths.iter().step_by(40) {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        compare_file(&name, &std::fs::read(path).expect("a readable file"), &[256]);
    }
    for (width, height) in [(4720, 3147), (3003, 2001)] {
        let mosaic = mosaic(&paths, width, height);
        compare(&format!("mosaic {width} x {height}"), &mosaic, Subsamp::Sub2x2);
    }
}

fn compare(name: &str, original: &Pixels, subsampling: Subsamp) {
    let mut compressor = Compressor::new().expect("a compressor");
    compressor.set_quality(92).expect("a good quality");
    compressor.set_subsamp(subsampling).expect("a good subsampling");
    let bytes = compressor
        .compress_to_vec(turbojpeg::Image {
            pixels: &original.rgb[..],
            width: original.width,
            pitch: original.width * 3,
            height: original.height,
            format: PixelFormat::RGB,
        })
        .expect("coded");
    compare_file(name, &bytes, &[2048, 1024, 256]);
}

fn compare_file(name: &str, bytes: &[u8], sizes: &[u32]) {
    let recipe = Recipe { sizes: sizes.to_vec(), ..Recipe::default() };
    let technical = Technical {
        format: Format::Jpeg,
        width: 0,
        height: 0,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Ycbcr,
        alpha: false,
        orientation: 1,
        icc: None,
    };
    let rendered = render::from_jpeg(bytes, &technical, &recipe, &Limits::default())
        .expect("rendered")
        .expect("for the fast path");
    let original = decode(bytes);
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("original.jpg");
    std::fs::write(&input, bytes).expect("written");
    for file in &rendered.files {
        let ours = decode(&file.bytes);
        let reference = reduce(&original, ours.width, ours.height);
        let theirs = vipsthumbnail(&input, file.name.as_str(), recipe.quality);
        let (our_luma, our_chroma) = psnr(&reference, &ours);
        let (luma, chroma) = psnr(&reference, &decode(&theirs));
        let figures = format!(
            "{name} at {}: luma {our_luma:.2} dB, libvips {luma:.2}; \
             chroma {our_chroma:.2} dB, libvips {chroma:.2}; {} bytes, libvips {}",
            file.name,
            file.bytes.len(),
            theirs.len(),
        );
        eprintln!("{figures}");
        assert!(our_luma >= luma - ALLOWED_DB, "{figures}");
        assert!(our_chroma >= chroma - ALLOWED_DB, "{figures}");
    }
}

fn vipsthumbnail(input: &Path, size: &str, quality: u8) -> Vec<u8> {
    let output = input.with_file_name(format!("{size}.jpg"));
    let target = format!("{}[Q={quality},subsample_mode=on,strip]", output.display());
    let status = Command::new("vipsthumbnail")
        .arg(input)
        .args(["-s", &format!("{size}x{size}>"), "-o", &target])
        .status()
        .expect("vipsthumbnail runs");
    assert!(status.success(), "vipsthumbnail: {status}");
    std::fs::read(output).expect("vipsthumbnail wrote")
}

fn decode(bytes: &[u8]) -> Pixels {
    let decoded = turbojpeg::decompress(bytes, PixelFormat::RGB).expect("decodes");
    Pixels { width: decoded.width, height: decoded.height, rgb: decoded.pixels }
}

fn reduce(original: &Pixels, width: usize, height: usize) -> Pixels {
    let (from_width, from_height) = (original.width as u32, original.height as u32);
    let source = Image::from_vec_u8(from_width, from_height, original.rgb.clone(), PixelType::U8x3)
        .expect("packed RGB");
    let mut target = Image::new(width as u32, height as u32, PixelType::U8x3);
    Resizer::new().resize(&source, &mut target, &ResizeOptions::new()).expect("reduced");
    Pixels { width, height, rgb: target.into_vec() }
}

/// Peak signal-to-noise ratio of luma, and of both chroma components together, in decibels.
fn psnr(one: &Pixels, other: &Pixels) -> (f64, f64) {
    assert_eq!((one.width, one.height), (other.width, other.height), "sizes are equal");
    let mut squares = [0.0_f64; 3];
    for (a, b) in one.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3)) {
        let (a, b) = (ycbcr(a), ycbcr(b));
        for at in 0..3 {
            squares[at] += (a[at] - b[at]).powi(2);
        }
    }
    let count = (one.width * one.height) as f64;
    let decibels = |mean: f64| 10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10();
    (decibels(squares[0] / count), decibels((squares[1] + squares[2]) / (2.0 * count)))
}

/// Full-range BT.601, as JFIF 1.02 has it.
fn ycbcr(pixel: &[u8]) -> [f64; 3] {
    let [r, g, b] = [f64::from(pixel[0]), f64::from(pixel[1]), f64::from(pixel[2])];
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [luma, (b - luma) / 1.772, (r - luma) / 1.402]
}

/// Fills a canvas with photographs, each enlarged to a tile of 1000 x 700.
fn mosaic(paths: &[PathBuf], width: usize, height: usize) -> Pixels {
    const TILE: (usize, usize) = (1000, 700);
    let across = width.div_ceil(TILE.0);
    let tiles: Vec<Pixels> = paths
        .iter()
        .take(across * height.div_ceil(TILE.1))
        .map(|path| {
            let photograph = decode(&std::fs::read(path).expect("a readable file"));
            reduce(&photograph, TILE.0, TILE.1)
        })
        .collect();
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let tile = &tiles[y / TILE.1 * across + x / TILE.0];
            let at = (y % TILE.1 * TILE.0 + x % TILE.0) * 3;
            rgb.extend_from_slice(&tile.rgb[at..at + 3]);
        }
    }
    Pixels { width, height, rgb }
}

fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path)
}
