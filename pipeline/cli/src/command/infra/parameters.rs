//! What stacks are told: by flags, by a file, by the stacks that they rest on.

use std::collections::{BTreeMap, BTreeSet};

use glassplate_infra::{Outline, Stacks, TEMPLATES, Template};
use glassplate_pipeline::fault::Fault;

use crate::arguments::Parameters;

/// What a person says: the file, and over it the flags.
///
/// # Errors
/// `NotFound` for a file that is not there, `BadInput` for what no template asks for.
pub(super) fn given(arguments: &Parameters) -> Result<BTreeMap<String, String>, Fault> {
    let mut given = BTreeMap::new();
    if let Some(file) = &arguments.parameters {
        let text = std::fs::read_to_string(file).map_err(|e| {
            Fault::not_found(format!("cannot read the parameters {}", file.display())).because(e)
        })?;
        given = parse(&text).map_err(|e| {
            Fault::bad_input(format!("in the parameters {}", file.display())).because(e)
        })?;
    }
    for pair in &arguments.set {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Fault::bad_input(format!("--set {pair:?} is not PARAMETER=VALUE")))?;
        given.insert(name.to_owned(), value.to_owned());
    }
    let known: BTreeSet<String> = TEMPLATES
        .iter()
        .flat_map(|template| Outline::of(template).parameters)
        .map(|parameter| parameter.name)
        .collect();
    if let Some(unknown) = given.keys().find(|name| !known.contains(*name)) {
        return Err(Fault::bad_input(format!("no stack has a parameter {unknown}")));
    }
    if given.contains_key("Name") {
        return Err(Fault::bad_input("the parameter Name is said by --name"));
    }
    Ok(given)
}

/// Reads a flat table of texts and numbers.
fn parse(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let table: toml::Table =
        toml::from_str(text).map_err(|e| Fault::bad_input(e.to_string().trim_end().to_owned()))?;
    let mut given = BTreeMap::new();
    for (name, value) in table {
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            _ => return Err(Fault::bad_input(format!("{name} is neither text nor number"))),
        };
        given.insert(name, value);
    }
    Ok(given)
}

/// What one template is told of all that, its name, and what the stacks before it give out under
/// the name of one of its parameters; what a person says beats that.
///
/// # Errors
/// What the service says.
pub(super) async fn passed_on(
    stacks: &Stacks,
    name: &str,
    template: &Template,
    said: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut given = BTreeMap::from([("Name".to_owned(), name.to_owned())]);
    let wanted: Vec<String> =
        Outline::of(template).parameters.into_iter().map(|parameter| parameter.name).collect();
    for earlier in TEMPLATES.iter().take_while(|earlier| *earlier != template) {
        if !Outline::of(earlier).outputs.iter().any(|output| wanted.contains(output)) {
            continue;
        }
        let standing = stacks.standing(&earlier.stack(name)).await?;
        given.extend(standing.outputs);
    }
    given.extend(said.clone());
    given.retain(|name, _| wanted.contains(name));
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::WhichStacks;

    fn arguments(set: &[&str]) -> Parameters {
        Parameters {
            which: WhichStacks { stacks: vec!["batch".to_owned()], name: "g".to_owned() },
            parameters: None,
            set: set.iter().map(|pair| (*pair).to_owned()).collect(),
        }
    }

    #[test]
    fn a_parameter_that_no_stack_has_is_told() {
        let fault = given(&arguments(&["LogDasy=30"])).expect_err("unknown");
        assert_eq!(fault.to_string(), "no stack has a parameter LogDasy");
        let fault = given(&arguments(&["Name=x"])).expect_err("said elsewhere");
        assert!(fault.to_string().contains("--name"), "{fault}");
        let said = given(&arguments(&["SourceObjects=arn:aws:s3:::scans/*=x"])).expect("known");
        assert_eq!(said["SourceObjects"], "arn:aws:s3:::scans/*=x", "only the first = divides");
    }

    #[test]
    fn the_files_that_come_along_are_read() {
        for text in [
            include_str!("../../../../../infra/parameters/small.toml"),
            include_str!("../../../../../infra/parameters/large.toml"),
        ] {
            let set: Vec<String> = parse(text)
                .expect("TOML")
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let set: Vec<&str> = set.iter().map(|pair| &**pair).collect();
            assert!(given(&arguments(&set)).expect("all known").len() > 5);
        }
    }
}
