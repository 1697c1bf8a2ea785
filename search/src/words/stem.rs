//! Stemming: English plurals meet their singular, and nothing else is touched.
//!
//! After Harman's S-stemmer ("How effective is suffixing?", JASIS 42, 1991), with the
//! sibilant plurals that it gets wrong and the irregular nouns that archives are full of.
//! Longer stemmers were rejected: they join `university` with `universe` and cut names.

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
pub(super) fn stem(word: &str) -> String {
    if let Ok(at) = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural) {
        return IRREGULAR[at].1.to_owned();
    }
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let drop = |n: usize| word[..word.len() - n].to_owned();
    let ends = |with: &[&str]| with.iter().any(|end| word.ends_with(end));
    if word.len() > 4 && ends(&["ies"]) && !ends(&["eies", "aies"]) {
        return drop(3) + "y";
    }
    if ends(&["sses", "ches", "shes", "xes", "zzes"]) {
        return drop(2);
    }
    if ends(&["s"]) && !ends(&["us", "ss", "is"]) {
        return drop(1);
    }
    word.to_owned()
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
    fn names_and_numbers_stay() {
        for word in ["paris", "mydans1", "001234", "ss", "bus", "iris", "glass"] {
            assert_eq!(stem(word), word);
        }
        assert_ne!(stem("university"), stem("universe"));
    }
}
