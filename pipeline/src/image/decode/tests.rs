//! Pixel checks of self-made pictures, and the promise that nothing makes a decoder panic.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::png as png_crate;

use super::*;
use crate::fault::FaultKind;
use crate::image::probe::probe;

fn open(bytes: &[u8]) -> Result<Decoded, Fault> {
    let limits = Limits::default();
    decode(bytes, &probe(bytes, &limits)?, &limits)
}

fn pixels(bytes: &[u8]) -> Vec<u8> {
    open(bytes).expect("a whole picture").raster.into_rgb()
}

#[track_caller]
fn near(found: &[u8], expected: &[u8], steps: u8) {
    let far = found.iter().zip(expected).any(|(a, b)| a.abs_diff(*b) > steps);
    assert!(!far && found.len() == expected.len(), "{found:?} is not near {expected:?}");
}

/// A page's tags with their values.
type Tags<'a> = &'a [(u16, &'a [u32])];

/// Builds little-endian TIFFs page by page; a page is its tags and its one chunk of data.
fn tiff(pages: &[(Tags<'_>, &[u8])]) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for (tags, data) in pages {
        let at = file.len() as u32;
        file.extend(*data);
        let length = file.len() as u32 - at;
        let tiled = tags.iter().any(|(tag, _)| *tag == 322);
        let (offsets, counts) = if tiled { (324, 325) } else { (273, 279) };
        let mut all: Vec<(u16, Vec<u32>)> = tags.iter().map(|(t, v)| (*t, v.to_vec())).collect();
        all.extend([(offsets, vec![at]), (counts, vec![length])]);
        all.sort();
        let mut entries = Vec::new();
        for (tag, values) in &all {
            entries.extend(tag.to_le_bytes());
            entries.extend(4_u16.to_le_bytes());
            entries.extend((values.len() as u32).to_le_bytes());
            if let [value] = values[..] {
                entries.extend(value.to_le_bytes());
            } else {
                entries.extend((file.len() as u32).to_le_bytes());
                file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        let here = file.len() as u32;
        file[link..link + 4].copy_from_slice(&here.to_le_bytes());
        file.extend((all.len() as u16).to_le_bytes());
        file.extend(entries);
        link = file.len();
        file.extend([0; 4]);
    }
    file
}

const RGB_3X2: [(u16, &[u32]); 5] =
    [(256, &[3]), (257, &[2]), (258, &[8, 8, 8]), (262, &[2]), (277, &[3])];

fn rgb_3x2() -> Vec<u8> {
    (1..=6).flat_map(|n| [n * 10, n, 200 - n]).collect()
}

fn png_of(
    colour: png_crate::ColorType,
    depth: png_crate::BitDepth,
    data: &[u8],
    side: u32,
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png_crate::Encoder::new(&mut file, side, side);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().expect("a good header");
    writer.write_image_data(data).expect("enough data");
    writer.finish().expect("a vector takes all");
    file
}

/// A picture that no row of is like another.
fn gradient(side: usize) -> Vec<u8> {
    (0..side * side)
        .flat_map(|at| [(at % side * 3) as u8, (at / side * 2) as u8, at as u8])
        .collect()
}

#[test]
fn the_eight_orientations_come_out_upright() {
    let expected = [
        [1, 2, 3, 4, 5, 6],
        [3, 2, 1, 6, 5, 4],
        [6, 5, 4, 3, 2, 1],
        [4, 5, 6, 1, 2, 3],
        [1, 4, 2, 5, 3, 6],
        [4, 1, 5, 2, 6, 3],
        [6, 3, 5, 2, 4, 1],
        [3, 6, 2, 5, 1, 4],
    ];
    for (orientation, expected) in (1_u32..).zip(expected) {
        let value = [orientation];
        let tags = [&RGB_3X2[..], &[(274, &value)]].concat();
        let decoded = open(&tiff(&[(&tags, &rgb_3x2())])).expect("a whole picture");
        let numbers: Vec<u8> = decoded.raster.rgb().chunks(3).map(|pixel| pixel[1]).collect();
        assert_eq!(numbers, expected, "orientation {orientation}");
        let turned = orientation > 4;
        let size = (decoded.raster.width(), decoded.raster.height());
        assert_eq!(size, if turned { (2, 3) } else { (3, 2) });
    }
}

#[test]
fn cmyk_is_colour_managed_in_tiff_and_in_adobes_inverted_jpeg() {
    // Cyan, magenta, yellow and black ink in solid patches, and what SWOP shows of them.
    let shown = [[0, 174, 239], [236, 0, 140], [255, 242, 0], [35, 31, 32]];
    for (ink, shown) in shown.iter().enumerate() {
        let inks: Vec<u8> =
            (0..16 * 16).flat_map(|_| (0..4).map(|i| if i == ink { 255 } else { 0 })).collect();
        let tags: [(u16, &[u32]); 5] =
            [(256, &[16]), (257, &[16]), (258, &[8, 8, 8, 8]), (262, &[5]), (277, &[4])];
        near(&pixels(&tiff(&[(&tags, &inks)]))[..3], shown, 2);
        let inverted: Vec<u8> = inks.iter().map(|ink| 255 - ink).collect();
        let image = turbojpeg::Image {
            pixels: &inverted[..],
            width: 16,
            pitch: 64,
            height: 16,
            format: turbojpeg::PixelFormat::CMYK,
        };
        let mut compressor = turbojpeg::Compressor::new().expect("memory");
        compressor.set_quality(98).expect("a good quality");
        let jpeg = compressor.compress_to_vec(image).expect("a good picture");
        near(&pixels(&jpeg)[..3], shown, 8);
    }
}

#[test]
fn sixteen_bits_are_rounded_in_png_and_tiff() {
    let samples = [0_u16, 128, 129, 32_768, 65_406, 65_407, 257, 65_535, 40_000, 1, 2, 3];
    let rounded = [0, 0, 1, 128, 254, 255, 1, 255, 156, 0, 0, 0];
    let big: Vec<u8> = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
    let png = png_of(png_crate::ColorType::Rgb, png_crate::BitDepth::Sixteen, &big, 2);
    assert_eq!(pixels(&png), rounded);
    let little: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let tags: [(u16, &[u32]); 5] =
        [(256, &[2]), (257, &[2]), (258, &[16, 16, 16]), (262, &[2]), (277, &[3])];
    assert_eq!(pixels(&tiff(&[(&tags, &little)])), rounded);
}

#[test]
fn tiff_compressions_and_layouts_give_the_same_pixels() {
    let plain = rgb_3x2();
    let with = |extra: &[(u16, &[u32])], data: &[u8]| {
        pixels(&tiff(&[(&[&RGB_3X2[..], extra].concat(), data)]))
    };
    assert_eq!(with(&[], &plain), plain);
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&plain)
        .expect("a vector takes all");
    assert_eq!(with(&[(259, &[5])], &lzw), plain);
    let packed = [&[17][..], &plain].concat();
    assert_eq!(with(&[(259, &[32773])], &packed), plain);
    let mut differences = plain.clone();
    for row in differences.chunks_mut(9) {
        for at in (3..9).rev() {
            row[at] = row[at].wrapping_sub(row[at - 3]);
        }
    }
    assert_eq!(with(&[(317, &[2])], &differences), plain);
    // One tile of 16 x 16 that hangs over the picture.
    let mut tile = vec![7; 16 * 16 * 3];
    tile[..9].copy_from_slice(&plain[..9]);
    tile[48..57].copy_from_slice(&plain[9..]);
    assert_eq!(with(&[(322, &[16]), (323, &[16])], &tile), plain);
}

#[test]
fn a_tiff_of_several_pages_shows_its_first_full_one() {
    let (first, second) = (rgb_3x2(), vec![9; 18]);
    let file = tiff(&[(&RGB_3X2, &first), (&RGB_3X2, &second)]);
    assert_eq!(probe(&file, &Limits::default()).map(|t| t.frames).ok(), Some(2));
    assert_eq!(pixels(&file), first);
    let thumbnail = [&RGB_3X2[..], &[(254, &[1])]].concat();
    assert_eq!(pixels(&tiff(&[(&thumbnail, &second), (&RGB_3X2, &first)])), first);
}

#[test]
fn tiff_bits_palettes_greys_and_floats_are_scaled() {
    let grey: [(u16, &[u32]); 3] = [(256, &[4]), (257, &[1]), (277, &[1])];
    let of = |extra: &[(u16, &[u32])], data: &[u8]| {
        let rgb = pixels(&tiff(&[(&[&grey[..], extra].concat(), data)]));
        rgb.chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>()
    };
    assert_eq!(of(&[(258, &[1]), (262, &[1])], &[0b0101_0000]), [0, 255, 0, 255]);
    assert_eq!(of(&[(258, &[1]), (262, &[0])], &[0b0101_0000]), [255, 0, 255, 0]);
    assert_eq!(of(&[(258, &[4]), (262, &[1])], &[0x0f, 0x81]), [0, 255, 136, 17]);
    let map: Vec<u32> = [[0, 0xffff, 0x8000, 0], [0; 4], [0; 4]].concat();
    assert_eq!(of(&[(258, &[2]), (262, &[3]), (320, &map)], &[0b0110_1100]), [255, 128, 0, 0]);
    let floats = |values: [f32; 4]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let float: [(u16, &[u32]); 3] = [(258, &[32]), (262, &[1]), (339, &[3])];
    assert_eq!(of(&float, &floats([0.0, 0.2, 0.5, 1.0])), [0, 51, 128, 255]);
    assert_eq!(of(&float, &floats([-10.0, 30.0, f32::NAN, 10.0])), [0, 255, 0, 128]);
}

#[test]
fn transparency_is_laid_on_white() {
    let data = [10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 128, 255, 0, 0, 64];
    let png = png_of(png_crate::ColorType::Rgba, png_crate::BitDepth::Eight, &data, 2);
    assert_eq!(pixels(&png), [10, 20, 30, 255, 255, 255, 127, 127, 127, 255, 191, 191]);
}

#[test]
fn an_animation_shows_its_first_frame() {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame as GifFrame, Rgba, RgbaImage};
    let frame = |colour| {
        let picture = RgbaImage::from_pixel(4, 3, Rgba(colour));
        GifFrame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1))
    };
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    encoder.encode_frame(frame([255, 0, 0, 255])).expect("a good frame");
    encoder.encode_frame(frame([0, 0, 255, 255])).expect("a good frame");
    drop(encoder);
    assert_eq!(probe(&file, &Limits::default()).map(|t| t.frames).ok(), Some(2));
    assert_eq!(pixels(&file)[..3], [255, 0, 0]);
    let few = Limits { frames: 1, ..Limits::default() };
    assert_eq!(probe(&file, &few).expect_err("too many").kind(), FaultKind::TooLarge);
}

#[test]
fn a_wide_gamut_profile_in_a_png_is_converted() {
    let icc = moxcms::ColorProfile::new_display_p3().encode().expect("a whole profile");
    let mut info = png_crate::Info::with_size(2, 1);
    info.color_type = png_crate::ColorType::Rgb;
    info.bit_depth = png_crate::BitDepth::Eight;
    info.icc_profile = Some(icc.into());
    let mut file = Vec::new();
    let encoder = png_crate::Encoder::with_info(&mut file, info).expect("good info");
    let mut writer = encoder.write_header().expect("a good header");
    writer.write_image_data(&[200, 100, 50, 128, 128, 128]).expect("enough data");
    writer.finish().expect("a vector takes all");
    near(&pixels(&file), &[215, 95, 31, 128, 128, 128], 2);
    assert!(probe(&file, &Limits::default()).is_ok_and(|t| t.icc.is_some()));
}

#[test]
fn a_cut_picture_gives_its_rows_and_says_how_many() {
    let data = gradient(64);
    let png = png_of(png_crate::ColorType::Rgb, png_crate::BitDepth::Eight, &data, 64);
    let decoded = open(&png[..png.len() / 2]).expect("rows are there");
    let damage = decoded.damage.expect("half is missing");
    let rows = damage.strip_prefix("truncated: ").and_then(|d| d.strip_suffix(" of 64 rows"));
    let rows: usize = rows.and_then(|rows| rows.parse().ok()).expect("a number of rows");
    assert!((1..64).contains(&rows), "{damage}");
    assert_eq!(decoded.raster.rgb()[..rows * 192], data[..rows * 192]);
    assert!(decoded.raster.rgb()[rows * 192..].iter().all(|&sample| sample == 255));
    let tags: [(u16, &[u32]); 6] =
        [(256, &[64]), (257, &[64]), (258, &[8, 8, 8]), (262, &[2]), (277, &[3]), (278, &[64])];
    assert_eq!(pixels(&tiff(&[(&tags, &data)])), data);
    let cut = open(&tiff(&[(&tags, &data[..192 * 20 + 7])])).expect("rows are there");
    assert_eq!(cut.damage.as_deref(), Some("truncated: 20 of 64 rows"));
}

#[test]
fn a_picture_whose_transparency_is_unused_is_opaque() {
    let mut tga = vec![0; 18];
    (tga[2], tga[12], tga[14], tga[16], tga[17]) = (2, 1, 1, 32, 8);
    tga.extend([30, 20, 10, 0]);
    assert_eq!(pixels(&tga), [10, 20, 30]);
}

#[test]
fn a_preview_stands_in_for_raw_and_says_so() {
    let jpeg = sample_jpeg(24);
    let raw = [b"FUJIFILMCCD-RAW 0201".to_vec(), vec![0; 80], jpeg.clone()].concat();
    let decoded = open(&raw).expect("a preview is in it");
    let note = "embedded preview 24 x 24 shown; the raw data is not developed";
    assert_eq!(decoded.note.as_deref(), Some(note));
    assert_eq!(decoded.raster.rgb(), pixels(&jpeg));
}

#[test]
fn more_scans_than_the_time_allows_are_refused() {
    let jpeg = sample_jpeg(24);
    let mut scans = jpeg[..jpeg.len() - 2].to_vec();
    scans.extend(b"\xff\xda\0\x08\x01\x01\0\0\x3f\0".repeat(600));
    assert_eq!(open(&scans).expect_err("too many").kind(), FaultKind::TooLarge);
}

fn sample_jpeg(side: usize) -> Vec<u8> {
    let data = gradient(side);
    let format = turbojpeg::PixelFormat::RGB;
    let image =
        turbojpeg::Image { pixels: &data[..], width: side, pitch: side * 3, height: side, format };
    turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x2).expect("a good picture").to_vec()
}

/// Small files of every format that can be made here.
fn samples() -> Vec<(String, Vec<u8>)> {
    use image::{ColorType as C, ImageEncoder as _, ImageFormat as F};
    use png_crate::{BitDepth, ColorType};
    let data = gradient(24);
    let rgb16: Vec<u8> = data.iter().flat_map(|&sample| [sample, 77]).collect();
    let mut samples = vec![
        ("jpeg".to_owned(), sample_jpeg(24)),
        ("png".to_owned(), png_of(ColorType::Rgb, BitDepth::Eight, &data, 24)),
        ("png16".to_owned(), png_of(ColorType::Rgb, BitDepth::Sixteen, &rgb16, 24)),
    ];
    for format in [F::Gif, F::Bmp, F::Tga, F::Pnm, F::Qoi, F::Ico, F::WebP] {
        let mut file = std::io::Cursor::new(Vec::new());
        let colour = image::ExtendedColorType::Rgb8;
        image::write_buffer_with_format(&mut file, &data, 24, 24, colour, format)
            .or_else(|_| {
                let rgba: Vec<u8> = data.chunks(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
                let colour = image::ExtendedColorType::Rgba8;
                image::write_buffer_with_format(&mut file, &rgba, 24, 24, colour, format)
            })
            .expect("an encoder for it");
        samples.push((format!("{format:?}"), file.into_inner()));
    }
    let mut hdr = Vec::new();
    let floats: Vec<u8> = data.iter().flat_map(|&s| (f32::from(s) / 255.0).to_ne_bytes()).collect();
    image::codecs::hdr::HdrEncoder::new(&mut hdr)
        .write_image(&floats, 24, 24, C::Rgb32F.into())
        .expect("a vector takes all");
    samples.push(("hdr".to_owned(), hdr));
    samples.push(("tiff".to_owned(), tiff(&[(&RGB_3X2, &rgb_3x2()), (&RGB_3X2, &rgb_3x2())])));
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&rgb_3x2())
        .expect("a vector takes all");
    let tags = [&RGB_3X2[..], &[(259, &[5]), (317, &[2])]].concat();
    samples.push(("tiff lzw".to_owned(), tiff(&[(&tags, &lzw)])));
    let fax: [(u16, &[u32]); 5] =
        [(256, &[40]), (257, &[4]), (258, &[1]), (259, &[4]), (262, &[0])];
    samples.push(("tiff fax".to_owned(), tiff(&[(&fax, &[0x26, 0xa1, 0x5c, 0x9f, 0xff])])));
    samples.push(("psd".to_owned(), sample_psd()));
    samples.push(("pcx".to_owned(), sample_pcx()));
    samples
}

/// A PackBits-compressed RGB PSD of 3 x 2 pixels.
fn sample_psd() -> Vec<u8> {
    let mut file = b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x02\0\0\0\x03\0\x08\0\x03".to_vec();
    file.extend([0; 12]);
    file.extend([0, 1]);
    file.extend([0, 4].repeat(6));
    for row in 0..6 {
        file.extend([2, row * 30, row * 30 + 1, row * 30 + 2]);
    }
    file
}

/// A run-length-coded PCX of 4 x 2 pixels in three planes.
fn sample_pcx() -> Vec<u8> {
    let mut file = vec![0; 128];
    (file[0], file[1], file[2], file[3], file[8], file[10]) = (10, 5, 1, 8, 3, 1);
    (file[65], file[66]) = (3, 4);
    for plane in [10, 20, 30, 40, 50, 60] {
        file.extend([0xc4, plane]);
    }
    file
}

#[test]
fn psd_and_pcx_give_their_planes_as_pixels() {
    let psd = pixels(&sample_psd());
    assert_eq!(psd[..6], [0, 60, 120, 1, 61, 121]);
    assert_eq!(psd[9..12], [30, 90, 150]);
    let pcx = pixels(&sample_pcx());
    assert_eq!((&pcx[..3], &pcx[12..15]), (&[10, 20, 30][..], &[40, 50, 60][..]));
}

#[test]
fn every_sample_decodes_and_no_cut_or_flipped_byte_makes_a_panic() {
    for (name, file) in samples() {
        assert!(open(&file).is_ok(), "{name}: {:?}", open(&file).err().map(|f| f.reason()));
        for length in (0..file.len()).step_by(file.len() / 150 + 1) {
            let _ = open(&file[..length]);
        }
        for at in (0..file.len()).step_by(file.len() / 250 + 1) {
            for bit in [0x01, 0x10, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] ^= bit;
                let _ = open(&file);
            }
        }
    }
}

/// Pictures that lie beside the repository, where they are; formats without an encoder here.
fn shared() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), &mut found);
    found.sort();
    found
}

#[test]
fn every_file_beside_the_repository_ends_in_time() {
    for path in shared() {
        let bytes = std::fs::read(&path).expect("a readable file");
        let start = Instant::now();
        let outcome = open(&bytes);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{} took {took:?}", path.display());
        if let Err(fault) = outcome {
            assert!(fault.kind().rejects(), "{}: {}", path.display(), fault.reason());
        }
        // Formats that no encoder here makes are cut and flipped, too.
        let format = crate::image::sniff::sniff(&bytes);
        let rare = matches!(
            format,
            Some(
                Format::Jp2 | Format::Avif | Format::Heic | Format::Jxl | Format::Raw | Format::Exr
            )
        );
        if rare && bytes.len() < 100_000 {
            for step in 0..8 {
                let at = bytes.len() * step / 8;
                let _ = open(&bytes[..at]);
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x55;
                let _ = open(&flipped);
            }
        }
    }
}
