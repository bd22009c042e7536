//! What bounds the server: a route that does nothing but answer, and a hash that nothing is
//! around. The route is a process of its own, as the server is.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::{
    env,
    io::{BufRead, BufReader},
    process::{self, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const WORD: &str = "serve-bare-route";

pub fn is_asked_for() -> bool {
    env::args().any(|word| word == WORD)
}

/// Serves one route until it is stopped, and says on which port.
pub fn serve() {
    use axum::{Router, routing::get, serve::ListenerExt};
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        println!("{}", listener.local_addr().expect("an address").port());
        let listener = listener.tap_io(|socket| socket.set_nodelay(true).expect("no delay"));
        let route = Router::new().route("/", get(async || "ok"));
        axum::serve(listener, route).await.expect("to serve");
    });
}

pub struct Child {
    child: process::Child,
    pub port: String,
}

impl Child {
    pub fn start() -> Self {
        let mut child = Command::new(env::current_exe().expect("our own path"))
            .arg(WORD)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut port = String::new();
        let said = child.stdout.take().expect("its output");
        BufReader::new(said).read_line(&mut port).expect("a port");
        Self {
            child,
            port: port.trim().to_owned(),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.child.kill().expect("to stop it");
        self.child.wait().expect("its end");
    }
}

/// With the parameters of `Leptos.toml`, one thread a core and memory that is reused.
pub fn hashes_a_second(cores: usize, time: Duration) -> f64 {
    let params = Params::new(19456, 2, 1, Some(32)).expect("parameters");
    let started = Instant::now();
    let hashes: u32 = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut memory = vec![Block::new(); params.block_count()];
                    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                    let (mut output, mut count) = ([0; 32], 0);
                    while started.elapsed() < time {
                        argon2
                            .hash_password_into_with_memory(
                                b"a quiet lamp over seven stairs",
                                b"sixteen bytes ..",
                                &mut output,
                                &mut memory,
                            )
                            .expect("a hash");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a thread"))
            .sum()
    });
    f64::from(hashes) / started.elapsed().as_secs_f64()
}
