//! `cloakroom health`.

use crate::{commands::events, place::Place};
use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Output,
};

#[tokio::test]
async fn health_exits_with_0_while_the_server_is_ready() {
    let mut place = Place::new();
    let browser = place.serve("info");
    let port = browser.url().rsplit_once(':').unwrap().1.to_owned();
    let health = |address: &str| {
        place
            .command(&["health"])
            .env("LEPTOS_SITE_ADDR", address)
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .output()
            .unwrap()
    };
    for address in ["127.0.0.1", "0.0.0.0"] {
        let done = health(&format!("{address}:{port}"));
        assert!(done.status.success(), "{done:?}");
        assert_eq!((&*done.stdout, &*events(&done)), (&b"ready\n"[..], ""));
    }
    let is_not_ready = |done: &Output, why: &str| {
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        assert!(
            done.stdout.is_empty() && events(done).contains(why),
            "{done:?}"
        );
        assert_eq!(events(done).lines().count(), 1, "{done:?}");
    };
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = unused.local_addr().unwrap().to_string();
    drop(unused);
    is_not_ready(&health(&address), "no server listens there");
    for (answer, why) in [
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "status 503",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answering = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let read = socket.read(&mut asked).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..read]).into_owned()
        });
        is_not_ready(&health(&address), why);
        let asked = answering.join().unwrap();
        assert!(asked.starts_with("GET /health/ready HTTP/1.1"), "{asked}");
    }
}
