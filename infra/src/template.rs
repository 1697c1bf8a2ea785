//! The templates, in the order in which they are deployed.

use glassplate_pipeline::fault::Fault;

/// The state machine of a batch's round, with its substitutions open.
pub(crate) const DEFINITION: &str = include_str!("../state_machines/batch.asl.json");
/// The line of a template that the state machine stands in for.
const DEFINITION_LINE: &str = "{{state_machines/batch.asl.json}}";

/// One template: a stack of its name, behind the name of the whole, is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The word that it is deployed by.
    pub name: &'static str,
    source: &'static str,
}

macro_rules! templates {
    ($($name:literal),*) => {
        [$(Template { name: $name, source: include_str!(concat!("../stacks/", $name, ".yaml")) }),*]
    };
}

/// All templates: what one gives out, later ones take as parameters of the same name.
pub static TEMPLATES: [Template; 11] = templates![
    "storage", "network", "batch", "workers", "gpu", "scaling", "serve", "gateway", "edge",
    "observe", "budget"
];

impl Template {
    /// Finds a template by its word.
    ///
    /// # Errors
    /// `BadInput` that lists the words.
    pub fn of(name: &str) -> Result<Self, Fault> {
        let found = TEMPLATES.iter().find(|template| template.name == name);
        found.copied().ok_or_else(|| {
            let known = TEMPLATES.map(|template| template.name).join(", ");
            Fault::bad_input(format!("there is no stack {name:?}: {known}"))
        })
    }

    /// Writes the template as CloudFormation gets it.
    pub fn body(&self) -> String {
        let mut body = String::with_capacity(self.source.len());
        for line in self.source.lines() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let lines = match line.trim_start() == DEFINITION_LINE {
                true => DEFINITION.lines().map(|part| format!("{indent}{part}\n")).collect(),
                false => format!("{line}\n"),
            };
            body.push_str(&lines);
        }
        body
    }

    /// The name of the stack that is made of this template.
    pub fn stack(&self, name: &str) -> String {
        format!("{name}-{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_machine_stands_in_its_template() {
        let body = Template::of("batch").expect("a template").body();
        assert!(!body.contains("{{"), "an open place");
        assert!(body.contains("\n        {\n          \"Comment\": \"One round"), "not indented");
        assert_eq!(body.matches("\"StartAt\": \"Shards\"").count(), 1);
    }

    #[test]
    fn an_unknown_stack_is_told_with_those_there_are() {
        let fault = Template::of("bucket").expect_err("unknown");
        assert!(fault.to_string().contains("storage, network, batch"), "{fault}");
    }
}
