//! Supervision of the tasks that run for as long as the server does.
//!
//! A task that ends early, by a panic or by a fault, is an error line, and the server is not ready until the
//! task runs again.

use super::{error::Error, state::State};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Pause before a task is started again; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause before a task is started again.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The tasks that have ended early and wait to be started again.
#[derive(Default)]
pub struct Tasks {
    stopped: Mutex<BTreeSet<&'static str>>,
}

impl Tasks {
    /// Refuses where a task has ended early and does not run again yet.
    ///
    /// # Errors
    /// [`Error::TaskStopped`], which names it.
    pub fn require_all(&self) -> Result<(), Error> {
        match self.stopped().first() {
            Some(task) => Err(Error::TaskStopped(task)),
            None => Ok(()),
        }
    }

    /// Notes that a task cannot do its work: the server is not ready.
    pub fn stop(&self, task: &'static str) {
        self.stopped().insert(task);
    }

    /// Notes that a task does its work again.
    pub fn go_on(&self, task: &'static str) {
        self.stopped().remove(task);
    }

    fn stopped(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a task until the server stops, and starts it again when it ends before.
pub fn supervise<R>(
    state: &State,
    task: &'static str,
    run: impl Fn(State) -> R + Send + Sync + 'static,
) where
    R: Future<Output = ()> + Send + 'static,
{
    let state = state.clone();
    tokio::spawn(async move {
        let mut pause = PAUSE;
        loop {
            let started = Instant::now();
            let ended = tokio::spawn(run(state.clone())).await;
            if state.db.is_closed() {
                return;
            }
            let reason = match ended {
                Ok(()) => "it returned".to_owned(),
                // The runtime stops.
                Err(error) if error.is_cancelled() => return,
                Err(error) => error.to_string(),
            };
            if started.elapsed() > PAUSE_MAX {
                pause = PAUSE;
            }
            state.tasks.stop(task);
            tracing::error!(
                event = "task_stopped",
                task,
                reason,
                again_in_s = pause.as_secs(),
                "a task has ended early: the server is not ready until it runs again"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            state.tasks.go_on(task);
        }
    });
}
