//! Folding: one spelling for texts that people regard as the same.

use unicode_normalization::UnicodeNormalization as _;

/// Lowers case, resolves compatibility forms and drops the marks of Latin, Greek, Cyrillic,
/// Hebrew and Arabic letters; other scripts keep theirs, where a mark is a vowel.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    // Composed again at the end, so that kana and Hangul are one character each.
    for c in text.nfkd().filter(|&c| !droppable(c)).nfc().flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '’' | 'ʼ' | '‘' => folded.push('\''),
            // Lowering may decompose once more: İ gives i and a dot above.
            c if droppable(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Marks that readers of the script treat as optional. Source: Unicode 16 blocks.
fn droppable(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05C7 | 0x0610..=0x061A
        | 0x064B..=0x065F | 0x0670 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF
        | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F | 0x00AD | 0x200B..=0x200D)
        && !matches!(c, '\u{05BE}' | '\u{05C0}' | '\u{05C3}' | '\u{05C6}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,30}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
