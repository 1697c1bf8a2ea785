//! What a template declares, read from the layout that all of ours have: sections at the margin,
//! names two spaces in, what is said of them four. It is no YAML reader; cfn-lint is that.

use crate::template::Template;

/// What a template declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it asks for.
    pub parameters: Vec<Parameter>,
    /// The names of its conditions.
    pub conditions: Vec<String>,
    /// The names of its resources.
    pub resources: Vec<Resource>,
    /// The names of what it gives out.
    pub outputs: Vec<String>,
}

/// What a template asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it has a default.
    pub has_default: bool,
    /// What it is, for people.
    pub description: String,
}

/// Something that a stack is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the template.
    pub name: String,
    /// Its type, such as `AWS::S3::Bucket`.
    pub kind: String,
    /// Whether it outlives its stack.
    pub kept: bool,
}

impl Outline {
    /// Reads a template.
    pub fn of(template: &Template) -> Self {
        let mut outline = Self::default();
        let mut section = String::new();
        for line in template.body().lines() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            if !line.starts_with(' ') {
                line.split(':').next().unwrap_or_default().clone_into(&mut section);
            } else if let Some(name) = at(line, 2) {
                outline.name(&section, name.split(':').next().unwrap_or_default());
            } else if let Some(said) = at(line, 4) {
                outline.said(&section, said);
            }
        }
        outline
    }

    fn name(&mut self, section: &str, name: &str) {
        let name = name.to_owned();
        match section {
            "Parameters" => self.parameters.push(Parameter { name, ..Parameter::default() }),
            "Conditions" => self.conditions.push(name),
            "Resources" => self.resources.push(Resource { name, ..Resource::default() }),
            "Outputs" => self.outputs.push(name),
            _ => {}
        }
    }

    fn said(&mut self, section: &str, said: &str) {
        let (key, value) = said.split_once(':').unwrap_or((said, ""));
        let value = value.trim().trim_matches('"');
        match (section, key, self.parameters.last_mut(), self.resources.last_mut()) {
            ("Parameters", "Default", Some(parameter), _) => parameter.has_default = true,
            ("Parameters", "Description", Some(parameter), _) => {
                value.clone_into(&mut parameter.description);
            }
            ("Resources", "Type", _, Some(resource)) => value.clone_into(&mut resource.kind),
            ("Resources", "DeletionPolicy", _, Some(resource)) => resource.kept = value == "Retain",
            _ => {}
        }
    }
}

/// What stands exactly so many spaces in.
fn at(line: &str, spaces: usize) -> Option<&str> {
    let text = line.trim_start();
    (line.len() - text.len() == spaces && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_storage_declares_is_read() {
        let outline = Outline::of(&Template::of("storage").expect("a template"));
        let lock = outline.parameters.iter().find(|p| p.name == "ObjectLock").expect("there");
        assert!(lock.has_default && lock.description.starts_with("Lets holds"), "{lock:?}");
        let kept: Vec<_> = outline.resources.iter().filter(|r| r.kept).map(|r| &*r.name).collect();
        assert_eq!(
            kept,
            [
                "Key",
                "Archive",
                "ArchivePolicy",
                "AccessLogs",
                "AccessLogsPolicy",
                "Ledger",
                "Registry"
            ]
        );
        assert!(outline.outputs.iter().any(|name| name == "TableArn"), "{:?}", outline.outputs);
        assert_eq!(outline.resources[0].kind, "AWS::KMS::Key");
    }
}
