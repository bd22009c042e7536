//! The binary as an operator runs it: from any folder, with no file at all.

use super::app::{Browser, EMAIL, PASSWORD};
use reqwest::Method;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

/// An empty folder to run in, and what runs there with what reads its log.
struct Place {
    folder: PathBuf,
    running: Option<(Child, JoinHandle<String>)>,
}

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("cloakroom_place_{}_{count}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Self {
            folder,
            running: None,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
        command
            .args(words)
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str], typed: &str) -> Output {
        let mut child = self.command(words).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that asks for nothing may have ended already.
        let _ = stdin.write_all(typed.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// What it prints, when it goes well.
    fn said(&self, words: &[&str], typed: &str) -> String {
        let output = self.run(words, typed);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains about, when it does not.
    fn complaint(&self, words: &[&str], typed: &str) -> String {
        let output = self.run(words, typed);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts the server, and waits until it listens.
    fn serve(&mut self, log_level: &str) -> Browser {
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

    /// What a power cut does to it; what it had logged.
    fn kill(&mut self) -> String {
        let Some((mut child, log)) = self.running.take() else {
            return String::new();
        };
        child.kill().unwrap();
        child.wait().unwrap();
        log.join().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn what_was_answered_outlives_a_power_cut() {
    let mut place = Place::new();
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    place.kill();

    let again = place.serve("info");
    again.keep(&browser);
    assert_eq!(again.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(again.call("sign_out", &[]).await.status, 200);
    place.kill();

    let copy = place.serve("info");
    copy.keep(&browser);
    assert_eq!(copy.viewer().await, None);
}

#[tokio::test]
async fn the_log_names_events_and_holds_no_secret_however_much_it_is_asked_to_say() {
    let mut place = Place::new();
    let browser = place.serve("trace");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let first = browser.session().unwrap();
    let wrong = "another lamp over six stairs";
    assert_eq!(browser.sign_in(EMAIL, wrong).await.status, 401);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    let second = browser.session().unwrap();
    // A form that comes back, with what was typed sealed in a cookie.
    let form = [("email", EMAIL), ("password", wrong)];
    browser.submit("/sign-in", "sign_in", &form).await;
    let page = browser
        .open("/sign-in?next=/account&secret=in-the-query")
        .await;
    assert_eq!(page.status, 200);
    for strange in ["a\x1b[31mred", "a\u{202e}b", "{\"level\":\"error\"}"] {
        let request = browser
            .request(Method::POST, "/api/sign_out")
            .header("user-agent", strange)
            .header("origin", "https://evil.example");
        // Some of these no client can even send.
        if let Ok(request) = request.build() {
            assert_eq!(browser.http().execute(request).await.unwrap().status(), 403);
        }
    }
    assert_eq!(browser.call("sign_out", &[]).await.status, 200);
    let log = place.kill();

    for event in [
        "signed_up",
        "sign_in_failed",
        "signed_in",
        "cross_site_refused",
    ] {
        assert!(log.contains(&format!("event=\"{event}\"")), "{event}");
    }
    assert!(log.contains("reason=\"signed_out\""));
    let key = std::fs::read_to_string(place.folder.join("data/secret.key")).unwrap();
    let payload = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    for secret in [
        PASSWORD,
        wrong,
        &PASSWORD.replace(' ', "+"),
        key.trim(),
        &payload(&first),
        &payload(&second),
        "in-the-query",
        "$argon2id",
        EMAIL,
    ] {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'));
}

#[test]
fn an_operator_adds_and_lists_accounts() {
    let place = Place::new();
    let id = place.said(&["user", "add", "--email", "Ada@Example.COM"], PASSWORD);
    let list = place.said(&["user", "list"], "");
    assert_eq!(list.lines().count(), 1);
    assert!(list.starts_with(id.trim()), "{list}");
    assert!(list.contains("Ada@example.com"), "{list}");

    for (email, password, why) in [
        ("ada@example.com", PASSWORD, "email"),
        ("grace@example.com", "short", "password"),
        ("nonsense", PASSWORD, "email"),
    ] {
        let complaint = place.complaint(&["user", "add", "--email", email], password);
        assert!(complaint.contains(why), "{complaint}");
        assert!(!complaint.contains(password), "{complaint}");
    }
    assert_eq!(place.said(&["user", "list"], "").lines().count(), 1);
}

#[test]
fn the_settings_in_force_are_printed_with_where_they_came_from() {
    let place = Place::new();
    let defaults = place.said(&["config"], "");
    assert!(defaults.contains("passwords.min_length = 15"), "{defaults}");

    std::fs::write(
        place.folder.join("Leptos.toml"),
        "[passwords]\nmin_length = 20\n",
    )
    .unwrap();
    let from_file = place.said(&["config"], "");
    let line = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("passwords.min_length"))
            .unwrap()
            .to_owned()
    };
    assert!(line(&from_file).contains("20"), "{from_file}");
    assert!(line(&from_file).contains("Leptos.toml"), "{from_file}");

    let output = place
        .command(&["config"])
        .env("CLOAKROOM_PASSWORDS_MIN_LENGTH", "24")
        .env("DATABASE_URL", "postgres://ada:a-secret@127.0.0.1/x")
        .output()
        .unwrap();
    let from_environment = String::from_utf8(output.stdout).unwrap();
    assert!(line(&from_environment).contains("24"), "{from_environment}");
    assert!(
        line(&from_environment).contains("CLOAKROOM_PASSWORDS_MIN_LENGTH"),
        "{from_environment}"
    );
    assert!(!from_environment.contains("a-secret"), "{from_environment}");
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let place = Place::new();
    std::fs::write(
        place.folder.join("Leptos.toml"),
        "[passwords]\nmin_lenght = 20\n",
    )
    .unwrap();
    for (variable, value, words) in [
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "soon",
            ["CLOAKROOM_PASSWORDS_MIN_LENGTH", "u32"],
        ),
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "7",
            ["CLOAKROOM_PASSWORDS_MIN_LENGTH", "8 to 64"],
        ),
        (
            "CLOAKROOM_SECRET_KEY",
            "12345678",
            ["CLOAKROOM_SECRET_KEY", "expected"],
        ),
        ("LEPTOS_SITE_ADDR", "nonsense", ["site-addr", "address"]),
    ] {
        let elsewhere = Place::new();
        let output = elsewhere
            .command(&[])
            .env(variable, value)
            .output()
            .unwrap();
        assert!(!output.status.success());
        let complaint = String::from_utf8(output.stderr).unwrap();
        for word in words {
            assert!(complaint.contains(word), "{variable}: {complaint}");
        }
        assert!(!complaint.contains("12345678"), "{complaint}");
    }
    let complaint = place.complaint(&[], "");
    for word in ["min_lenght", "Leptos.toml", "min_length"] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
}
