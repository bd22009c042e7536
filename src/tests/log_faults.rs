//! The binary whose log cannot be written: it answers as before, and what it answers is true.

use super::{
    app::{Browser, EMAIL, PASSWORD},
    place::Place,
};
use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStderr, Stdio},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// A server that logs to `stderr`, ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn serve(place: &Place, level: &str, stderr: impl Into<Stdio>) -> (Running, Browser) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let child = place
        .command(&[])
        .env("LEPTOS_SITE_ADDR", &address)
        .env("RUST_LOG", level)
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let browser = Browser::at(format!("http://{address}"));
    let ready = format!("http://{address}/health/ready");
    let running = Running(child);
    let listens = async {
        while browser.http().get(&ready).send().await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), listens).await.unwrap();
    (running, browser)
}

/// Signs up, fails to sign in, signs in, and asks whether the server is ready.
async fn use_it(browser: &Browser) {
    let using = async {
        assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
        let wrong = "another lamp over six stairs";
        assert_eq!(browser.sign_in(EMAIL, wrong).await.status, 401);
        assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
        assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
        assert_eq!(browser.open("/health/ready").await.status, 200);
    };
    timeout(Duration::from_secs(10), using).await.unwrap();
}

async fn use_it_once(browser: &Browser) {
    let asking = timeout(Duration::from_secs(5), browser.viewer());
    asking.await.unwrap();
}

fn first_line(stderr: &mut BufReader<ChildStderr>) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    line
}

#[tokio::test]
async fn it_serves_when_the_reader_of_its_log_is_gone() {
    let place = Place::new();
    let (mut server, browser) = serve(&place, "info", Stdio::piped()).await;
    let mut reader = BufReader::new(server.0.stderr.take().unwrap());
    assert!(first_line(&mut reader).contains("event="));
    drop(reader);
    use_it(&browser).await;
}

#[tokio::test]
async fn it_serves_when_the_reader_of_its_log_reads_nothing() {
    let place = Place::new();
    let (server, browser) = serve(&place, "trace", Stdio::piped()).await;
    // A pipe holds 64 KiB.
    for _ in 0..200 {
        use_it_once(&browser).await;
    }
    use_it(&browser).await;
    drop(server);
}

#[tokio::test]
async fn it_serves_when_the_disk_of_its_log_is_full() {
    let place = Place::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (_server, browser) = serve(&place, "info", full).await;
    use_it(&browser).await;
}
