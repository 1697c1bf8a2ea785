//! Words: how text becomes the tokens that the index keeps and queries ask for.
//!
//! Both sides run the same code, so they always meet. Text is brought to compatibility
//! decomposition (Unicode NFKD), Latin marks are dropped (`Zürich` = `zurich`), letters are
//! lowered, and everything that is neither letter nor digit separates. English plurals meet
//! their singular ([`stem`]); nothing else is stemmed, because names suffer from it. Scripts
//! written without spaces are kept as overlapping pairs of characters.
//!
//! It stops at single texts: which text counts for what is decided in `document`.

mod fold;
mod stem;

use unicode_normalization::char::is_combining_mark;

pub(crate) use fold::fold;
use stem::stem;

/// A token's longest form in characters; the rest of a longer run is not searchable.
const LONGEST_TOKEN: usize = 64;

/// One token and where it stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Counted in tokens; neighbours differ by one.
    pub(crate) position: u32,
    /// Folded and stemmed.
    pub(crate) text: String,
}

/// What the tokens are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be found: every way of asking is kept.
    Index,
    /// To ask: only the most telling way.
    Query,
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str, purpose: Purpose) -> Vec<Token> {
    let mut tokens = Vec::new();
    cut(text, purpose, |position, text| tokens.push(Token { position, text: text.to_owned() }));
    tokens
}

/// Cuts a text into tokens and hands out each with its position.
pub(crate) fn cut(text: &str, purpose: Purpose, token: impl FnMut(u32, &str)) {
    let mut found = Cut { purpose, token, position: 0 };
    let folded = fold(text);
    let mut characters = folded.char_indices().peekable();
    while let Some(&(start, c)) = characters.peek() {
        if spaceless(c) {
            let mut run = Vec::new();
            while let Some((_, c)) = characters.next_if(|&(_, c)| spaceless(c)) {
                run.push(c);
            }
            found.pairs(&run);
        } else if c.is_alphanumeric() {
            let mut end = start;
            while let Some((at, c)) = characters.next_if(|&(_, c)| in_word(c) && !spaceless(c)) {
                end = at + c.len_utf8();
            }
            // The s of "courthouse's" is no word.
            let possessive = &folded[start..end] == "s" && folded[..start].ends_with('\'');
            if !possessive {
                found.word(&folded[start..end]);
            }
        } else {
            characters.next();
        }
    }
}

/// Tells whether a text has a token, cutting it only where it may.
pub(crate) fn has(text: &str, token: &str) -> bool {
    if let Some(root) = stem::root(token)
        && !fold(text).contains(root)
    {
        return false;
    }
    let mut found = false;
    cut(text, Purpose::Index, |_, text| found |= text == token);
    found
}

/// Cuts a file name or path: also between `camelCase` humps, where the whole stays findable.
pub(crate) fn path_tokens(path: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut position = 0;
    for piece in path.split(|c: char| !in_word(c)) {
        let (start, humps) = (position, humps(piece));
        for hump in &humps {
            let cut = tokens(hump, Purpose::Index);
            let length = cut.last().map_or(0, |last| last.position + 1);
            all.extend(cut.into_iter().map(|t| Token { position: position + t.position, ..t }));
            position += length;
        }
        if let (true, [whole]) = (humps.len() > 1, &tokens(piece, Purpose::Query)[..]) {
            all.push(Token { position: start, text: whole.text.clone() });
        }
    }
    all.sort_by_key(|token| token.position);
    all
}

/// Joins a text's tokens with blanks: the one form of a label's whole name.
pub(crate) fn joined(text: &str) -> String {
    join(&tokens(text, Purpose::Query))
}

/// Joins tokens with blanks.
pub(crate) fn join(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
}

struct Cut<F> {
    purpose: Purpose,
    token: F,
    position: u32,
}

impl<F: FnMut(u32, &str)> Cut<F> {
    fn word(&mut self, word: &str) {
        match word.char_indices().nth(LONGEST_TOKEN) {
            Some((end, _)) => self.push(&word[..end]),
            None => self.push(&stem(word)),
        }
    }

    /// Adds a run of a spaceless script: pairs, and each character alone where it is to be found.
    fn pairs(&mut self, run: &[char]) {
        for (at, &c) in run.iter().enumerate() {
            let pair = run.get(at + 1).map(|next| [c, *next].iter().collect::<String>());
            match (self.purpose, pair) {
                (Purpose::Index, Some(pair)) => {
                    (self.token)(self.position, c.encode_utf8(&mut [0; 4]));
                    self.push(&pair);
                }
                (Purpose::Query, Some(pair)) => self.push(&pair),
                // In a query the last pair has this character already; its place is taken.
                (Purpose::Query, None) if run.len() > 1 => self.position += 1,
                (_, None) => self.push(c.encode_utf8(&mut [0; 4])),
            }
        }
    }

    fn push(&mut self, text: &str) {
        (self.token)(self.position, text);
        self.position = self.position.saturating_add(1);
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Tells whether a script is written without spaces: Han, kana, Thai, Lao, Khmer, Burmese.
///
/// Source: Unicode 16 blocks; Korean has spaces and is not one of them.
fn spaceless(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF
        | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
        | 0x20000..=0x3134F)
        && in_word(c)
}

/// Splits `HarbourView2` into `Harbour` and `View2`: before a capital after a small letter.
fn humps(piece: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut small) = (0, false);
    for (at, c) in piece.char_indices() {
        if small && c.is_uppercase() {
            parts.push(&piece[start..at]);
            start = at;
        }
        small = c.is_lowercase();
    }
    parts.push(&piece[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text, Purpose::Query).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn marks_and_case_do_not_matter() {
        assert_eq!(
            words("Café ZÜRICH naïve Łódź Straße"),
            ["cafe", "zurich", "naive", "lodz", "strasse"]
        );
        assert_eq!(words("cafe\u{301}"), words("caf\u{e9}"));
        assert_eq!(words("ﬁsh Ｔｏｋｙｏ"), ["fish", "tokyo"]);
    }

    #[test]
    fn identifiers_keep_their_parts() {
        assert_eq!(words("LC-USF33-001234"), ["lc", "usf33", "001234"]);
        assert_eq!(words("the courthouse's rear"), ["the", "courthouse", "rear"]);
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(words("東京都"), ["東京", "京都"]);
        let asked = tokens("東京0", Purpose::Query);
        assert_eq!(asked.last().map(|token| token.position), Some(2), "places are kept");
        assert_eq!(words("が"), ["が"], "a kana keeps its voicing mark");
        let indexed = tokens("東京都", Purpose::Index);
        assert!(indexed.iter().any(|token| token.text == "京" && token.position == 1));
        assert_eq!(words("हिन्दी"), ["हिन्दी"], "a vowel sign does not cut a word");
    }

    #[test]
    fn file_names_are_cut_at_humps_and_stay_whole() {
        let cut = path_tokens("/scans/HarbourView_1936.jpg");
        let texts: Vec<_> = cut.iter().map(|t| (t.position, t.text.as_str())).collect();
        assert_eq!(
            texts,
            [(0, "scan"), (1, "harbour"), (1, "harbourview"), (2, "view"), (3, "1936"), (4, "jpg")]
        );
    }

    proptest! {
        #[test]
        fn every_query_token_is_among_the_indexed_ones(text in ".{0,40}") {
            let indexed = tokens(&text, Purpose::Index);
            for asked in tokens(&text, Purpose::Query) {
                prop_assert!(indexed.contains(&asked), "{asked:?} not in {indexed:?}");
                prop_assert!(has(&text, &asked.text), "{asked:?} is had");
            }
            path_tokens(&text);
        }
    }
}
