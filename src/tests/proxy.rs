//! Proxies of the system, as the tests start them.

use std::{
    hash::{BuildHasher, RandomState},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::net::TcpListener;

/// A proxy of the system, in a folder of its own until it is dropped.
pub struct Proxy {
    process: Child,
    folder: PathBuf,
}

impl Proxy {
    /// Writes the configuration and starts the program that `command` makes of the folder.
    /// Ready when it listens at this address.
    pub async fn start(
        at: SocketAddr,
        (file, configuration): (&str, &str),
        command: impl FnOnce(&Path) -> Command,
    ) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom_proxy_{}_{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(file), configuration).unwrap();
        let mut command = command(&folder);
        // Debian keeps servers off the PATH of users.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let spawned = command.env("PATH", path).stdin(Stdio::null()).spawn();
        let mut process =
            spawned.unwrap_or_else(|error| panic!("{command:?}, of scripts/setup test: {error}"));
        while TcpStream::connect(at).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "{command:?} has ended");
            tokio::task::yield_now().await;
        }
        Self { process, folder }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An address without a listener. It lies below the ports that the system hands to connections: one
/// of those could be taken before the proxy listens there, even by the connection that looks whether
/// it does.
pub async fn free_address() -> SocketAddr {
    loop {
        let port = 20_000 + RandomState::new().hash_one(0) % 12_000;
        if let Ok(listener) = TcpListener::bind(format!("127.0.0.1:{port}")).await {
            return listener.local_addr().unwrap();
        }
    }
}

/// Debian's nginx, with nothing set but this inside `http { … }`.
pub async fn nginx(at: SocketAddr, http: &str) -> Proxy {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .concat();
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
         events {{}}\nhttp {{ access_log off;\n{temporary}{http} }}\n"
    );
    Proxy::start(at, ("nginx.conf", &configuration), |folder| {
        let mut command = Command::new("nginx");
        command
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(folder);
        command
    })
    .await
}
