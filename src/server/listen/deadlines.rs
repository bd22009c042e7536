//! Deadlines of a connection: one for the headers of a request, another, longer one for a
//! connection that is kept open between two requests.
//!
//! hyper has one deadline for both. A proxy keeps its connections for a minute or more, and a
//! connection that the server closes first is a 502 for the user whose request is just on its way.

use axum::body::Body as AxumBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// Headers of a request are arriving, or the first ones are awaited.
const HEADERS: u64 = 0;
/// A request is being served; its body and its handler have deadlines of their own.
const SERVING: u64 = 1;
/// The response is out, and nothing of the next request has arrived.
const IDLE: u64 = 2;
const PHASES: u64 = 4;

/// Phase of a connection, shared by its socket and its requests. The count of changes above the
/// phase tells one wait from the next of its kind.
#[derive(Clone, Default)]
pub struct Phase(Arc<AtomicU64>);

impl Phase {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, phase: u64) {
        let count = self.now() / PHASES + 1;
        self.0.store(count * PHASES + phase, Ordering::Relaxed);
    }

    /// Whether the head of a request is awaited, or has arrived in part.
    pub fn awaits_head(&self) -> bool {
        self.now() % PHASES == HEADERS
    }

    /// Stops the clock while a request is served: until the returned guard is dropped.
    pub fn serve(&self) -> Serving {
        self.set(SERVING);
        Serving(self.clone())
    }
}

/// A request that is being served. The idle deadline runs from its drop on.
pub struct Serving(Phase);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.set(IDLE);
    }
}

/// Response body that holds the guard of its request until the last frame is out.
pub struct ServedBody {
    inner: AxumBody,
    _serving: Serving,
}

impl ServedBody {
    /// Body of the response to this request.
    pub fn new(inner: AxumBody, serving: Serving) -> Self {
        Self {
            inner,
            _serving: serving,
        }
    }
}

impl Body for ServedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Socket that fails a read when the deadline of its phase has passed.
pub struct Socket<S> {
    inner: S,
    phase: Phase,
    headers: Duration,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    /// Value of the phase that the timer was set in.
    waits_for: u64,
}

impl<S> Socket<S> {
    /// The first request's headers are awaited from now on.
    pub fn new(inner: S, phase: Phase, headers: Duration, idle: Duration) -> Self {
        Self {
            inner,
            waits_for: phase.now(),
            phase,
            headers,
            idle,
            timer: Box::pin(sleep(headers)),
        }
    }

    /// Starts the idle deadline anew while the last octets of a response still go out: hyper lets go
    /// of a body before its buffer is empty.
    fn note_progress(&self, written: &Poll<io::Result<usize>>) {
        let is_serving = self.phase.now() % PHASES == SERVING;
        if !is_serving && matches!(written, Poll::Ready(Ok(1..))) {
            self.phase.set(IDLE);
        }
    }

    /// Ready when the deadline has passed.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.phase.now();
        let patience = match now % PHASES {
            SERVING => return Poll::Pending,
            IDLE => self.idle,
            _ => self.headers,
        };
        if now != self.waits_for {
            self.waits_for = now;
            self.timer.as_mut().reset(Instant::now() + patience);
        }
        self.timer.as_mut().poll(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(context, buffer) {
            let has_more = buffer.filled().len() > before;
            if has_more && self.phase.now() % PHASES == IDLE {
                self.phase.set(HEADERS);
            }
            return Poll::Ready(read);
        }
        self.poll_deadline(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.note_progress(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when a response is out, and may have asked for the next bytes before: the
        // deadline has to wake it.
        if self.poll_deadline(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, parts);
        self.note_progress(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
