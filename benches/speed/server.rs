//! The release server, with a folder and a port of its own.

use crate::load::Request;
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStderr, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

pub struct Server {
    child: Child,
    folder: PathBuf,
    pub port: String,
    /// From the start of the process until it said that it is ready.
    pub ready_after: Duration,
    /// Kept open, so that the server can go on writing it.
    _log: BufReader<ChildStderr>,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings of its own, as variables of the environment.
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("cloakroom-bench-{}-{count}", std::process::id()));
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
            .env_clear()
            .env("CLOAKROOM_DATA_DIR", &folder)
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            // All of it comes from one address, and signs in to one account.
            .env("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "1000000")
            .env("CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT", "1000000")
            .env(
                "CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT_AND_ADDRESS",
                "1000000",
            )
            // And with one key.
            .env("CLOAKROOM_LIMITS_REQUESTS_PER_KEY", "50000000")
            // Nobody signs in a hundred times without ever signing out.
            .env("CLOAKROOM_SESSION_MAX_PER_USER", "1000")
            .env("CLOAKROOM_LIMITS_TOKENS_PER_CLIENT", "1000000000")
            // A key is exchanged within the run.
            .env("CLOAKROOM_OIDC_PUBLISH_KEYS_BEFORE_S", "1")
            .env("RUST_LOG", "warn,cloakroom::server::cli=info")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut log = BufReader::new(child.stderr.take().expect("its log"));
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            let read = log.read_line(&mut line).expect("its log");
            assert!(read > 0, "it did not start");
        }
        let port = line.trim().rsplit(':').next().expect("a port").to_owned();
        let ready = Request::get("/health/ready", None);
        assert_eq!(ready.once(&port), 200, "/health/ready");
        Self {
            child,
            folder,
            port,
            ready_after: started.elapsed(),
            _log: log,
        }
    }

    /// Makes an account; the cookie.
    pub fn sign_up(&self, email: &str, password: &str) -> String {
        Request::sign_up(email, password)
            .answer(&self.port)
            .cookie()
    }

    /// What a command of the operator's prints, given while the server runs.
    pub fn said(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
            .args(words)
            .env_clear()
            .env("CLOAKROOM_DATA_DIR", &self.folder)
            .env("CLOAKROOM_OIDC_PUBLISH_KEYS_BEFORE_S", "1")
            .output()
            .expect("a process");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
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
