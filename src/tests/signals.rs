//! Signals to the running server, and the end of its file descriptors.

use crate::{app::Browser, place::Place};
use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// A line of the log that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose log is read while it runs.
struct Running {
    child: Child,
    lines: Receiver<String>,
    address: String,
    /// Lines up to the one that says that it listens.
    before: Vec<String>,
    _place: Place,
}

impl Running {
    fn start(place: Place, mut command: Command) -> Self {
        let mut child = command
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (read, lines) = channel();
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let _ = read.send(line);
            }
        });
        let mut running = Self {
            child,
            lines,
            address: String::new(),
            before: Vec::new(),
            _place: place,
        };
        while running.address.is_empty() {
            let line = running.lines.recv_timeout(PATIENCE).unwrap();
            if let Some((_, address)) = line.split_once("event=\"listening\" address=") {
                address.clone_into(&mut running.address);
            }
            running.before.push(line);
        }
        running
    }

    /// The next line of the log with this text.
    fn wait_for(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    fn browser(&self) -> Browser {
        Browser::at(format!("http://{}", self.address))
    }

    fn end(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn started(place: Place) -> Running {
    let command = place.command(&[]);
    Running::start(place, command)
}

#[tokio::test]
async fn a_server_that_drains_is_not_ready_and_serves_until_it_is_asked_again() {
    let mut running = started(Place::new().with("CLOAKROOM_SERVER_DRAIN_S", "600"));
    let browser = running.browser();
    assert_eq!(browser.open("/health/ready").await.status, 200);
    running.signal("TERM");
    running.wait_for("event=\"draining\" drain_s=600");
    assert_eq!(browser.open("/health/ready").await.status, 503);
    assert_eq!(browser.open("/health/live").await.status, 200);
    assert_eq!(browser.open("/sign-in").await.status, 200);
    running.signal("TERM");
    assert!(running.end().success());
}

#[tokio::test]
async fn a_server_that_has_drained_stops_by_itself() {
    let mut running = started(Place::new().with("CLOAKROOM_SERVER_DRAIN_S", "1"));
    running.signal("TERM");
    running.wait_for("event=\"draining\" drain_s=1");
    assert!(running.end().success());
}

#[tokio::test]
async fn an_interrupt_does_not_wait_for_the_drain() {
    let mut running = started(Place::new().with("CLOAKROOM_SERVER_DRAIN_S", "600"));
    running.signal("INT");
    assert!(running.end().success());
}

#[tokio::test]
async fn a_hang_up_stops_nothing() {
    let mut running = started(Place::new());
    for _ in 0..2 {
        running.signal("HUP");
        running.wait_for("event=\"hang_up_ignored\"");
    }
    assert_eq!(running.browser().open("/health/ready").await.status, 200);
    running.signal("TERM");
    assert!(running.end().success());
}

/// The server below a shell that lets it open so many files.
fn limited(place: &Place, files: u32) -> Command {
    let mut command = Command::new("bash");
    let limit = format!("ulimit -n {files}; exec \"$0\"");
    command
        .args(["-c", &limit])
        .arg(place.command(&[]).get_program())
        .current_dir(place.folder())
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn a_server_out_of_file_descriptors_says_so_and_goes_on() {
    let place = Place::new();
    let command = limited(&place, 80);
    let running = Running::start(place, command);
    let open: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(&running.address).unwrap())
        .collect();
    let line = running.wait_for("event=\"connections_not_accepted\"");
    assert!(line.contains("ulimit -n"), "{line}");
    drop(open);
    assert_eq!(running.browser().open("/health/ready").await.status, 200);
}

#[tokio::test]
async fn a_limit_of_connections_above_that_of_the_process_is_said_at_the_start() {
    for (max_connections, is_said) in [("1000", true), ("100", false)] {
        let place = Place::new();
        let mut command = limited(&place, 1_024);
        command.env("CLOAKROOM_SERVER_MAX_CONNECTIONS", max_connections);
        let mut running = Running::start(place, command);
        running.signal("TERM");
        assert!(running.end().success());
        let log: Vec<String> = running
            .before
            .iter()
            .cloned()
            .chain(running.lines.iter())
            .collect();
        let lines: Vec<_> = log
            .iter()
            .filter(|line| line.contains("event=\"few_file_descriptors\""))
            .collect();
        assert_eq!(lines.len(), usize::from(is_said), "{log:#?}");
        assert!(
            lines.iter().all(|line| line.contains("limit=1024")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_above_the_limit_is_said() {
    let running = started(Place::new().with("CLOAKROOM_SERVER_MAX_CONNECTIONS", "2"));
    let open: Vec<TcpStream> = (0..3)
        .map(|_| TcpStream::connect(&running.address).unwrap())
        .collect();
    let line = running.wait_for("event=\"connections_at_limit\"");
    assert!(line.contains("max_connections=2"), "{line}");
    drop(open);
}
