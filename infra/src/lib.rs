//! Infrastructure: the templates of what runs on AWS, their checks and their deployment.
//!
//! Templates are plain CloudFormation in `stacks/`, the state machine plain ASL in
//! `state_machines/`; both are built in, so that what is checked is what is deployed.

mod check;
mod definition;
mod outline;
pub mod simulation;
mod stacks;
mod template;

pub use check::check;
pub use definition::Definition;
pub use outline::{Outline, Parameter};
pub use stacks::{Changed, Stacks, Standing};
pub use template::{TEMPLATES, Template};

/// The script that begins the program in a container and as a Lambda function.
pub const START: &str = include_str!("../start.sh");
