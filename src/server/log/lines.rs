//! Lines of the log on their way to standard error.
//!
//! A thread of its own writes them. A request so never waits for the log's reader, and a line that cannot
//! be written is lost without an error for the request that logged it.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

/// When so many lines wait, further ones are lost.
const WAITING_MAX: usize = 8_192;
/// At the end of the process, lines that wait longer are lost.
const FAREWELL: Duration = Duration::from_secs(1);
/// Pause between two tries to reach the end of a full queue.
const PAUSE: Duration = Duration::from_millis(10);

/// Takes lines of the log, and never blocks.
#[derive(Clone)]
pub struct Lines {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Line(Vec<u8>),
    /// All lines before are written.
    Flushed(Sender<()>),
}

impl Lines {
    /// Starts the thread that writes.
    pub fn start() -> Self {
        let (queue, entries) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        // Without a thread the queue has no reader, and each line is written where it is logged.
        let _ = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&entries, &counter));
        Self { queue, lost }
    }

    /// Waits for the lines that were logged before, for a second at most.
    pub fn flush(&self) {
        let (flushed, is_flushed) = channel();
        let mut entry = Entry::Flushed(flushed);
        let mut waited = Duration::ZERO;
        while let Err(TrySendError::Full(full)) = self.queue.try_send(entry) {
            if waited >= FAREWELL {
                return;
            }
            thread::sleep(PAUSE);
            waited += PAUSE;
            entry = full;
        }
        let _ = is_flushed.recv_timeout(FAREWELL.saturating_sub(waited));
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.queue.try_send(Entry::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(TrySendError::Disconnected(_)) => {
                let _ = io::stderr().write_all(line);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn write_all(entries: &Receiver<Entry>, lost: &AtomicU64) {
    for entry in entries {
        match entry {
            Entry::Line(line) if io::stderr().write_all(&line).is_err() => {
                lost.fetch_add(1, Ordering::Relaxed);
            }
            Entry::Line(_) => {
                let lines = lost.swap(0, Ordering::Relaxed);
                if lines > 0 {
                    tracing::warn!(
                        event = "log_lines_lost",
                        lines,
                        "standard error could not be written for a while"
                    );
                }
            }
            Entry::Flushed(flushed) => {
                let _ = flushed.send(());
            }
        }
    }
}
