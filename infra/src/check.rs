//! Our own quick checks of what is built in: what every deployment would meet too late.

use std::collections::BTreeSet;

use crate::definition::{Definition, substitutions};
use crate::outline::Outline;
use crate::template::{DEFINITION, TEMPLATES, Template};

/// The most bytes of a template that is sent with the request.
const MOST_BYTES: usize = 51_200;
/// The most parameters, resources and outputs of a template.
const MOST: [(&str, usize); 3] = [("parameters", 200), ("resources", 500), ("outputs", 200)];

/// Says what is wrong with the templates and the state machine; nothing when all is well.
pub fn check() -> Vec<String> {
    let mut wrong = match Definition::built_in() {
        Ok(definition) => definition.wrong(),
        Err(fault) => vec![fault.reason()],
    };
    for template in &TEMPLATES {
        let said = of_template(&template.body(), &Outline::of(template));
        wrong.extend(said.into_iter().map(|what| format!("{}: {what}", template.name)));
    }
    let body = Template::of("batch").expect("it is built in").body();
    for name in substitutions(DEFINITION) {
        if !body.contains(&format!("\n        {name}: ")) {
            wrong.push(format!("batch: nothing is substituted for ${{{name}}}"));
        }
    }
    wrong
}

fn of_template(body: &str, outline: &Outline) -> Vec<String> {
    let mut wrong = Vec::new();
    if body.len() > MOST_BYTES {
        wrong.push(format!("{} bytes are more than {MOST_BYTES}", body.len()));
    }
    let counts = [outline.parameters.len(), outline.resources.len(), outline.outputs.len()];
    for ((what, most), count) in MOST.into_iter().zip(counts) {
        if count > most {
            wrong.push(format!("{count} {what} are more than {most}"));
        }
    }
    let used = references(body);
    let parameters = outline.parameters.iter().map(|parameter| &*parameter.name);
    let known: BTreeSet<&str> = parameters
        .clone()
        .chain(outline.resources.iter().map(|resource| &*resource.name))
        .collect();
    for name in parameters {
        if !used.contains(name) {
            wrong.push(format!("nothing uses the parameter {name}"));
        }
    }
    for name in used.iter().filter(|name| !name.starts_with("AWS::")) {
        if !known.contains(name) && !substitutions(DEFINITION).contains(name) {
            wrong.push(format!("there is no {name}"));
        }
    }
    for name in &outline.conditions {
        if !body.contains(&format!("Condition: {name}\n"))
            && !body.contains(&format!("!If [{name},"))
            && !body.contains(&format!("- {name}\n"))
        {
            wrong.push(format!("nothing asks for the condition {name}"));
        }
    }
    wrong
}

/// The names that `!Ref`, `!GetAtt` and `${}` refer to.
fn references(body: &str) -> BTreeSet<&str> {
    let word = |text: &'static str| {
        body.split(text).skip(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').next().unwrap_or_default()
        })
    };
    word("!Ref ")
        .chain(word("!GetAtt "))
        .chain(word("${"))
        .map(|w| w.trim_end_matches(':'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_in_order() {
        assert_eq!(check(), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_in_order_is_told() {
        let batch = Template::of("batch").expect("it is built in");
        let outline = Outline::of(&batch);
        for (there, put, told) in [
            ("!GetAtt Engine.Arn", "!GetAtt Motor.Arn", "there is no Motor"),
            ("!Ref LogLevel", "ALL", "nothing uses the parameter LogLevel"),
            ("- Paid\n", "- Rich\n", "nothing asks for the condition Paid"),
        ] {
            let said = of_template(&batch.body().replace(there, put), &outline);
            assert_eq!(said, [told], "{there} -> {put}");
        }
    }

    #[test]
    fn what_a_stack_needs_an_earlier_one_gives_or_a_person_says() {
        let said_by_people = [
            "Image",
            "VpcId",
            "WorkerSubnets",
            "PrivateSubnets",
            "Certificate",
            "CertificateDomain",
            "MonthlyDollars",
        ];
        let mut given = BTreeSet::new();
        for template in &TEMPLATES {
            let outline = Outline::of(template);
            for parameter in outline.parameters.iter().filter(|p| !p.has_default) {
                let name = &*parameter.name;
                assert!(
                    given.contains(name) || said_by_people.contains(&name),
                    "{} needs {name}, which nobody gives",
                    template.name
                );
            }
            given.extend(outline.outputs);
        }
    }
}
