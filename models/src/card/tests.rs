use super::*;

#[test]
fn every_built_in_card_is_whole_and_named_once() {
    let cards = Card::built_in();
    let names: BTreeSet<_> = cards.iter().map(|card| card.name.clone()).collect();
    assert_eq!(names.len(), cards.len());
    for card in &cards {
        assert!(!card.licence.is_empty() && !card.attribution.is_empty(), "{}", card.name);
        assert!(!card.products().is_empty(), "{} has nothing for this machine", card.name);
        for file in &card.files {
            let photograph = card.task == Task::Photographs;
            assert_eq!(file.photograph.is_some(), photograph, "{}", file.name);
        }
    }
}

#[test]
fn each_task_has_a_best_card_and_no_rank_twice() {
    let cards = Card::built_in();
    let repairs = [Task::Upscale, Task::Denoise, Task::Colourise];
    for task in
        [Task::Runtime, Task::Classify, Task::Detect, Task::Photographs].into_iter().chain(repairs)
    {
        let ranks: Vec<_> =
            cards.iter().filter(|c| c.task == task).filter_map(|c| c.rank).collect();
        let mut ranked = cards.iter().filter(|c| c.task == task && c.rank.is_some());
        assert!(ranked.any(Card::has_sources), "{task:?} needs a mirror folder");
        assert_eq!(ranks.iter().collect::<BTreeSet<_>>().len(), ranks.len(), "{task:?}");
    }
}

#[test]
fn a_card_that_would_leave_its_folder_or_is_not_whole_is_refused() {
    let good = include_str!("../../cards/yolox-nano.toml");
    assert!(Card::parse(good).is_ok());
    for (from, to, why) in [
        ("name = \"yolox_nano.onnx\"", "name = \"../yolox_nano.onnx\"", "is not a name"),
        ("sha256 = \"695e", "sha256 = \"zz5e", "sha256"),
        ("strides = [8, 16, 32]", "strides = [8, 0, 32]", "strides"),
        ("task = \"detect\"", "task = \"classify\"", "head"),
        ("side = 416", "side = 0", "pixels a side"),
        ("how = \"letterbox\", fill = 114", "how = \"crop\", margin = 32", "not a crop"),
    ] {
        assert!(good.contains(from), "{from}");
        let fault = Card::parse(&good.replace(from, to)).expect_err(from);
        assert!(fault.reason().contains(why), "{from}: {}", fault.reason());
    }
}

#[test]
fn a_head_that_the_rest_does_not_fit_is_refused() {
    let good = include_str!("../../cards/efficientnet-lite0.toml");
    let head = "head = { kind = \"probabilities\", tensor = \"probabilities\" }";
    assert!(good.contains(head));
    let near = "kind = \"similarity\", tensor = \"embedding\", scale = 100.0";
    for (from, to, why) in [
        (head, "head = { kind = \"yolov8\", tensor = \"o\", overlap = 0.6 }", "head"),
        (head, &format!("head = {{ {near}, texts = \"texts.f32\" }}"), "texts.f32 is none of"),
        (
            head,
            &format!(
                "head = {{ {near}, texts = \"efficientnet-lite0-57934424.pth\", activation = \"none\" }}"
            ),
            "softmax or sigmoid",
        ),
        ("\"imagenet-1k\"", "\"file:names.tsv\"", "names.tsv is none of"),
        ("[output]", "[output]\nsays = \"mood\"", "mood"),
    ] {
        let fault = Card::parse(&good.replace(from, to)).expect_err(to);
        assert!(fault.reason().contains(why), "{to}: {}", fault.reason());
    }
    let detector = include_str!("../../cards/picodet-s-416.toml");
    for (to, why) in
        [("[input]\nsecond_look = 0.5", "second_look"), ("[output]\nsays = \"scene\"", "objects")]
    {
        let from = &to[..to.find('\n').unwrap()];
        let fault = Card::parse(&detector.replace(from, to)).expect_err(to);
        assert!(fault.reason().contains(why), "{to}: {}", fault.reason());
    }
}

#[test]
fn a_card_that_repairs_in_a_way_that_its_task_cannot_is_refused() {
    let upscaler = include_str!("../../cards/realesrgan-x4plus.toml");
    let colouriser = include_str!("../../cards/colourise.toml");
    for (good, from, to, why) in [
        (upscaler, "mode = \"quality\"", "", "mode"),
        (upscaler, "scale = 4", "scale = 1", "scale"),
        (upscaler, "scale = 4", "scale = 4\nmultiple = 0", "multiple"),
        (upscaler, "task = \"upscale\"", "task = \"detect\"", "input and output"),
        (upscaler, "[repair]", "[output]", "cannot be read"),
        (colouriser, "side = 256", "", "a head and a side"),
        (
            colouriser,
            "head = \"colourise-head.onnx\"",
            "head = \"other.onnx\"",
            "none of its files",
        ),
        (colouriser, "side = 256", "side = 8", "pixels a side"),
    ] {
        assert!(Card::parse(good).is_ok() && good.contains(from), "{from}");
        let fault = Card::parse(&good.replace(from, to)).expect_err(from);
        assert!(fault.reason().contains(why), "{from}: {}", fault.reason());
    }
    let names = |text| Card::parse(text).unwrap().products().len();
    assert_eq!((names(upscaler), names(colouriser)), (1, 2));
}

#[test]
fn a_list_of_ones_own_says_what_the_task_or_the_card_says() {
    let text = mine("scene", "");
    assert_eq!(Card::parse(&text).unwrap().says(), Some(LabelKind::Scene));
    assert_eq!(Card::parse(&mine("classify", "")).unwrap().says(), Some(LabelKind::Object));
    let concept = Card::parse(&mine("classify", "says = \"concept\"")).unwrap();
    assert_eq!(concept.says(), Some(LabelKind::Concept));
    let names: Vec<_> = concept.products().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["mine.onnx", "names.tsv"]);
    let built_in = Card::parse(include_str!("../../cards/squeezenet-places365.toml")).unwrap();
    assert_eq!(built_in.says(), None, "its list knows");
    assert!(built_in.measuring_only && built_in.rank.is_none());
}

#[test]
fn what_is_read_decides_the_digest_and_spacing_does_not() {
    let reading = |text: &str| Card::parse(text).unwrap().reading;
    let text = mine("scene", "");
    let known = reading(&text);
    assert_eq!(known.len(), 16);
    assert_eq!(reading(&text.replace("side = 8", "\n# a remark\nside   =   8")), known);
    assert_eq!(reading(&text.replace("title = \"t\"", "title = \"other\"")), known);
    assert_ne!(reading(&text.replace("side = 8", "side = 9")), known);
    assert_ne!(reading(&mine("scene", "says = \"concept\"")), known);
}

#[test]
fn a_folder_of_cards_is_read_and_what_is_wrong_in_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("b.toml", &mine("scene", ""));
    write("notes.txt", "not looked at");
    let cards = Card::read_folder(folder.path()).unwrap();
    assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["mine"]);
    write("c.toml", &mine("classify", ""));
    let fault = Card::read_folder(folder.path()).unwrap_err();
    assert!(fault.reason().contains("c.toml is a second card mine"), "{}", fault.reason());
    write("c.toml", "name = 3");
    let fault = Card::read_folder(folder.path()).unwrap_err();
    assert!(fault.reason().contains("c.toml"), "{}", fault.reason());
    assert!(Card::read_folder(&folder.path().join("nowhere")).is_err());
}

#[test]
fn the_examples_in_the_cards_readme_are_cards() {
    let readme = include_str!("../../cards/README.md");
    let examples = readme.split("```toml\n").skip(1);
    let cards: Vec<_> =
        examples.map(|rest| Card::parse(rest.split_once("```").unwrap().0).unwrap()).collect();
    assert_eq!(cards.len(), 2);
    assert_eq!((cards[0].says(), cards[0].products().len()), (Some(LabelKind::Concept), 3));
    assert_eq!(cards[1].repair.as_ref().unwrap().mode, Some(Mode::Fidelity));
}

/// A card with a class list of its own.
fn mine(task: &str, output: &str) -> String {
    let sha256 = "0".repeat(64);
    format!(
        "name = \"mine\"\ntitle = \"t\"\ntask = \"{task}\"\nversion = \"1\"\nlicence = \"MIT\"\n\
         attribution = \"me\"\n\
         [[file]]\nname = \"mine.onnx\"\nsha256 = \"{sha256}\"\nbytes = 1\n\
         [[file]]\nname = \"names.tsv\"\nsha256 = \"{sha256}\"\nbytes = 1\n\
         [input]\nside = 8\nfit = {{ how = \"stretch\" }}\nfilter = \"bilinear\"\n\
         channels = \"rgb\"\nmean = [0.0, 0.0, 0.0]\ndeviation = [1.0, 1.0, 1.0]\n\
         [output]\n{output}\nclasses = \"file:names.tsv\"\n\
         head = {{ kind = \"probabilities\", tensor = \"p\", activation = \"softmax\" }}\n\
         keep_above = 0.1\nkeep_at_most = 5\n"
    )
}
