//! The binary in a folder of its own.

use super::app::Browser;
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

/// An empty folder to run in, and what runs there with what reads its log.
pub struct Place {
    folder: PathBuf,
    environment: Vec<(String, String)>,
    /// In KiB; what a full disk is, to one process.
    files_at_most: Option<u32>,
    running: Option<(Child, JoinHandle<String>)>,
}

impl Place {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("cloakroom_place_{}_{count}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Self {
            folder,
            environment: Vec::new(),
            files_at_most: None,
            running: None,
        }
    }

    /// Sets a variable for all that runs here.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment
            .push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Lets nothing that is started from now on make a file grow beyond this, in KiB.
    pub fn limit_files(&mut self, kib: Option<u32>) {
        self.files_at_most = kib;
    }

    /// Where commands leave word for the server.
    pub fn marks(&self) -> PathBuf {
        self.folder.join("data/cloakroom.db-ended")
    }

    /// Where it runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command of the binary.
    pub fn command(&self, words: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_cloakroom");
        let mut command = match self.files_at_most {
            None => Command::new(binary),
            Some(kib) => {
                let mut shell = Command::new("bash");
                let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
                shell.args(["-c", &limited, binary]);
                shell
            }
        };
        command
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            // A start takes its port first, and tests run beside each other.
            .envs(
                (words.is_empty() || words == ["serve"])
                    .then_some(("LEPTOS_SITE_ADDR", "127.0.0.1:0")),
            )
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str], typed: &str) -> Output {
        let mut child = self.command(words).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that asks for nothing may have ended already.
        let _ = stdin.write_all(typed.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// What it prints, when it goes well.
    pub fn said(&self, words: &[&str], typed: &str) -> String {
        let output = self.run(words, typed);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains about, when it does not.
    pub fn complaint(&self, words: &[&str], typed: &str) -> String {
        let output = self.run(words, typed);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts the server, and waits until it listens.
    pub fn serve(&mut self, log_level: &str) -> Browser {
        let mut child = self
            .command(&[])
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", log_level)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (listens, listening) = mpsc::channel();
        let log = thread::spawn(move || {
            let mut log = String::new();
            for line in lines.map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("event=\"listening\" address=") {
                    let _ = listens.send(address.to_owned());
                }
                log += &line;
                log.push('\n');
            }
            log
        });
        // When the process ends, so does its log, and with it this wait.
        let address = listening.recv().unwrap();
        self.running = Some((child, log));
        Browser::at(format!("http://{address}"))
    }

    /// Sends a signal, such as `STOP`, to what runs here.
    pub fn signal(&self, name: &str) {
        let (child, _) = self.running.as_ref().unwrap();
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// What a power cut does to it; what it had logged.
    pub fn kill(&mut self) -> String {
        let Some((mut child, log)) = self.running.take() else {
            return String::new();
        };
        child.kill().unwrap();
        child.wait().unwrap();
        log.join().unwrap()
    }

    /// What a service manager does to it; what it had logged.
    pub fn stop(&mut self) -> String {
        self.signal("TERM");
        let (mut child, log) = self.running.take().unwrap();
        assert!(child.wait().unwrap().success());
        log.join().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
