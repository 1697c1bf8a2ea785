//! What the fold must do.

use super::*;
use crate::decision::Ruling;
use crate::embedding::{DIMENSIONS, Space};
use crate::fault::FaultKind;
use crate::image::ColourModel;
use crate::label::Label;
use crate::opinion::{Identified, Maker, Renditions, Subject};
use crate::ports::Verbatim;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a small number")
}

fn run(n: u32) -> RunId {
    RunId::new(at(0), n)
}

fn parts() -> Parts {
    let tenant = Tenant::default();
    let digest = Digest::new([1; 32]);
    Parts {
        asset: Asset {
            id: AssetId::derive(&tenant, &digest),
            tenant,
            digest,
            blake3: Digest::new([2; 32]),
            bytes: 3,
            registered: at(0),
        },
        occurrences: Vec::new(),
        opinions: Vec::new(),
        decisions: Vec::new(),
        withdrawn: BTreeSet::new(),
    }
}

fn opine(parts: &mut Parts, step: &str, model: &str, of: RunId, verdict: Verdict) {
    let maker = Maker {
        backend: "onnx".to_owned(),
        model: model.to_owned(),
        version: "1".to_owned(),
        parameters: String::new(),
    };
    let subject = Subject::Pixels(PixelDigest::new([9; 32]));
    parts.opinions.push(Opinion::new(&parts.asset.id, step, subject, &maker, &of, at(1), verdict));
}

fn claim(name: &str, kind: LabelKind, confidence: f32, rests_on: &[(&str, LabelKind)]) -> Label {
    Label {
        name: name.to_owned(),
        kind,
        confidence,
        wordnet: None,
        parents: Vec::new(),
        instances: Vec::new(),
        evidence: rests_on
            .iter()
            .map(|(name, kind)| Evidence {
                name: (*name).to_owned(),
                kind: *kind,
                weight: 2.0,
                by: None,
            })
            .collect(),
    }
}

fn labelled(labels: Vec<Label>) -> Verdict {
    Verdict::Found(Finding::Labelled(labels))
}

fn decide(parts: &mut Parts, label: &str, kind: LabelKind, ruling: Ruling) {
    parts.decisions.push(Decision {
        asset: parts.asset.id.clone(),
        label: label.to_owned(),
        kind,
        wordnet: None,
        parents: Vec::new(),
        ruling,
        who: "ada".to_owned(),
        at: at(2),
    });
}

fn states(record: &Record) -> Vec<(&str, LabelState)> {
    record.labels.iter().map(|label| (label.name.as_str(), label.state)).collect()
}

#[test]
fn the_same_parts_give_the_same_record_through_json() {
    let mut parts = parts();
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]),
    );
    decide(&mut parts, "dog", LabelKind::Object, Ruling::Approve);
    let text = serde_json::to_string(&parts).expect("json");
    let back: Parts = serde_json::from_str(&text).expect("json");
    assert_eq!(fold(&back, &Verbatim), fold(&parts, &Verbatim));
}

#[test]
fn a_picture_lies_where_the_labellers_that_count_last_put_it() {
    let mut parts = parts();
    let put = |parts: &mut Parts, step: &str, of: RunId, first: Option<f32>| {
        opine(parts, step, "m", of, labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]));
        let mut direction = [1.0; DIMENSIONS];
        direction[0] = first.unwrap_or(0.0);
        let space = Space::named("m/1");
        let embedding = first.and_then(|_| Embedding::of(&space, &direction));
        parts.opinions.last_mut().expect("just said").embedding = embedding;
    };
    let first = |parts: &Parts| fold(parts, &Verbatim).embedding.map(|it| it.values[0]);
    put(&mut parts, "label:m", run(1), None);
    assert_eq!(first(&parts), None, "it was said before embeddings were kept");
    put(&mut parts, "label:other", run(1), Some(-1.0));
    assert_eq!(first(&parts), Some(-127));
    put(&mut parts, "label:m", run(2), Some(1.0));
    assert_eq!(first(&parts), Some(127), "of two labellers the first by name");
    parts.withdrawn.insert(run(2));
    assert_eq!(first(&parts), Some(-127));
}

#[test]
fn a_human_beats_every_machine_whenever_the_machine_speaks() {
    let mut parts = parts();
    decide(&mut parts, "dog", LabelKind::Object, Ruling::Reject);
    decide(&mut parts, "cat", LabelKind::Object, Ruling::Approve);
    for n in 1..4 {
        let claims = ["dog", "cat"].map(|name| claim(name, LabelKind::Object, 0.99, &[]));
        opine(&mut parts, &format!("label:m{n}"), "m", run(n), labelled(claims.to_vec()));
    }
    let record = fold(&parts, &Verbatim);
    assert_eq!(record.labels.len(), 6);
    for label in &record.labels {
        let expected =
            if label.name == "dog" { LabelState::Rejected } else { LabelState::Approved };
        assert_eq!(label.state, expected);
    }
}

#[test]
fn the_last_ruling_on_a_label_holds() {
    let mut parts = parts();
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]),
    );
    decide(&mut parts, "dog", LabelKind::Object, Ruling::Reject);
    decide(&mut parts, "dog", LabelKind::Object, Ruling::Approve);
    assert_eq!(states(&fold(&parts, &Verbatim)), [("dog", LabelState::Approved)]);
}

#[test]
fn an_addition_stands_until_it_is_rejected_and_survives_a_withdrawn_run() {
    let mut parts = parts();
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]),
    );
    decide(&mut parts, "dog", LabelKind::Object, Ruling::Approve);
    decide(&mut parts, "wolf", LabelKind::Object, Ruling::Add);
    parts.withdrawn.insert(run(1));
    assert_eq!(
        states(&fold(&parts, &Verbatim)),
        [("dog", LabelState::Added), ("wolf", LabelState::Added)]
    );
    decide(&mut parts, "wolf", LabelKind::Object, Ruling::Reject);
    assert_eq!(states(&fold(&parts, &Verbatim)), [("dog", LabelState::Added)]);
}

#[test]
fn a_withdrawn_run_disappears_and_the_one_before_shows_again() {
    let mut parts = parts();
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]),
    );
    opine(
        &mut parts,
        "label:m",
        "m",
        run(2),
        labelled(vec![claim("cat", LabelKind::Object, 0.9, &[])]),
    );
    assert_eq!(states(&fold(&parts, &Verbatim)), [("cat", LabelState::Proposed)]);
    parts.withdrawn.insert(run(2));
    assert_eq!(states(&fold(&parts, &Verbatim)), [("dog", LabelState::Proposed)]);
    parts.withdrawn.insert(run(1));
    assert_eq!(fold(&parts, &Verbatim).labels, []);
}

#[test]
fn a_rejected_object_takes_along_what_rests_on_it_alone() {
    let mut parts = parts();
    let claims = vec![
        claim("boat", LabelKind::Object, 0.9, &[]),
        claim("water", LabelKind::Object, 0.9, &[]),
        claim("harbour", LabelKind::Scene, 0.8, &[("boat", LabelKind::Object)]),
        claim(
            "ocean",
            LabelKind::Scene,
            0.8,
            &[("boat", LabelKind::Object), ("water", LabelKind::Object)],
        ),
        claim("trade", LabelKind::Concept, 0.7, &[("harbour", LabelKind::Scene)]),
        claim("sailing", LabelKind::Concept, 0.7, &[("ocean", LabelKind::Scene)]),
    ];
    opine(&mut parts, "label:m", "m", run(1), labelled(claims));
    decide(&mut parts, "boat", LabelKind::Object, Ruling::Reject);
    let record = fold(&parts, &Verbatim);
    let names: Vec<_> = record.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(names, ["boat", "water", "ocean", "sailing"].map(|n| n), "harbour and trade sink");
    let ocean = record.labels.iter().find(|label| label.name == "ocean").expect("ocean");
    assert!(
        (ocean.confidence - 0.351).abs() < 0.01,
        "0.8 less 2 in log-odds: {}",
        ocean.confidence
    );
    assert_eq!(ocean.evidence.len(), 1);
}

#[test]
fn a_conclusive_opinion_is_not_hidden_by_a_later_failure() {
    let mut parts = parts();
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.9, &[])]),
    );
    let failed = Verdict::Failed { fault: FaultKind::TimedOut, reason: "slow".to_owned() };
    opine(&mut parts, "label:m", "m", run(2), failed);
    let record = fold(&parts, &Verbatim);
    assert_eq!(record.steps["label:m"].state, State::Done);
    assert_eq!(record.labels.len(), 1);
}

#[test]
fn none_found_not_run_and_failed_are_three_answers() {
    let mut parts = parts();
    opine(&mut parts, "label:none", "a", run(1), Verdict::NoneFound);
    assert_eq!(fold(&parts, &Verbatim).steps["label"].state, State::NoneFound);
    opine(&mut parts, "label:off", "b", run(1), Verdict::NotRun { reason: "no model".to_owned() });
    let failed = Verdict::Failed { fault: FaultKind::Broken, reason: "no memory".to_owned() };
    opine(&mut parts, "label:bad", "c", run(1), failed);
    let steps = fold(&parts, &Verbatim).steps;
    assert_eq!(steps["label:none"].state, State::NoneFound);
    assert_eq!(steps["label:off"].state, State::NotRun);
    assert_eq!(steps["label:bad"].state, State::Failed);
    assert_eq!(steps["label"].state, State::Failed);
    assert_eq!(steps["label"].reason.as_deref(), Some("label:bad: broken: no memory"));
    assert_eq!(steps[IDENTIFY].state, State::NotRun);
}

#[test]
fn the_export_names_what_it_promises() {
    let mut parts = parts();
    let technical = Technical {
        format: Format::Jpeg,
        width: 30,
        height: 20,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Ycbcr,
        alpha: false,
        orientation: 1,
        icc: None,
    };
    let identified = Identified {
        technical,
        embedded: Fields::new(),
        pixels: Some(PixelDigest::new([9; 32])),
        damage: Vec::new(),
    };
    opine(
        &mut parts,
        IDENTIFY,
        "identify",
        run(1),
        Verdict::Found(Finding::Identified(identified)),
    );
    let rendered = Renditions {
        files: vec![Rendition {
            name: "256".to_owned(),
            width: 30,
            height: 20,
            media_type: "image/jpeg".to_owned(),
            path: "p".to_owned(),
        }],
        phash: "00ff00ff00ff00ff".to_owned(),
        note: Some("truncated".to_owned()),
    };
    opine(&mut parts, RENDER, "render", run(1), Verdict::Found(Finding::Rendered(rendered)));
    opine(
        &mut parts,
        "label:m",
        "m",
        run(1),
        labelled(vec![claim("dog", LabelKind::Object, 0.5, &[])]),
    );
    let json = serde_json::to_value(fold(&parts, &Verbatim)).expect("json");
    for pointer in [
        "/asset",
        "/tenant",
        "/digest/sha256",
        "/pixel_digest",
        "/phash",
        "/format",
        "/width",
        "/height",
        "/occurrences",
        "/embedded",
        "/renditions/0/name",
        "/renditions/0/width",
        "/renditions/0/height",
        "/renditions/0/media_type",
        "/renditions/0/path",
        "/labels/0/name",
        "/labels/0/kind",
        "/labels/0/confidence",
        "/labels/0/wordnet",
        "/labels/0/parents",
        "/labels/0/instances",
        "/labels/0/evidence",
        "/labels/0/state",
        "/labels/0/source/backend",
        "/labels/0/source/model",
        "/labels/0/source/version",
        "/labels/0/source/run",
        "/steps/identify/state",
        "/steps/render/reason",
        "/steps/label:m/opinion",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer} is missing");
    }
    assert_eq!(json["steps"]["render"]["reason"], "truncated");
    assert_eq!(json["format"], "jpeg");
}
