//! What the service asks of a picture: its format by content, and its sides.

use super::Refusal;

/// The shortest side, in pixels.
pub const LEAST_SIDE: u32 = 80;
/// The longest side, in pixels.
pub const MOST_SIDE: u32 = 10_000;

/// Reads width and height of a JPEG or a PNG and checks them.
pub(super) fn sides(bytes: &[u8]) -> Result<(u32, u32), Refusal> {
    let found = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") { png(bytes) } else { jpeg(bytes) };
    let (width, height) = found.ok_or_else(|| {
        Refusal::new("InvalidImageFormatException", "Request has invalid image format".into())
    })?;
    let fits = |side| (LEAST_SIDE..=MOST_SIDE).contains(&side);
    if fits(width) && fits(height) {
        return Ok((width, height));
    }
    Err(Refusal::new(
        "InvalidParameterException",
        format!("Request has invalid image dimensions: {width} x {height}"),
    ))
}

fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (bytes.get(12..16)? == b"IHDR").then_some((side(16)?, side(20)?))
}

fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = bytes.starts_with(&[0xff, 0xd8]).then_some(2)?;
    let short =
        |at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0xc4 | 0xc8 | 0xcc => at += 2 + short(at + 2)? as usize,
            0xc0..=0xcf => return Some((short(at + 7)?, short(at + 5)?)),
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd9 | 0xda => return None,
            _ => at += 2 + short(at + 2)? as usize,
        }
    }
}
