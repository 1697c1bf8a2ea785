//! `glassplate infra`: the templates of what runs on AWS: checked, deployed, compared, taken down.

mod pack;
mod parameters;

use std::io::BufRead as _;
use std::path::Path;

use glassplate_infra::{Changed, Stacks, TEMPLATES, Template, check};
use glassplate_pipeline::fault::Fault;
use serde_json::{Value, json};

use self::parameters::{given, passed_on};
use crate::arguments::{InfraAction, Parameters, WhichStacks};
use crate::compose::{Desk, make_folder};
use crate::exit::Exit;
use crate::output::{self, data, say, talks_to_a_terminal};

pub(crate) async fn run(desk: &Desk, action: &InfraAction) -> Result<Exit, Fault> {
    match action {
        InfraAction::Check => Ok(told_check(desk)),
        InfraAction::Template { stack, into } => {
            match (stack, into) {
                (_, Some(folder)) => write_all(folder)?,
                (Some(stack), None) => data(Template::of(stack)?.body().trim_end()),
                (None, None) => {}
            }
            Ok(Exit::Done)
        }
        InfraAction::Pack { file } => {
            pack::write(file)?;
            Ok(Exit::Done)
        }
        InfraAction::Deploy(arguments) => go_through(desk, arguments, true).await,
        InfraAction::Diff(arguments) => go_through(desk, arguments, false).await,
        InfraAction::Destroy { which, confirm } => destroy(desk, which, confirm.as_deref()).await,
    }
}

fn told_check(desk: &Desk) -> Exit {
    let wrong = check();
    if desk.json {
        output::json(&json!({ "templates": TEMPLATES.len(), "wrong": wrong }));
    } else if wrong.is_empty() {
        data(format!("{} templates and their state machine are in order", TEMPLATES.len()));
    } else {
        wrong.iter().for_each(data);
    }
    if wrong.is_empty() { Exit::Done } else { Exit::Failed }
}

fn write_all(folder: &Path) -> Result<(), Fault> {
    make_folder(folder)?;
    for template in &TEMPLATES {
        let file = folder.join(format!("{}.yaml", template.name));
        std::fs::write(&file, template.body()).map_err(|e| {
            Fault::broken(format!("cannot write the template {}", file.display())).because(e)
        })?;
    }
    Ok(())
}

/// Deploys stacks, or shows what that would change, in the order in which one needs another.
async fn go_through(desk: &Desk, arguments: &Parameters, deploy: bool) -> Result<Exit, Fault> {
    let templates = ordered(&arguments.which.stacks)?;
    let said = given(arguments)?;
    let stacks = Stacks::new(&desk.aws().await?);
    let mut told = Vec::new();
    for template in templates {
        let stack = template.stack(&arguments.which.name);
        let given = passed_on(&stacks, &arguments.which.name, &template, &said).await?;
        let changed = match deploy {
            true => stacks.deploy(&template, &stack, &given).await?,
            false => stacks.diff(&template, &stack, &given).await?,
        };
        let standing = stacks.standing(&stack).await?;
        if !desk.json {
            tell(&stack, &changed, deploy);
            if deploy {
                for (name, value) in &standing.outputs {
                    data(format!("  {name} = {value}"));
                }
            }
        }
        told.push(json!({
            "stack": stack,
            "status": standing.status,
            "changed": changed.iter().map(as_json).collect::<Vec<_>>(),
            "outputs": standing.outputs,
        }));
    }
    if desk.json {
        output::json(&json!({ "stacks": told }));
    }
    Ok(Exit::Done)
}

fn tell(stack: &str, changed: &[Changed], done: bool) {
    let tense = if done { "changed" } else { "would change" };
    match changed.len() {
        0 => data(format!("{stack}: nothing {tense}")),
        n => data(format!("{stack}: {n} {tense}")),
    }
    changed.iter().for_each(|change| data(format!("  {change}")));
}

fn as_json(change: &Changed) -> Value {
    json!({
        "action": change.action,
        "resource": change.resource,
        "kind": change.kind,
        "replaced": change.replaced,
    })
}

/// Takes stacks down, the last first, and says what of them stays.
async fn destroy(desk: &Desk, which: &WhichStacks, confirm: Option<&str>) -> Result<Exit, Fault> {
    let mut templates = ordered(&which.stacks)?;
    templates.reverse();
    confirmed(which, confirm)?;
    let stacks = Stacks::new(&desk.aws().await?);
    let mut told = Vec::new();
    for template in templates {
        let stack = template.stack(&which.name);
        if stacks.standing(&stack).await?.status.is_none() {
            say(format!("there is no stack {stack}"));
            continue;
        }
        let kept = stacks.destroy(&template, &stack).await?;
        if !desk.json {
            data(format!("{stack}: taken down"));
            kept.iter().for_each(|what| data(format!("  stays: {what}")));
        }
        told.push(json!({ "stack": stack, "kept": kept }));
    }
    if desk.json {
        output::json(&json!({ "stacks": told }));
    }
    Ok(Exit::Done)
}

/// Sees that a person means it: the name is given once more.
fn confirmed(which: &WhichStacks, confirm: Option<&str>) -> Result<(), Fault> {
    let mut typed = String::new();
    let name = match confirm {
        Some(name) => name,
        None if talks_to_a_terminal() => {
            say(format!("type {} to take down {}", which.name, which.stacks.join(", ")));
            let read = std::io::stdin().lock().read_line(&mut typed);
            read.map_err(|e| Fault::broken("cannot read the answer").because(e))?;
            typed.trim()
        }
        None => "",
    };
    match name == which.name {
        true => Ok(()),
        false => Err(Fault::bad_input(format!(
            "nothing was taken down: say --confirm {} if it is meant",
            which.name
        ))),
    }
}

/// The templates of the words, in the order of deployment, each once.
fn ordered(words: &[String]) -> Result<Vec<Template>, Fault> {
    let wanted: Vec<Template> =
        words.iter().map(|word| Template::of(word)).collect::<Result<_, _>>()?;
    Ok(TEMPLATES.into_iter().filter(|template| wanted.contains(template)).collect())
}
