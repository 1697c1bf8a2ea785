//! Stemming: English plurals meet their singular, and nothing else is touched.
//!
//! After Harman's S-stemmer ("How effective is suffixing?", JASIS 42, 1991), with the
//! sibilant plurals that it gets wrong and the irregular nouns that archives are full of.
//! Longer stemmers were rejected: they join `university` with `universe` and cut names.

use std::borrow::Cow;

/// Plurals that no rule reaches, and singulars that a rule would break; in order.
const IRREGULAR: [(&str, &str); 50] = [
    ("aircraft", "aircraft"),
    ("brownies", "brownie"),
    ("buffaloes", "buffalo"),
    ("buses", "bus"),
    ("calves", "calf"),
    ("canvas", "canvas"),
    ("children", "child"),
    ("collies", "collie"),
    ("cookies", "cookie"),
    ("echoes", "echo"),
    ("feet", "foot"),
    ("firemen", "fireman"),
    ("fishermen", "fisherman"),
    ("geese", "goose"),
    ("halves", "half"),
    ("heroes", "hero"),
    ("hooves", "hoof"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lens", "lens"),
    ("lenses", "lens"),
    ("lives", "life"),
    ("loaves", "loaf"),
    ("mangoes", "mango"),
    ("men", "man"),
    ("mice", "mouse"),
    ("mosquitoes", "mosquito"),
    ("movies", "movie"),
    ("news", "news"),
    ("omnibuses", "omnibus"),
    ("oxen", "ox"),
    ("people", "person"),
    ("policemen", "policeman"),
    ("potatoes", "potato"),
    ("prairies", "prairie"),
    ("scarves", "scarf"),
    ("series", "series"),
    ("shelves", "shelf"),
    ("skis", "ski"),
    ("species", "species"),
    ("taxis", "taxi"),
    ("teeth", "tooth"),
    ("thieves", "thief"),
    ("tomatoes", "tomato"),
    ("volcanoes", "volcano"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("workmen", "workman"),
    ("zombies", "zombie"),
];

/// Brings a folded word to its singular; anything but plain letters stays as it is.
pub(super) fn stem(word: &str) -> Cow<'_, str> {
    if let Some(singular) = irregular(word) {
        return singular.into();
    }
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.into();
    }
    let drop = |n: usize| &word[..word.len() - n];
    let ends = |with: &[&str]| with.iter().any(|end| word.ends_with(end));
    if word.len() > 4 && ends(&["ies"]) && !ends(&["eies", "aies"]) {
        return format!("{}y", drop(3)).into();
    }
    if ends(&["sses", "ches", "shes", "xes", "zzes"]) {
        return drop(2).into();
    }
    if ends(&["s"]) && !ends(&["us", "ss", "is"]) {
        return drop(1).into();
    }
    word.into()
}

/// The singular of a plural that no rule reaches.
fn irregular(word: &str) -> Option<&'static str> {
    let (&first, &last) = (word.as_bytes().first()?, word.as_bytes().last()?);
    if LAST_LETTERS[usize::from(first)] & letter(last) == 0 {
        return None;
    }
    let at = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural).ok()?;
    Some(IRREGULAR[at].1)
}

/// The last letters of the irregular plurals by their first: most words need no look at the list.
static LAST_LETTERS: [u32; 256] = {
    let mut letters = [0; 256];
    let mut at = 0;
    while at < IRREGULAR.len() {
        let plural = IRREGULAR[at].0.as_bytes();
        letters[plural[0] as usize] |= letter(plural[plural.len() - 1]);
        at += 1;
    }
    letters
};

/// One bit for each small letter, none for anything else.
const fn letter(byte: u8) -> u32 {
    if byte.is_ascii_lowercase() { 1 << (byte - b'a') } else { 0 }
}

/// The beginning that a word shares with all the words whose stem it is, if one can be told.
///
/// Rules change the last letter at most; what no rule reaches may share only the first.
pub(super) fn root(stem: &str) -> Option<&str> {
    let regular = || !IRREGULAR.iter().any(|&(_, singular)| singular == stem);
    let plain = stem.len() >= 3 && stem.bytes().all(|b| b.is_ascii_alphanumeric());
    (plain && regular()).then(|| &stem[..stem.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_irregular_nouns_are_in_order() {
        assert!(IRREGULAR.is_sorted());
    }

    #[test]
    fn plurals_meet_their_singular() {
        for (plural, singular) in [
            ("turtles", "turtle"),
            ("boats", "boat"),
            ("churches", "church"),
            ("houses", "house"),
            ("buses", "bus"),
            ("boxes", "box"),
            ("ponies", "pony"),
            ("zebras", "zebra"),
            ("ties", "tie"),
            ("shoes", "shoe"),
            ("glasses", "glass"),
            ("women", "woman"),
            ("knives", "knife"),
            ("beaches", "beach"),
            ("bridges", "bridge"),
        ] {
            assert_eq!(stem(plural), stem(singular), "{plural}");
        }
    }

    #[test]
    fn a_plural_begins_with_the_root_of_its_stem() {
        for word in ["ponies", "churches", "turtles", "glass", "usf33", "boxes", "people", "men"] {
            let stem = stem(word);
            assert!(root(&stem).is_none_or(|root| word.starts_with(root)), "{word}");
        }
        assert_eq!(root("pony"), Some("pon"));
        assert_eq!(root("person"), None);
    }

    #[test]
    fn names_and_numbers_stay() {
        for word in ["paris", "mydans1", "001234", "ss", "bus", "iris", "glass"] {
            assert_eq!(stem(word), word);
        }
        assert_ne!(stem("university"), stem("universe"));
    }
}
