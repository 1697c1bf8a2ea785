//! Prints by their pixels: no seams, upright, in every colour model, turned and toned.

use super::*;
use crate::image::{Limits, decode, encode_jpeg, orient, probe::probe};
use crate::raster::Raster;

/// Shading, hard coloured edges and a fine texture, so that a wrong pixel shows.
fn picture(width: u32, height: u32) -> Raster {
    let pixel = |x: u32, y: u32| {
        let block = (x / 37 + y / 23) % 3;
        let texture = (x * 7 + y * 13) % 11;
        [
            (x * 255 / width) as u8,
            (40 + 80 * block + texture) as u8,
            (y * 200 / height + 5 * texture) as u8,
        ]
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Raster::new(width, height, rgb)
}

fn negative(file: &[u8], shrink: u32) -> Negative {
    let limits = Limits::default();
    let technical = probe(file, &limits).expect("a picture");
    Negative::develop(file, &technical, shrink, &limits).expect("develops")
}

fn decoded(file: &[u8]) -> Raster {
    let limits = Limits::default();
    decode::decode(file, &probe(file, &limits).expect("a picture"), &limits)
        .expect("decodes")
        .raster
}

fn print_of(of: (u32, u32), region: [u32; 4], size: (u32, u32)) -> Print {
    let [left, top, width, height] = region;
    Print {
        region: Region { left, top, width, height },
        of,
        width: size.0,
        height: size.1,
        mirrored: false,
        degrees: 0.0,
        tones: Tones::Colour,
        format: PrintFormat::Png,
    }
}

fn whole(of: (u32, u32)) -> Print {
    print_of(of, [0, 0, of.0, of.1], of)
}

fn printed(negative: &Negative, print: &Print) -> Raster {
    decoded(&negative.print(print).expect("prints"))
}

/// The largest difference of any sample.
fn difference(one: &Raster, other: &Raster) -> u8 {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()), "sizes are equal");
    one.rgb().iter().zip(other.rgb()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

fn mean_difference(one: &Raster, other: &Raster) -> f64 {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()), "sizes are equal");
    let sum: u64 = one.rgb().iter().zip(other.rgb()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.rgb().len() as f64
}

fn jpeg_of(raster: &Raster, subsampling: turbojpeg::Subsamp) -> Vec<u8> {
    let mut compressor = turbojpeg::Compressor::new().expect("a compressor");
    compressor.set_quality(95).expect("a good quality");
    compressor.set_subsamp(subsampling).expect("a good subsampling");
    let (width, height) = (raster.width() as usize, raster.height() as usize);
    let format = turbojpeg::PixelFormat::RGB;
    let image = turbojpeg::Image { pixels: raster.rgb(), width, pitch: width * 3, height, format };
    compressor.compress_to_vec(image).expect("coded")
}

/// Puts an EXIF block that holds nothing but an orientation behind a JPEG's beginning.
fn held(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

fn png_of(colour: png::ColorType, depth: png::BitDepth, side: u32, data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == png::ColorType::Indexed {
        encoder.set_palette(vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 80, 70]);
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(data).expect("data");
    writer.finish().expect("an end");
    file
}

/// Lays tiles side by side as a viewer does.
fn stitched(negative: &Negative, of: (u32, u32), tile: u32, scale: u32) -> Raster {
    let (width, height) = (of.0.div_ceil(scale), of.1.div_ceil(scale));
    let mut rgb = vec![0; width as usize * height as usize * 3];
    for top in (0..of.1).step_by((tile * scale) as usize) {
        for left in (0..of.0).step_by((tile * scale) as usize) {
            let (across, down) = ((of.0 - left).min(tile * scale), (of.1 - top).min(tile * scale));
            let size = (across.div_ceil(scale), down.div_ceil(scale));
            let raster = printed(negative, &print_of(of, [left, top, across, down], size));
            for (row, line) in raster.rgb().chunks_exact(size.0 as usize * 3).enumerate() {
                let (x, y) = ((left / scale) as usize, (top / scale) as usize + row);
                rgb[(y * width as usize + x) * 3..][..line.len()].copy_from_slice(line);
            }
        }
    }
    Raster::new(width, height, rgb)
}

#[test]
fn tiles_laid_side_by_side_are_the_whole() {
    use turbojpeg::Subsamp;
    let odd = picture(407, 301);
    let even = picture(448, 320);
    for (raster, scales) in [(&odd, &[1_u32][..]), (&even, &[1, 2, 4][..])] {
        let of = (raster.width(), raster.height());
        let png = negative(&even_png(raster), 1);
        let jpegs = [Subsamp::None, Subsamp::Sub2x2, Subsamp::Sub2x1, Subsamp::Gray]
            .map(|subsampling| negative(&jpeg_of(raster, subsampling), 1));
        for negative in std::iter::once(&png).chain(&jpegs) {
            for &scale in scales {
                let size = (of.0.div_ceil(scale), of.1.div_ceil(scale));
                let at_once = printed(negative, &print_of(of, [0, 0, of.0, of.1], size));
                let tiles = stitched(negative, of, 64, scale);
                let most = difference(&at_once, &tiles);
                assert!(most <= 1, "{of:?} at 1/{scale}: {most} steps at a seam");
            }
        }
    }
}

/// The picture as a PNG, by the coder of prints.
fn even_png(raster: &Raster) -> Vec<u8> {
    let (width, height) = (raster.width(), raster.height());
    let sheet = turn::Sheet { width, height, rgb: raster.rgb().to_vec(), cover: None };
    coder::code(sheet, Tones::Colour, PrintFormat::Png).expect("coded")
}

#[test]
fn a_whole_print_is_the_picture_as_decoded() {
    let raster = picture(123, 77);
    assert_eq!(
        difference(&printed(&negative(&even_png(&raster), 1), &whole((123, 77))), &raster),
        0
    );
    for subsampling in [turbojpeg::Subsamp::None, turbojpeg::Subsamp::Sub2x2] {
        let jpeg = jpeg_of(&raster, subsampling);
        let print = printed(&negative(&jpeg, 1), &whole((123, 77)));
        let mean = mean_difference(&print, &decoded(&jpeg));
        assert!(mean < 1.5, "{subsampling:?}: {mean}");
    }
}

#[test]
fn all_eight_orientations_are_applied_once() {
    let raster = picture(96, 64);
    let jpeg = jpeg_of(&raster, turbojpeg::Subsamp::None);
    for orientation in 1..=8 {
        let file = held(&jpeg, orientation);
        let upright = decoded(&file);
        let (rgb, width, height) = orient::upright(decoded(&jpeg).into_rgb(), 96, 64, orientation);
        assert!(Raster::new(width, height, rgb) == upright, "the file is held as meant");
        let of = (upright.width(), upright.height());
        let negative = negative(&file, 1);
        let region = [of.0 / 4, of.1 / 8, 32, 24];
        for format in [PrintFormat::Png, PrintFormat::Jpeg] {
            let print = Print { format, ..print_of(of, region, (32, 24)) };
            let found = printed(&negative, &print);
            let expected = cropped(&upright, region);
            let mean = mean_difference(&found, &expected);
            let most = if format == PrintFormat::Png { 0.5 } else { 14.0 };
            assert!(mean < most, "orientation {orientation} as {format:?}: {mean}");
        }
    }
}

fn cropped(raster: &Raster, [left, top, width, height]: [u32; 4]) -> Raster {
    let row = |y: u32| {
        let at = ((y * raster.width() + left) * 3) as usize;
        &raster.rgb()[at..at + width as usize * 3]
    };
    Raster::new(width, height, (top..top + height).flat_map(row).copied().collect())
}

#[test]
fn every_colour_model_prints_as_it_is_decoded() {
    let sixteen: Vec<u8> = (0..16 * 16 * 3_u32).flat_map(|n| [(n % 256) as u8, 7]).collect();
    let indices: Vec<u8> = (0..16 * 4_u32).map(|n| (n * 37) as u8).collect();
    let mut inks = turbojpeg::Compressor::new().expect("a compressor");
    inks.set_subsamp(turbojpeg::Subsamp::None).expect("a good subsampling");
    let samples: Vec<u8> = (0..16 * 16 * 4_u32).map(|n| (n / 3) as u8).collect();
    let cmyk = inks
        .compress_to_vec(turbojpeg::Image {
            pixels: &samples[..],
            width: 16,
            pitch: 64,
            height: 16,
            format: turbojpeg::PixelFormat::CMYK,
        })
        .expect("coded");
    for (name, file) in [
        ("16 bits", png_of(png::ColorType::Rgb, png::BitDepth::Sixteen, 16, &sixteen)),
        ("a palette", png_of(png::ColorType::Indexed, png::BitDepth::Two, 16, &indices)),
        ("CMYK", cmyk),
    ] {
        let print = printed(&negative(&file, 1), &whole((16, 16)));
        assert_eq!(difference(&print, &decoded(&file)), 0, "{name}");
    }
}

#[test]
fn a_negative_at_half_size_prints_what_the_whole_one_would() {
    let raster = picture(512, 384);
    for file in [even_png(&raster), jpeg_of(&raster, turbojpeg::Subsamp::Sub2x2)] {
        let (full, half) = (negative(&file, 1), negative(&file, 2));
        assert!(half.bytes() * 3 < full.bytes());
        let print = print_of((512, 384), [128, 64, 256, 256], (128, 128));
        let mean = mean_difference(&printed(&full, &print), &printed(&half, &print));
        assert!(mean < 8.0, "{mean}");
    }
}

#[test]
fn the_shrink_leaves_the_pixels_that_are_wanted() {
    assert_eq!(Negative::shrink_for(8000, 1000), 8);
    assert_eq!(Negative::shrink_for(8000, 1001), 4);
    assert_eq!(Negative::shrink_for(8000, 8000), 1);
    assert_eq!(Negative::shrink_for(100, 5000), 1);
}

#[test]
fn quarter_turns_and_mirrors_put_pixels_where_they_belong() {
    let raster = picture(40, 30);
    let negative = negative(&even_png(&raster), 1);
    for (degrees, mirrored, orientation) in [
        (90.0, false, 6),
        (180.0, false, 3),
        (270.0, false, 8),
        (360.0, false, 1),
        (0.0, true, 2),
        // Mirrored first, then turned: EXIF's transverse and transpose.
        (90.0, true, 7),
        (180.0, true, 4),
        (270.0, true, 5),
    ] {
        let print = Print { degrees, mirrored, ..whole((40, 30)) };
        let (rgb, width, height) = orient::upright(raster.rgb().to_vec(), 40, 30, orientation);
        let expected = Raster::new(width, height, rgb);
        assert_eq!(difference(&printed(&negative, &print), &expected), 0, "{degrees} {mirrored}");
    }
}

#[test]
fn a_slanted_print_has_empty_corners_and_its_middle_in_the_middle() {
    let red = Raster::new(40, 20, [200, 10, 10].repeat(800));
    let negative = negative(&even_png(&red), 1);
    for (format, empty) in [(PrintFormat::Png, 0), (PrintFormat::Webp, 0), (PrintFormat::Jpeg, 255)]
    {
        let print = Print { degrees: 45.0, format, ..whole((40, 20)) };
        let file = negative.print(&print).expect("prints");
        let raster = decoded(&file);
        // 60 / sqrt(2) = 42.4
        assert_eq!((raster.width(), raster.height()), (43, 43));
        // Decoding flattens on white: transparent or white, the corner is white.
        assert!(raster.rgb()[..3].iter().all(|sample| *sample > 245), "{format:?}");
        let middle = &raster.rgb()[(21 * 43 + 21) * 3..][..3];
        assert!(middle[0] > 180 && middle[1] < 40, "{format:?}: {middle:?}");
        let technical = probe(&file, &Limits::default()).expect("a picture");
        assert_eq!(technical.alpha, empty == 0, "{format:?}");
    }
    assert_eq!(turn::bounds(40, 20, 180_f64.to_radians()), (40, 20));
    assert_eq!(turn::bounds(40, 20, 90_f64.to_radians()), (20, 40));
}

#[test]
fn grey_and_bitonal_prints_have_no_colour() {
    let negative = negative(&even_png(&picture(50, 41)), 1);
    for format in [PrintFormat::Png, PrintFormat::Jpeg, PrintFormat::Webp] {
        for tones in [Tones::Grey, Tones::Bitonal] {
            let print = Print { tones, format, ..whole((50, 41)) };
            let raster = printed(&negative, &print);
            let spread =
                |pixel: &[u8]| pixel[0].abs_diff(pixel[1]).max(pixel[1].abs_diff(pixel[2]));
            let most = raster.rgb().chunks(3).map(spread).max();
            assert!(most <= Some(6), "{format:?} {tones:?}: {most:?}");
            if (format, tones) == (PrintFormat::Png, Tones::Bitonal) {
                assert!(raster.rgb().iter().all(|sample| matches!(sample, 0 | 255)));
                assert!(raster.rgb().contains(&0) && raster.rgb().contains(&255));
            }
        }
    }
}

#[test]
fn the_jpeg_that_never_was_rgb_shows_what_the_png_shows() {
    let raster = picture(300, 200);
    let file = jpeg_of(&raster, turbojpeg::Subsamp::Sub2x2);
    let negative = negative(&file, 1);
    for (region, size) in [
        ([0, 0, 300, 200], (300, 200)),
        ([31, 17, 101, 99], (101, 99)),
        ([200, 100, 100, 100], (51, 50)),
        ([10, 10, 60, 40], (180, 120)),
    ] {
        let print = print_of((300, 200), region, size);
        let jpeg = Print { format: PrintFormat::Jpeg, ..print.clone() };
        let mean = mean_difference(&printed(&negative, &print), &printed(&negative, &jpeg));
        assert!(mean < 8.0, "{region:?} at {size:?}: {mean}");
    }
}

#[test]
fn what_is_not_within_the_picture_is_refused() {
    let negative = negative(&even_png(&picture(10, 10)), 1);
    for region in [[0, 0, 11, 10], [5, 5, 6, 1], [0, 0, 0, 1], [u32::MAX, 0, 2, 1]] {
        assert!(negative.print(&print_of((10, 10), region, (5, 5))).is_err(), "{region:?}");
    }
    assert!(negative.print(&print_of((10, 10), [0, 0, 10, 10], (0, 5))).is_err());
    let spinning = Print { degrees: f64::NAN, ..whole((10, 10)) };
    assert!(negative.print(&spinning).is_err());
}

#[test]
fn a_picture_cut_anywhere_is_a_print_or_a_fault() {
    let limits = Limits::default();
    for file in [
        jpeg_of(&picture(64, 48), turbojpeg::Subsamp::Sub2x2),
        even_png(&picture(64, 48)),
        encode_jpeg(&picture(64, 48), 40).expect("coded"),
    ] {
        for length in (0..file.len()).step_by(41) {
            let Ok(technical) = probe(&file[..length], &limits) else { continue };
            let Ok(negative) = Negative::develop(&file[..length], &technical, 2, &limits) else {
                continue;
            };
            negative.print(&whole((64, 48))).expect("what was decoded prints");
        }
    }
}
