//! `glassplate evaluate`: how right the labels are, on photographs whose content is known.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use glassplate_models::evaluation::look::{Examiner, Looked, Unseen};
use glassplate_models::evaluation::plot;
use glassplate_models::evaluation::report::Report;
use glassplate_models::evaluation::score::score;
use glassplate_models::evaluation::truth::{Case, Cases};
use glassplate_models::evaluation::words::Words;
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::fault::Fault;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::arguments::Evaluate;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

/// What the help says about tables of labels.
pub(crate) const HELP: &str = "\
Labels:
  A CSV with a column `file` and any of these; `|` separates several entries of one cell:
    objects   what is in the picture; of everything the column names anywhere, the rest is not
    scenes    any of these is right, by name or Places365's key
    concepts  what the picture is about
    setting   indoor or outdoor
  An empty cell was not judged; `-` says that there is none. Files are looked for in DIR, beside
  the CSV, and one folder up.

    file,objects,scenes,concepts,setting
    harbour.jpg,boat|person,harbor|marina,sailing|fishing,outdoor
    parlour.jpg,-,,family,indoor

  Tables of COCO (objects, origin), ImageNet (wnid) and Places365 (places365_accepted or
  scenes_accepted, io, concepts) and of confusable pictures (kind, label) are recognised too.

Exit codes:
  0    all measured
  1    something is missing, busy or broken; the message says what
  2    wrong usage, or a table that cannot be understood
  3    measured, with pictures listed that could not be read";

/// How many pictures are timed, one after the other.
const TIMED: usize = 20;

pub(crate) async fn run(desk: &Desk, arguments: &Evaluate) -> Result<Exit, Fault> {
    let words = Words::load(Objects::load());
    let Cases { cases, notes } =
        Cases::read(&arguments.folder, &arguments.labels, arguments.all_rows, &words)?;
    notes.iter().for_each(say);
    if cases.is_empty() {
        return Err(Fault::bad_input("the labels name no picture to measure"));
    }
    let examiner = Arc::new(Examiner {
        labellers: desk.labellers_for_measuring(&arguments.models)?,
        interpreter: desk.interpreter()?,
        limits: desk.settings.limits.clone(),
        recipe: desk.settings.renditions.clone(),
    });
    let makers = examiner.labellers.iter().map(|labeller| labeller.maker().model.clone());
    let makers: Vec<String> = makers.collect();
    say(format!("{} pictures are looked at by {}", cases.len(), makers.join(", ")));
    let bar = progress(cases.len());
    let ticking = bar.clone();
    let (looked, unseen) = examiner.look_at_all(cases, desk.lanes(), move || ticking.inc(1)).await;
    bar.finish_and_clear();
    let seconds = seconds_per_picture(&examiner, &looked).await?;
    let report = score(&looked, &words, &desk.settings.labels);
    write_files(arguments, &report, &looked)?;
    for Unseen { file, fault } in &unseen {
        say(format!("not measured: {}: {}", plain(file), fault.reason()));
    }
    if desk.json {
        output::json(&to_json(&report, &makers, looked.len(), &unseen, seconds));
    } else {
        report.to_lines().iter().for_each(data);
        if let Some(seconds) = seconds {
            data(format!("{:<29} {seconds:>6.3}", "seconds_per_picture"));
        }
        say(format!(
            "{} pictures measured, {} not; intervals are 95 % (bootstrap over pictures)",
            looked.len(),
            unseen.len()
        ));
    }
    Ok(if unseen.is_empty() { Exit::Done } else { Exit::Listed })
}

fn to_json(
    report: &Report,
    makers: &[String],
    measured: usize,
    unseen: &[Unseen],
    seconds: Option<f64>,
) -> Value {
    let mut value = report.to_json();
    value["seconds_per_picture"] = json!(seconds);
    value["models"] = json!(makers);
    value["pictures"] = json!(measured);
    let not_measured = unseen.iter().map(|Unseen { file, fault }| {
        json!({ "file": file, "fault": fault.kind().faces().name, "reason": fault.reason() })
    });
    value["not_measured"] = not_measured.collect();
    value
}

fn progress(pictures: usize) -> ProgressBar {
    if !output::talks_to_a_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec}, {eta} left")
        .expect("the template is constant");
    ProgressBar::new(pictures as u64).with_style(style)
}

/// Measures the processor time from the pixels that labellers see to the record: nothing else
/// is at work, and networks have one thread. None when there is no picture.
async fn seconds_per_picture(examiner: &Examiner, looked: &[Looked]) -> Result<Option<f64>, Fault> {
    let apart = looked.len().div_ceil(TIMED).max(1);
    let (mut spent, mut count) = (Duration::ZERO, 0);
    for Looked { case, .. } in looked.iter().step_by(apart) {
        let picture = examiner.picture(&case.path).await?;
        let began = processor_time();
        examiner.record(&picture).await?;
        spent += processor_time() - began;
        count += 1;
    }
    Ok((count > 0).then(|| spent.as_secs_f64() / f64::from(count)))
}

/// Processor time of the whole process so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn write_files(arguments: &Evaluate, report: &Report, looked: &[Looked]) -> Result<(), Fault> {
    if let Some(path) = &arguments.per_class {
        write(path, &report.to_csv())?;
    }
    if let Some(path) = &arguments.plot {
        write(path, &plot::svg(&report.reliability))?;
    }
    if let Some(path) = &arguments.predictions {
        let mut lines = String::new();
        for Looked { case: Case { file, truth, .. }, record, grey } in looked {
            let mut line =
                json!({ "file": file, "truth": truth.to_json(), "labels": record.labels });
            if let Some(grey) = grey {
                line["labels_grey"] = json!(grey.labels);
            }
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        write(path, &lines)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let written = std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Fault::not_found(format!("cannot write {}", path.display())).because(error)
    })
}
