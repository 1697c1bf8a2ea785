//! The one writer: pieces of work, committed in groups.

use std::sync::mpsc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::fault::Fault;

/// Most pieces that share one commit: a bound on how long the first of them waits.
const GROUP: usize = 256;

/// A piece of work, done inside the group's transaction, or told why that could not begin; it
/// keeps its answer until the commit.
type Piece = Box<dyn FnOnce(Result<&Connection, &Fault>) -> Told + Send>;
/// Tells whoever waits how it ended, once the group is committed or lost.
type Told = Box<dyn FnOnce(Result<(), &Fault>) + Send>;

/// Takes pieces of work from any task and hands them to the thread that writes.
///
/// Dropping it waits until everything queued is committed and the connection is closed; no other
/// connection may close meanwhile, as in the embedded catalogue.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Piece>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // It panicked, which the callers it owed an answer have been told.
            let _ = thread.join();
        }
    }
}

impl Writer {
    /// Starts the writing thread; it ends when the writer is dropped and the queue is empty.
    pub(super) fn start(connection: Connection) -> Result<Self, Fault> {
        let (queue, pieces) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("registry".to_owned())
            .spawn(move || write_for_ever(&connection, &pieces))
            .map_err(|e| Fault::broken("cannot start the registry's thread").because(e))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Waits until the work is done and durable; work that fails leaves nothing.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let gone = || Fault::broken("the registry's thread has ended");
        let (answer, answered) = oneshot::channel();
        let piece: Piece = Box::new(move |begun| {
            let done = begun.map_err(Fault::clone).and_then(|c| savepoint(c, work));
            Box::new(move |committed| {
                // Nobody waits any more when the caller was cancelled; what was done stands.
                let _ = answer.send(match committed {
                    Ok(()) => done,
                    Err(fault) => Err(fault.clone()),
                });
            })
        });
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(piece).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn write_for_ever(connection: &Connection, pieces: &mpsc::Receiver<Piece>) {
    while let Ok(first) = pieces.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = pieces.try_recv()
        {
            group.push(next);
        }
        commit(connection, group);
    }
}

/// Commits a group in one transaction; the lock is taken before anything is read.
fn commit(connection: &Connection, group: Vec<Piece>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(super::writing);
    let told: Vec<Told> =
        group.into_iter().map(|piece| piece(begun.as_ref().map(|()| connection))).collect();
    let commit = || connection.execute_batch("COMMIT").map_err(super::writing);
    let committed = begun.and_then(|()| commit());
    if committed.is_err() {
        // Without this the next group would find itself inside the failed transaction.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for tell in told {
        tell(committed.as_ref().copied());
    }
}

/// Does one piece of work so that it can fail alone.
fn savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection.execute_batch("SAVEPOINT piece").map_err(super::writing)?;
    let done = work(connection);
    let end = if done.is_ok() { "RELEASE piece" } else { "ROLLBACK TO piece; RELEASE piece" };
    connection.execute_batch(end).map_err(super::writing)?;
    done
}
