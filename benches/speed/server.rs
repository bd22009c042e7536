//! The release server, with a folder and a port of its own.

use crate::load::Request;
use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

pub struct Server {
    child: Child,
    folder: PathBuf,
    pub port: String,
    /// From the start of the process until it said that it is ready.
    pub ready_after: Duration,
}

impl Server {
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("cloakroom-bench-{}-{count}", std::process::id()));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port()
            .to_string();
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
            .env_remove("DATABASE_URL")
            .env("CLOAKROOM_DATA_DIR", &folder)
            .env("LEPTOS_SITE_ADDR", format!("127.0.0.1:{port}"))
            // All of it comes from one address.
            .env("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "1000000")
            .env("CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT", "1000000")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        let ready = Request::get("/health/ready", None);
        while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "no answer");
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(ready.once(&port), 200, "/health/ready");
        Self {
            child,
            folder,
            port,
            ready_after: started.elapsed(),
        }
    }

    /// Makes an account; the cookie.
    pub fn sign_up(&self, email: &str, password: &str) -> String {
        let answer = Request::sign_up(email, password).answer(&self.port).text();
        let (_, cookie) = answer
            .split_once("set-cookie: __Host-Http-session=")
            .expect("a cookie");
        let (value, _) = cookie.split_once(';').expect("its end");
        format!("__Host-Http-session={value}")
    }

    /// Physical memory, in megabytes of 10⁶ bytes.
    pub fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("Linux's account of a process");
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.trim().parse::<u32>().ok())
            .expect("VmRSS");
        f64::from(kib) * 1024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("to stop it");
        self.child.wait().expect("its end");
        fs::remove_dir_all(&self.folder).expect("to remove its folder");
    }
}
