//! The socket: connections with deadlines and a bound, and an orderly end.

mod deadlines;
mod explain;
mod turned_away;

use self::{
    deadlines::{Phase, ServedBody, Socket},
    explain::Explained,
    turned_away::{TurnedAway, is_of_client},
};
use super::{caller::Peer, error::Error, state::State};
use axum::{Router, body::Body};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::Service;

/// A client takes the next part of an answer within this long.
const READER_PATIENCE: Duration = Duration::from_secs(30);
/// After the word to stop, requests under way have this long.
const FAREWELL: Duration = Duration::from_secs(10);

/// Serves until `stop` is there, then lets the requests under way finish.
///
/// # Errors
/// Never; a connection that fails is its client's business.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    state: &State,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut http = hyper::server::conn::http1::Builder::new();
    // `Socket` has the deadlines.
    http.header_read_timeout(None).max_buf_size(64 * 1024);
    let [headers, idle] = [
        state.config.server.header_timeout_s,
        state.config.server.keep_alive_timeout_s,
    ]
    .map(|seconds| Duration::from_secs(u64::from(seconds)));
    let places = Arc::new(Semaphore::new(state.config.server.max_connections as usize));
    let graceful = GracefulShutdown::new();
    let turned_away = TurnedAway::default();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            // The client has gone before it was accepted.
            Err(error) if is_of_client(&error) => continue,
            Err(error) => {
                turned_away.log_failure(&state.clock, &error);
                // Out of file descriptors, most likely: wait for some to come free.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // One more than can be served is closed at once.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            turned_away.log_limit(&state.clock, state.config.server.max_connections);
            continue;
        };
        // Without this every streamed page waits 41 ms for a delayed acknowledgement.
        if socket.set_nodelay(true).is_err() {
            continue;
        }
        let router = router.clone();
        let phase = Phase::default();
        let service = service_fn({
            let phase = phase.clone();
            move |mut request: http::Request<Incoming>| {
                let serving = phase.serve();
                request.extensions_mut().insert(Peer(peer));
                let answered = router.clone().call(request.map(Body::new));
                async move {
                    let response = answered.await?;
                    Ok::<_, Infallible>(response.map(|body| ServedBody::new(body, serving)))
                }
            }
        });
        // Whoever asks for much and reads nothing does not keep a place for ever.
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(READER_PATIENCE));
        let socket = Socket::new(Box::pin(socket), phase.clone(), headers, idle);
        let socket = TokioIo::new(Explained::new(socket, phase));
        let connection = graceful.watch(http.serve_connection(socket, service));
        tokio::spawn(async move {
            // A client that goes away in the middle is no error of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}
