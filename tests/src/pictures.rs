//! Small pictures made on the spot: sound ones, re-captioned ones, broken ones, bombs.

use std::io::Write as _;

use image::{ImageEncoder as _, codecs};

use crate::photograph::photograph;

/// Makes a sound baseline JPEG; the same seed gives the same bytes.
///
/// # Panics
/// Panics when a side is over 65,535.
pub fn jpeg(width: usize, height: usize, seed: u64) -> Vec<u8> {
    let pixels = photograph(width, height, seed);
    let picture = turbojpeg::Image {
        pixels: &pixels[..],
        width,
        pitch: width * 3,
        height,
        format: turbojpeg::PixelFormat::RGB,
    };
    turbojpeg::compress(picture, 85, turbojpeg::Subsamp::Sub2x2).expect("a JPEG").to_vec()
}

/// Makes a sound 8-bit RGB PNG; the same seed gives the same bytes.
///
/// # Panics
/// Panics when a side does not fit 32 bits.
pub fn png(width: usize, height: usize, seed: u64) -> Vec<u8> {
    let rgb = photograph(width, height, seed);
    let mut bytes = Vec::new();
    codecs::png::PngEncoder::new(&mut bytes)
        .write_image(&rgb, side(width), side(height), image::ExtendedColorType::Rgb8)
        .expect("a PNG");
    bytes
}

fn side(pixels: usize) -> u32 {
    u32::try_from(pixels).expect("a side of 32 bits")
}

/// Writes a comment into a JPEG: other bytes, the same coded picture (ITU-T T.81, B.2.4.5).
///
/// # Panics
/// Panics when it is no JPEG or the comment is over 65,533 bytes.
pub fn with_comment(jpeg: &[u8], comment: &str) -> Vec<u8> {
    assert!(jpeg.starts_with(&[0xff, 0xd8]), "a JPEG begins with SOI");
    let length = u16::try_from(comment.len() + 2).expect("a short comment");
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xfe]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(comment.as_bytes());
    bytes.extend(&jpeg[2..]);
    bytes
}

/// Makes a JPEG's beginning that claims these sides, and nothing after its frame header.
pub fn jpeg_header(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    bytes
}

/// Makes a PNG of these chunks, with right checksums (PNG 1.2, section 3).
pub fn png_of(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in chunks {
        let length = u32::try_from(body.len()).expect("a chunk of 32 bits");
        bytes.extend(length.to_be_bytes());
        bytes.extend(*name);
        bytes.extend(body);
        let mut crc = flate2::Crc::new();
        crc.update(*name);
        crc.update(body);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

/// Makes an IHDR body: 8 bits, of this colour type, not interlaced.
pub fn ihdr(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut body = width.to_be_bytes().to_vec();
    body.extend(height.to_be_bytes());
    body.extend([8, colour, 0, 0, 0]);
    body
}

/// Compresses this many zeros: about a thousandth of them is left.
///
/// # Panics
/// Never: memory takes what is written.
pub fn deflated_zeros(count: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let block = vec![0; 1 << 16];
    let mut left = count;
    while left > 0 {
        let some = left.min(block.len());
        encoder.write_all(&block[..some]).expect("memory takes it");
        left -= some;
    }
    encoder.finish().expect("memory takes it")
}

/// Makes a GIF of this many one-pixel frames (GIF89a).
pub fn gif_of_frames(frames: usize) -> Vec<u8> {
    let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        bytes.extend(b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0");
    }
    bytes.push(b';');
    bytes
}
