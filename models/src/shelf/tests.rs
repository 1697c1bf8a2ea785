use sha2::{Digest as _, Sha256};

use std::fs::File;
use std::path::Path;

use super::*;
use glassplate_pipeline::restoration::Mode;

/// A card for a file of the mirror with this content.
fn card(name: &str, content: &[u8], extra: &str) -> Card {
    let sha256 = glassplate_pipeline::asset::Digest::new(Sha256::digest(content).into());
    let bytes = content.len();
    Card::parse(&format!(
        "name = \"{name}\"\ntitle = \"t\"\ntask = \"photographs\"\nversion = \"1\"\n\
         licence = \"CC0-1.0\"\nattribution = \"nobody\"\n\
         [[file]]\nname = \"a.bin\"\nsha256 = \"{sha256}\"\nbytes = {bytes}\n{extra}"
    ))
    .unwrap()
}

fn shelf(folder: &Path) -> Shelf {
    let mirror = folder.join("mirror");
    fs::create_dir_all(mirror.join("one")).unwrap();
    fs::write(mirror.join("one/a.bin"), b"right").unwrap();
    let mut shelf = Shelf::open(folder.join("models"), Some(mirror)).unwrap();
    shelf.cards = vec![card("one", b"right", "")];
    shelf
}

#[test]
fn a_pull_copies_from_the_mirror_and_a_second_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    assert_eq!(shelf.list()[0].state, State::Missing);
    let fault = shelf.path("one").unwrap_err();
    assert!(fault.to_string().contains("glassplate models pull one"), "{fault}");
    shelf.pull(&["one"], &mut |_| {}).unwrap();
    assert_eq!(fs::read(shelf.path("one").unwrap()).unwrap(), b"right");
    // Without mirror or lock: what is here needs neither.
    fs::remove_dir_all(folder.path().join("mirror")).unwrap();
    shelf.pull(&["one"], &mut |_| panic!("nothing is to do")).unwrap();
}

#[test]
fn a_network_of_our_own_is_pulled_from_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(folder.path(), None).unwrap();
    shelf.pull(&["denoise"], &mut |_| {}).unwrap();
    assert_eq!(shelf.best(Task::Denoise).map(|card| card.name.as_str()), Some("denoise"));
    shelf.pull(&["upscale-fidelity"], &mut |_| {}).unwrap();
    let mode = |mode| {
        let made_for = |card: &Card| card.repair.as_ref().is_some_and(|r| r.mode == Some(mode));
        shelf.best_that(Task::Upscale, made_for)
    };
    assert_eq!(mode(Mode::Fidelity).map(|card| card.name.as_str()), Some("upscale-fidelity"));
    assert_eq!(mode(Mode::Quality), None, "it is not here");
}

#[test]
fn a_damaged_file_is_noticed_and_pulled_again() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    shelf.pull(&["one"], &mut |_| {}).unwrap();
    let path = shelf.path("one").unwrap();
    fs::write(&path, b"wrong").unwrap();
    assert_eq!(shelf.list()[0].state, State::Damaged);
    assert_eq!(shelf.path("one").unwrap_err().kind(), FaultKind::Conflict);
    shelf.pull(&["one"], &mut |_| {}).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"right");
}

#[test]
fn verify_notices_damage_that_kept_length_and_time() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    shelf.pull(&["one"], &mut |_| {}).unwrap();
    let path = shelf.path("one").unwrap();
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, b"wrong").unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    assert_eq!(shelf.list()[0].state, State::Present, "the stamp cannot know");
    assert_eq!(shelf.verify().unwrap()[0].state, State::Damaged);
}

#[test]
fn a_mirror_file_with_another_hash_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    fs::write(folder.path().join("mirror/one/a.bin"), b"wrong").unwrap();
    let fault = shelf.pull(&["one"], &mut |_| {}).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Conflict);
    assert!(fault.to_string().contains("a.bin is not the expected file"), "{fault}");
    assert_eq!(shelf.list()[0].state, State::Missing);
}

#[test]
fn without_python_or_mirror_the_fault_is_one_line_and_leaves_no_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = shelf(folder.path());
    shelf.mirror = None;
    shelf.python = Python::new("no-such-python".into(), folder.path().join("venv"));
    let url = "[[file.source]]\nkind = \"url\"\nurl = \"http://localhost:9/a.bin\"\n";
    shelf.add(card("one", b"right", url));
    let fault = shelf.pull(&["one"], &mut |_| {}).unwrap_err();
    assert!(fault.to_string().contains("no-such-python is not installed"), "{fault}");
    assert!(!fault.to_string().contains('\n'));
    let left: Vec<_> = fs::read_dir(folder.path().join("models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".lock" && name != "one")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn two_pulls_at_once_both_end_well_and_leftovers_of_killed_ones_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    fs::create_dir_all(folder.path().join("models/.fetch-dead/x")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| shelf.pull(&["one"], &mut |_| {}).unwrap());
        }
    });
    assert_eq!(shelf.list()[0].state, State::Present);
    assert!(!folder.path().join("models/.fetch-dead").exists());
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let fault = shelf(folder.path()).pull(&["nothing"], &mut |_| {}).unwrap_err();
    assert!(fault.to_string().contains("known: one"), "{fault}");
}

#[test]
fn a_folder_of_cards_brings_files_that_lie_beside_them_and_what_is_measured_is_never_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let mut shelf = shelf(folder.path());
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    let text = |name: &str, rank: u8, extra: &str| {
        format!(
            "name = \"{name}\"\ntitle = \"t\"\ntask = \"photographs\"\nversion = \"1\"\n\
             licence = \"NONE\"\nattribution = \"me\"\nrank = {rank}\n{extra}\n[[file]]\n\
             name = \"{name}.bin\"\nsha256 = \"{:x}\"\nbytes = 5\n",
            Sha256::digest(b"right")
        )
    };
    fs::write(mine.join("two.toml"), text("two", 1, "measuring_only = true")).unwrap();
    fs::write(mine.join("three.toml"), text("three", 2, "")).unwrap();
    fs::write(mine.join("two.bin"), b"right").unwrap();
    fs::create_dir(mine.join("three")).unwrap();
    fs::write(mine.join("three/three.bin"), b"right").unwrap();
    shelf.add_folder(&mine).unwrap();
    shelf.pull(&["two", "three"], &mut |_| {}).unwrap();
    assert_eq!(fs::read(shelf.path("two").unwrap()).unwrap(), b"right");
    assert_eq!(shelf.best(Task::Photographs).unwrap().name, "three");
    fs::write(mine.join("four.toml"), "nonsense").unwrap();
    let fault = shelf.add_folder(&mine).unwrap_err();
    assert!(fault.reason().contains("four.toml"), "{}", fault.reason());
}

#[test]
fn a_card_that_nothing_can_fetch_is_passed_over_when_another_can_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf(folder.path());
    let sourceless = card("lost", b"lost", "");
    let url = "[[file.source]]\nkind = \"url\"\nurl = \"http://localhost:9/a.bin\"\n";
    let fetched = card("fetched", b"x", url);
    let mirrored = card("one", b"right", "");
    let named = |cards: &[&Card]| {
        let worth = shelf.worth_bringing(cards);
        worth.into_iter().map(|card| card.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(named(&[&sourceless, &fetched, &mirrored]), ["fetched", "one"]);
    assert_eq!(named(&[&sourceless]), ["lost"], "asked for by name, it fails and says why");
}
