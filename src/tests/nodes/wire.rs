//! The wire between a node and its database: it can be cut, mended, and made to swallow what the
//! database says to whoever listens.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub struct Wire {
    url: String,
    /// Connections go through while this is true, and end when it is not.
    is_whole: watch::Sender<bool>,
    listeners_are_mute: Arc<AtomicBool>,
    /// Nothing goes through while this is true, and nothing ends.
    is_stalled: watch::Sender<bool>,
}

impl Wire {
    /// To the server that this URL names.
    pub async fn to(database: &str) -> Self {
        let (before, after) = database.rsplit_once('@').unwrap();
        let (server, path) = after.split_once('/').unwrap();
        let server = server.to_owned();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{before}@{}/{path}", socket.local_addr().unwrap());
        let (is_whole, seen) = watch::channel(true);
        let listeners_are_mute = Arc::new(AtomicBool::new(false));
        let mute = Arc::clone(&listeners_are_mute);
        let (is_stalled, stalls) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((node, _)) = socket.accept().await {
                let mut seen = seen.clone();
                if !*seen.borrow_and_update() {
                    continue;
                }
                let Ok(database) = TcpStream::connect(&server).await else {
                    continue;
                };
                let (mute, mut stalls) = (Arc::clone(&mute), stalls.clone());
                tokio::spawn(async move {
                    let listens = AtomicBool::new(false);
                    let (from_node, to_node) = node.into_split();
                    let (from_database, to_database) = database.into_split();
                    tokio::select! {
                        () = up(from_node, to_database, &listens, &mut stalls) => {}
                        () = down(from_database, to_node, &listens, &mute) => {}
                        _ = seen.changed() => {}
                    }
                });
            }
        });
        Self {
            url,
            is_whole,
            listeners_are_mute,
            is_stalled,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }

    pub fn stall(&self, is_stalled: bool) {
        self.is_stalled.send_replace(is_stalled);
    }

    pub fn mute_listeners(&self) {
        self.listeners_are_mute.store(true, Ordering::SeqCst);
    }
}

/// From the node to the database; takes note of who listens.
async fn up(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    listens: &AtomicBool,
    stalls: &mut watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if buffer[..count].windows(7).any(|seven| seven == b"LISTEN ") {
            listens.store(true, Ordering::SeqCst);
        }
        let goes_on = stalls.wait_for(|is_stalled| !is_stalled).await.is_ok();
        if !goes_on || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// From the database to the node, but for what is swallowed.
async fn down(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    listens: &AtomicBool,
    is_mute: &AtomicBool,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if listens.load(Ordering::SeqCst) && is_mute.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
