//! The state machine of a batch's round, held against the fault table.

use std::collections::BTreeSet;

use glassplate_pipeline::fault::{Fault, FaultKind};
use serde_json::{Map, Value};

use crate::template::DEFINITION;

/// The most bytes of a definition that Step Functions takes.
const MOST_BYTES: usize = 1 << 20;
/// What the engine itself calls transient: no answer, no sign of life.
const OF_THE_ENGINE: [&str; 2] = ["States.HeartbeatTimeout", "States.Timeout"];
/// What the services that the engine calls say when they are busy; ours say `Transient`.
const OF_SERVICES: [&str; 7] = [
    "DynamoDB.InternalServerErrorException",
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceededException",
    "DynamoDB.SdkClientException",
    "DynamoDB.ThrottlingException",
    "SQS.AmazonSQSException",
    "SQS.SdkClientException",
];

/// A round's state machine.
#[derive(Debug, Clone)]
pub struct Definition(Value);

/// A state, with its name.
type State<'a> = (&'a str, &'a Map<String, Value>);

impl Definition {
    /// Reads the one that is built in, numbers standing for its substitutions.
    ///
    /// # Errors
    /// `Broken` when it is no JSON.
    pub fn built_in() -> Result<Self, Fault> {
        Self::parse(DEFINITION)
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let mut filled = text.to_owned();
        for name in substitutions(text) {
            // Outside quotes a number must stand, within them anything may.
            filled = filled.replace(&format!("${{{name}}}"), "1");
        }
        let read = serde_json::from_str(&filled);
        read.map(Self).map_err(|e| Fault::broken("the state machine is no JSON").because(e))
    }

    /// The tasks of workers, in the order in which a round goes through them.
    pub fn steps(&self) -> Vec<String> {
        let tasks = self.states().into_iter();
        tasks.filter_map(|(_, state)| Some(task(state)?.to_owned())).collect()
    }

    /// Says what contradicts the fault table; nothing when all is well.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let ours: BTreeSet<&str> = FaultKind::ALL
            .iter()
            .filter(|kind| kind.faces().retried)
            .map(|kind| kind.faces().step_functions)
            .collect();
        for (name, state) in self.states() {
            let retried = names(state, "Retry");
            if task(state).is_some() {
                let (needed, services): (BTreeSet<&str>, _) = (
                    ours.iter().copied().chain(OF_THE_ENGINE).collect(),
                    BTreeSet::from(OF_SERVICES),
                );
                for missing in needed.difference(&retried) {
                    wrong.push(format!("{name} does not retry {missing}"));
                }
                let known = needed.union(&services).copied().collect();
                for foreign in retried.difference(&known) {
                    wrong.push(format!("{name} retries {foreign}, which is not transient"));
                }
                if !state.contains_key("TimeoutSeconds") || !state.contains_key("HeartbeatSeconds")
                {
                    wrong.push(format!("{name} may wait for ever"));
                }
            } else {
                for foreign in retried.difference(&BTreeSet::from(OF_SERVICES)) {
                    wrong.push(format!("{name} retries {foreign}, which no service says"));
                }
            }
            for foreign in names(state, "Catch").difference(&BTreeSet::from(["States.ALL"])) {
                wrong.push(format!("{name} catches {foreign} alone, and so loses what else fails"));
            }
        }
        if DEFINITION.len() > MOST_BYTES {
            wrong.push(format!("the state machine has {} bytes", DEFINITION.len()));
        }
        wrong
    }

    /// All states: those of the round in their order, those of a map behind it.
    fn states(&self) -> Vec<State<'_>> {
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found
    }
}

/// Follows a machine from its start; a fault's way out comes after the straight way.
fn walk<'a>(machine: &'a Value, found: &mut Vec<State<'a>>) {
    let mut seen = BTreeSet::new();
    let mut todo: Vec<&str> = machine["StartAt"].as_str().into_iter().collect();
    while let Some(name) = todo.pop() {
        let Some((name, state)) = machine["States"].as_object().and_then(|states| {
            let (name, state) = states.get_key_value(name)?;
            Some((name, state.as_object()?))
        }) else {
            continue;
        };
        if !seen.insert(name) {
            continue;
        }
        found.push((name, state));
        if let Some(inner) = state.get("ItemProcessor") {
            walk(inner, found);
        }
        let ways = ["Choices", "Catch"].into_iter().filter_map(|way| state.get(way)?.as_array());
        todo.extend(ways.flatten().filter_map(|way| way["Next"].as_str()));
        todo.extend(["Default", "Next"].into_iter().filter_map(|way| state.get(way)?.as_str()));
    }
}

/// The task that a state hands to a worker.
fn task(state: &Map<String, Value>) -> Option<&str> {
    state.get("Parameters")?.get("MessageBody")?.get("task")?.as_str()
}

/// The errors that a state's retriers or catchers name.
fn names<'a>(state: &'a Map<String, Value>, list: &str) -> BTreeSet<&'a str> {
    let entries = state.get(list).and_then(Value::as_array).into_iter().flatten();
    let errors = entries.filter_map(|entry| entry["ErrorEquals"].as_array()).flatten();
    errors.filter_map(Value::as_str).collect()
}

/// The names within `${}`.
pub(crate) fn substitutions(text: &str) -> BTreeSet<&str> {
    let pieces = text.split("${").skip(1);
    pieces.filter_map(|piece| piece.split_once('}')).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::batch::STEPS;

    use super::*;

    fn built_in() -> Definition {
        Definition::built_in().expect("JSON")
    }

    #[test]
    fn retry_and_catch_are_those_of_the_fault_table() {
        assert_eq!(built_in().wrong(), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_transient_must_not_be_retried() {
        for kind in FaultKind::ALL.into_iter().filter(|kind| !kind.faces().retried) {
            let spoilt =
                DEFINITION.replace("\"Transient\"", &format!("{:?}", kind.faces().step_functions));
            let wrong = Definition::parse(&spoilt).expect("JSON").wrong();
            assert_eq!(wrong.len(), 6, "three tasks, each lacking one and having one: {wrong:?}");
        }
        let spoilt = DEFINITION.replace("\"States.Timeout\"", "\"States.ALL\"");
        assert!(!Definition::parse(&spoilt).expect("JSON").wrong().is_empty());
    }

    #[test]
    fn tasks_come_in_the_order_of_the_steps() {
        assert_eq!(built_in().steps(), STEPS);
    }

    #[test]
    fn a_failed_map_still_goes_through_the_books() {
        let machine = built_in().0;
        assert_eq!(machine["States"]["Shards"]["Catch"][0]["Next"], "Reconcile");
        assert_eq!(machine["States"]["Reconcile"]["Catch"][0]["Next"], "Refresh");
        let default = &machine["States"]["Verdict"]["Default"];
        assert_eq!(default, "Done", "only what neither stopped nor failed to balance is done");
    }

    #[test]
    fn messages_are_those_of_the_contract() {
        for (_, state) in built_in().states() {
            let Some(task) = task(state) else { continue };
            let body = state["Parameters"]["MessageBody"].as_object().expect("a message");
            let mut fields = vec!["task", "token.$", "tenant.$", "run.$", "round.$"];
            fields.extend((task == "shard").then_some("shard.$"));
            assert_eq!(body.keys().map(|key| &**key).collect::<Vec<_>>(), fields);
        }
    }
}
