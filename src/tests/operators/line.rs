//! The line between a node and PostgreSQL: it can be cut, led to another server, or go silent.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Where new connections go, and what becomes of those before.
#[derive(Clone, Copy)]
struct Way {
    port: Option<u16>,
    /// They stay open, and nothing comes through.
    goes_silent: bool,
}

pub struct Line {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Line {
    /// Leads to the server on this port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, seen) = watch::channel(Way {
            port: Some(port),
            goes_silent: false,
        });
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let mut seen = seen.clone();
                tokio::spawn(async move {
                    let way = *seen.borrow_and_update();
                    if let Some(port) = way.port {
                        carry(node, port, seen).await;
                    }
                });
            }
        });
        Self { address, way }
    }

    /// The address of a database behind it, by the address that the database has at its server.
    pub fn url(&self, url: &str) -> String {
        let (before, after) = url.rsplit_once('@').unwrap();
        let (_, database) = after.split_once('/').unwrap();
        format!("{before}@{}/{database}", self.address)
    }

    /// Ends all connections, and takes no others.
    pub fn cut(&self) {
        self.lead(None, false);
    }

    /// Ends all connections; others go to the server on this port.
    pub fn lead_to(&self, port: u16) {
        self.lead(Some(port), false);
    }

    /// Lets all connections go silent, as after a failover without a reset; others go to the server on this
    /// port.
    pub fn go_silent(&self, port: u16) {
        self.lead(Some(port), true);
    }

    fn lead(&self, port: Option<u16>, goes_silent: bool) {
        self.way.send_replace(Way { port, goes_silent });
    }
}

async fn carry(mut node: TcpStream, port: u16, mut way: watch::Receiver<Way>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut node, &mut server) => return,
        changed = way.changed() => if changed.is_err() { return },
    }
    // Until the test ends.
    let mut is_silent = way.borrow_and_update().goes_silent;
    while is_silent && way.changed().await.is_ok() {
        is_silent = way.borrow_and_update().goes_silent;
    }
}
