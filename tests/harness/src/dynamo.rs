//! DynamoDB on loopback: dynoxide, in memory.

use dynoxide::Database;

use crate::Running;

/// Starts an empty DynamoDB.
///
/// # Panics
/// When it cannot be started.
pub fn start() -> Running {
    let database = Database::memory().expect("a database in memory");
    Running::start(|listener| async move {
        dynoxide::server::serve_on(listener, database).await;
    })
}
