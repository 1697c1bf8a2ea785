//! Text of unknown encoding: the guesses, and the declared ones.
//!
//! Everything comes out as trimmed UTF-8. Where nothing is declared, valid UTF-8 is
//! taken as such, because other encodings practically never form it by accident; what
//! is left is read as Windows-1252, the superset of Latin-1 that old software wrote.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::bytes::Endian;

/// Decodes bytes as UTF-8 when valid, else as Windows-1252.
pub(super) fn utf8_or_windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Decodes a Windows `XP` tag: UTF-16 in little-endian order whatever the file's, up to NUL.
pub(super) fn utf16_le(bytes: &[u8]) -> Option<String> {
    let text = UTF_16LE.decode_with_bom_removal(bytes).0;
    clean(text.split('\0').next().unwrap_or_default())
}

/// Decodes EXIF UserComment: eight bytes name the character code, the rest is text.
///
/// Source: EXIF 2.32 section 4.6.5, tag UserComment.
pub(super) fn user_comment(bytes: &[u8], endian: Endian) -> Option<String> {
    let (code, rest) = bytes.split_at_checked(8)?;
    let text = match code {
        b"UNICODE\0" => utf16(rest, endian),
        b"JIS\0\0\0\0\0" => iso_2022(rest),
        b"ASCII\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0] => utf8_or_windows_1252(rest),
        // Writers that forget the code begin with the text at once.
        _ => utf8_or_windows_1252(bytes),
    };
    clean(text.split('\0').next().unwrap_or_default())
}

/// Decodes UTF-16 in the order its mark or its content suggests, else in `endian`.
fn utf16(bytes: &[u8], endian: Endian) -> Cow<'_, str> {
    // Writers disagree with the file's order often: in Latin text the zero bytes tell.
    let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|&&b| b == 0).count();
    let encoding = match (bytes.get(..2), zeros(0), zeros(1)) {
        (Some([0xFE, 0xFF]), ..) => UTF_16BE,
        (Some([0xFF, 0xFE]), ..) => UTF_16LE,
        (_, even, odd) if even > odd => UTF_16BE,
        (_, even, odd) if odd > even => UTF_16LE,
        _ if endian == Endian::Big => UTF_16BE,
        _ => UTF_16LE,
    };
    encoding.decode_with_bom_removal(bytes).0
}

/// Decodes text that switches character sets by ISO 2022 escapes, as Japanese IPTC does.
pub(super) fn iso_2022(bytes: &[u8]) -> Cow<'_, str> {
    let (text, wrong) = encoding_rs::ISO_2022_JP.decode_without_bom_handling(bytes);
    if wrong { utf8_or_windows_1252(bytes) } else { text }
}

/// Returns the encoding an ISO 2022 escape sequence declares, as IPTC dataset 1:90 holds it.
///
/// Source: IPTC-IIM 4.2 section 1.5(d); ISO-IR register numbers of the 96-character sets.
pub(super) fn declared_by_escape(sequence: &[u8]) -> Option<&'static Encoding> {
    let sequence = sequence.strip_prefix(b"\x1b")?;
    Some(match sequence {
        [b'%', b'G'] | [b'%', b'/', b'G' | b'H' | b'I'] => encoding_rs::UTF_8,
        [b'-' | b'.' | b'/', b'A'] => WINDOWS_1252,
        [b'-' | b'.' | b'/', b'B'] => encoding_rs::ISO_8859_2,
        [b'-' | b'.' | b'/', b'C'] => encoding_rs::ISO_8859_3,
        [b'-' | b'.' | b'/', b'D'] => encoding_rs::ISO_8859_4,
        [b'-' | b'.' | b'/', b'L'] => encoding_rs::ISO_8859_5,
        [b'-' | b'.' | b'/', b'G'] => encoding_rs::ISO_8859_6,
        [b'-' | b'.' | b'/', b'F'] => encoding_rs::ISO_8859_7,
        [b'-' | b'.' | b'/', b'H'] => encoding_rs::ISO_8859_8,
        [b'-' | b'.' | b'/', b'M'] => encoding_rs::WINDOWS_1254,
        [b'$', b')', b'A'] => encoding_rs::GB18030,
        [b'$', b')', b'B'] => encoding_rs::EUC_JP,
        [b'$', b')', b'C'] => encoding_rs::EUC_KR,
        _ => return None,
    })
}

/// Decodes XMP bytes: UTF-8, or UTF-16 by its mark or the place of the zero bytes.
pub(super) fn xml(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => UTF_16BE.decode_with_bom_removal(bytes).0,
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => UTF_16LE.decode_with_bom_removal(bytes).0,
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8_or_windows_1252(rest),
        _ => utf8_or_windows_1252(bytes),
    }
}

/// Trims white space and control characters; `None` when nothing is left.
///
/// Line ends become `\n`; other control characters inside are dropped.
pub(super) fn clean(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}');
    if text.is_empty() {
        return None;
    }
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return Some(text.to_owned());
    }
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    Some(lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undeclared_text_is_utf8_or_windows_1252() {
        assert_eq!(utf8_or_windows_1252("Köln €".as_bytes()), "Köln €");
        assert_eq!(utf8_or_windows_1252(b"K\xf6ln \x80"), "Köln €");
    }

    #[test]
    fn a_user_comment_follows_its_character_code() {
        let with = |code: &[u8], rest: &[u8]| user_comment(&[code, rest].concat(), Endian::Little);
        assert_eq!(with(b"ASCII\0\0\0", b"hello\0\0").as_deref(), Some("hello"));
        assert_eq!(with(b"UNICODE\0", b"\xd6\0x\0").as_deref(), Some("Öx"));
        assert_eq!(with(b"UNICODE\0", b"\0\xd6\0x").as_deref(), Some("Öx"));
        assert_eq!(with(b"JIS\0\0\0\0\0", b"\x1b$B$\"\x1b(B").as_deref(), Some("あ"));
        assert_eq!(with(&[0; 8], b"   "), None);
        assert_eq!(user_comment(b"short", Endian::Big), None);
    }

    #[test]
    fn cleaning_trims_and_drops_control_characters() {
        assert_eq!(clean(" \0 \r\n"), None);
        assert_eq!(clean(" a\r\nb\rc\u{1}d "), Some("a\nb\ncd".to_owned()));
    }
}
