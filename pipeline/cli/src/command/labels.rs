//! Labels as people and exports get them: which are shown, in which order, and on what they rest.

use glassplate_pipeline::label::{Evidence, LabelKind};
use glassplate_pipeline::record::{Bar, LabelState, Record, RecordLabel};

use crate::compose::Desk;
use crate::output::{data, plain};

/// How much of the evidence is told, strongest first.
const EVIDENCE_TOLD: usize = 4;
/// How many broader terms are told.
const PARENTS_TOLD: usize = 4;

/// Which labels are shown.
pub(crate) enum Shown {
    /// All, refused and doubtful ones too.
    Everything,
    /// What a person said, and what a machine is sure enough of.
    Above(Bar),
}

impl Shown {
    /// What `--min-confidence` asks for, else what the settings say.
    pub(crate) fn asked(desk: &Desk, least: Option<f32>) -> Self {
        match least {
            None => Self::Above(desk.settings.labels),
            Some(0.0) => Self::Everything,
            Some(least) => Self::Above(Bar::of_all(least)),
        }
    }

    /// Leaves the labels that are shown in a record; returns how many others it had.
    pub(crate) fn keep(&self, record: &mut Record) -> usize {
        let before = record.labels.len();
        if let Self::Above(bar) = self {
            for made in &mut record.restorations {
                made.labels.retain(|label| bar.shows_only(label, &record.labels));
            }
            record.labels.retain(|label| bar.shows(label));
        }
        before - record.labels.len()
    }
}

/// Prints the labels in three groups, each ranked as in the record, and how many are hidden.
pub(crate) fn print(record: &Record, hidden: usize) {
    for (kind, heading) in [
        (LabelKind::Object, "objects"),
        (LabelKind::Scene, "scenes"),
        (LabelKind::Concept, "concepts"),
    ] {
        let mut of_kind = record.labels.iter().filter(|label| label.kind == kind).peekable();
        if of_kind.peek().is_some() {
            data(heading);
            of_kind.for_each(line);
        }
    }
    if hidden > 0 {
        let (labels, are) = if hidden == 1 { ("label", "is") } else { ("labels", "are") };
        data(format!(
            "{hidden} weaker, doubtful or rejected {labels} {are} hidden: --min-confidence 0 shows all"
        ));
    }
}

fn line(label: &RecordLabel) {
    let parents = label.parents.iter().take(PARENTS_TOLD).map(|p| format!(" < {}", plain(p)));
    let count = match label.instances.len() {
        0 | 1 => String::new(),
        n => format!(" x{n}"),
    };
    data(format!(
        "  {:.2} {}{count}{}  ({})",
        label.confidence,
        plain(&label.name),
        parents.collect::<String>(),
        standing(label),
    ));
    if !label.evidence.is_empty() {
        data(format!("       {}", rests_on(&label.evidence)));
    }
    for doubt in &label.doubts {
        data(format!("       in doubt: {}", plain(&doubt.reason)));
    }
}

/// Whose word a label is: `nanodet, proposed`, `nanodet, approved by ada, 2026-11-24`.
fn standing(label: &RecordLabel) -> String {
    let ruled = label
        .ruled
        .as_ref()
        .map(|ruled| format!(" by {}, {}", plain(&ruled.who), ruled.at.strftime("%Y-%m-%d")));
    let ruled = ruled.unwrap_or_default();
    let model = plain(&label.source.model);
    match label.state {
        LabelState::Proposed => format!("{model}, proposed"),
        LabelState::Approved => format!("{model}, approved{ruled}"),
        LabelState::Rejected => format!("{model}, rejected{ruled}"),
        LabelState::Added => format!("added{ruled}"),
    }
}

/// Writes what an inferred label rests on: `from boat +1.9 (yolox-nano), ocean +1.1`.
pub(crate) fn rests_on(evidence: &[Evidence]) -> String {
    let mut strongest: Vec<&Evidence> = evidence.iter().collect();
    strongest.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let told: Vec<String> = strongest
        .iter()
        .take(EVIDENCE_TOLD)
        .map(|e| {
            let by = e.by.as_deref().map(|by| format!(" ({})", plain(by))).unwrap_or_default();
            format!("{} {:+.1}{by}", plain(&e.name), e.weight)
        })
        .collect();
    let more = match strongest.len().saturating_sub(EVIDENCE_TOLD) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("from {}{more}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_told_strongest_first_with_its_weight_and_model() {
        let evidence = |name: &str, weight, by: Option<&str>| Evidence {
            name: name.to_owned(),
            kind: LabelKind::Object,
            weight,
            by: by.map(str::to_owned),
        };
        let two = [evidence("ocean", 1.1, None), evidence("boat", 1.94, Some("yolox-nano"))];
        assert_eq!(rests_on(&two), "from boat +1.9 (yolox-nano), ocean +1.1");
        let six: Vec<_> = (1_u8..=6).map(|n| evidence("a", -f32::from(n), None)).collect();
        assert_eq!(rests_on(&six), "from a -6.0, a -5.0, a -4.0, a -3.0 and 2 more");
    }
}
