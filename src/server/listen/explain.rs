//! A body for the answer that hyper itself gives to a request whose head is not HTTP: without one, a
//! client whose key ends with a carriage return learns nothing.

use super::deadlines::Phase;
use crate::server::v1::{CONTENT_TYPE, unreadable_head};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How hyper's answer begins. It has no other header but the date.
const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\n";
const NO_BODY: &str = "content-length: 0\r\n";

/// Socket that sends an answer with a body in place of hyper's bare one.
pub struct Explained<S> {
    inner: S,
    phase: Phase,
    /// What has still to be sent in its place.
    rest: Vec<u8>,
}

impl<S> Explained<S> {
    /// Around the socket of a connection in this phase.
    pub fn new(inner: S, phase: Phase) -> Self {
        Self {
            inner,
            phase,
            rest: Vec::new(),
        }
    }

    /// Whether these octets are hyper's answer to a head that it could not read; then they are
    /// replaced.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        // While a request is served, and until its answer is out, what is written is the router's.
        if !self.phase.awaits_head() || !bytes.starts_with(BARE) {
            return false;
        }
        let head = String::from_utf8_lossy(bytes);
        if !head.contains(NO_BODY) {
            return false;
        }
        let body = unreadable_head();
        let length = body.len();
        let headers = format!(
            "content-type: {CONTENT_TYPE}\r\nx-content-type-options: nosniff\r\n\
             cache-control: no-store, no-transform\r\ncontent-length: {length}\r\n"
        );
        self.rest = (head.replacen(NO_BODY, &headers, 1) + &body).into_bytes();
        true
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // hyper writes a head as one part.
        if let Some(head) = parts.first().filter(|head| self.replaces(head)) {
            return Poll::Ready(Ok(head.len()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
