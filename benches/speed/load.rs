//! Load: plain HTTP/1.1 over plain sockets, so that what is measured is the server.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// At once.
pub const CONNECTIONS: usize = 32;

/// What goes over the socket.
pub struct Request(String);

impl Request {
    pub fn get(path: &str, cookie: Option<&str>) -> Self {
        let cookie = cookie
            .map(|cookie| format!("Cookie: {cookie}\r\n"))
            .unwrap_or_default();
        Self(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n{cookie}\r\n"
        ))
    }

    /// As somebody's program asks, with its API key.
    pub fn with_key(path: &str, key: &str) -> Self {
        Self(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\
             Authorization: Bearer {key}\r\n\r\n"
        ))
    }

    /// A form, posted by a page's program.
    pub fn post_form(path: &str, cookie: &str, body: &str) -> Self {
        Self(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\
             Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Cookie: {cookie}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// As a page's program asks, not as a browser that navigates.
    pub fn asked_by_program(self) -> Self {
        Self(
            self.0
                .replace("Accept: text/html", "Accept: application/json"),
        )
    }

    /// From this address, as the proxy in front names it.
    pub fn from(self, address: &str) -> Self {
        let host = "Host: localhost\r\n";
        let forwarded = format!("{host}X-Forwarded-For: {address}\r\n");
        Self(self.0.replacen(host, &forwarded, 1))
    }

    /// A form without fields, posted by a page's program.
    pub fn post(path: &str, cookie: &str) -> Self {
        Self(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\
             Accept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    pub fn sign_in(email: &str, password: &str) -> Self {
        Self::form("/api/sign_in", email, password)
    }

    pub fn sign_up(email: &str, password: &str) -> Self {
        Self::form("/api/sign_up", email, password)
    }

    /// As a form without JavaScript posts it.
    fn form(path: &str, email: &str, password: &str) -> Self {
        let body = format!("email={email}&password={}", password.replace(' ', "+"));
        Self(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\
             Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// A form of an OAuth client's, from no browser.
    pub fn of_client(path: &str, body: &str) -> Self {
        Self(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// On a connection of its own; the answer's status.
    pub fn once(&self, port: &str) -> u16 {
        Connection::open(port).answer(self).status()
    }

    /// On a connection of its own; the answer's headers and body.
    pub fn answer(&self, port: &str) -> Answer {
        Connection::open(port).answer(self)
    }
}

/// All that came back.
pub struct Answer(Vec<u8>);

impl Answer {
    pub fn status(&self) -> u16 {
        let line = self.0.get(9..12).unwrap_or_default();
        str::from_utf8(line)
            .ok()
            .and_then(|code| code.parse().ok())
            .unwrap_or(0)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// What comes after the headers.
    pub fn body(&self) -> String {
        let text = self.text();
        let (_, body) = text.split_once("\r\n\r\n").expect("headers");
        body.to_owned()
    }

    /// The session cookie that it sets, name and value.
    pub fn cookie(&self) -> String {
        self.cookie_named("__Host-Http-session")
    }

    /// The cookie that marks the browser as known, name and value.
    pub fn mark(&self) -> String {
        self.cookie_named("__Host-Http-known-browser")
    }

    fn cookie_named(&self, name: &str) -> String {
        let text = self.text();
        let (_, cookie) = text
            .split_once(&format!("set-cookie: {name}="))
            .unwrap_or_else(|| panic!("no cookie: {text}"));
        let (value, _) = cookie.split_once(';').expect("its end");
        format!("{name}={value}")
    }
}

pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(port: &str) -> Self {
        let socket = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a deadline");
        Self {
            socket,
            buffer: vec![0; 1 << 16],
        }
    }

    pub fn answer(&mut self, request: &Request) -> Answer {
        self.socket
            .write_all(request.0.as_bytes())
            .expect("a request");
        let mut got = Vec::new();
        while !is_whole(&got) {
            let count = self.socket.read(&mut self.buffer).expect("an answer");
            assert!(count > 0, "the server closed the connection");
            got.extend_from_slice(&self.buffer[..count]);
        }
        Answer(got)
    }
}

/// Whether the answer has as many bytes as it says, or its last chunk.
fn is_whole(got: &[u8]) -> bool {
    let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&got[..end]).to_ascii_lowercase();
    match head.split_once("content-length: ") {
        Some((_, rest)) => {
            let length = rest.lines().next().and_then(|length| length.parse().ok());
            got.len() >= end + 4 + length.unwrap_or(0)
        }
        None => !head.contains("chunked") || got.ends_with(b"\r\n0\r\n\r\n"),
    }
}

/// Answers a second, over so many connections that are kept open. Refusals do not count.
pub fn run_for(port: &str, connections: usize, time: Duration, request: &Request) -> f64 {
    let started = Instant::now();
    let answers: u32 = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(port);
                    let mut count = 0;
                    while started.elapsed() < time {
                        let status = connection.answer(request).status();
                        assert!((200..400).contains(&status), "{status}");
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
    f64::from(answers) / started.elapsed().as_secs_f64()
}

/// So many requests, a share over each connection; how many were answered.
pub fn send(port: &str, requests: usize, request: &Request) -> usize {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(port);
                    (0..requests / CONNECTIONS)
                        .filter(|_| connection.answer(request).status() == 200)
                        .count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a thread"))
            .sum()
    })
}

/// What one figure is of another: the median of so many pairs, each taken in one go. What slows the
/// machine for a while slows both of a pair, and who goes first takes turns.
pub fn ratio(rounds: usize, mut one: impl FnMut() -> f64, mut other: impl FnMut() -> f64) -> f64 {
    let mut ratios: Vec<f64> = (0..rounds)
        .map(|round| {
            if round % 2 == 0 {
                one() / other()
            } else {
                let other = other();
                one() / other
            }
        })
        .collect();
    median(&mut ratios)
}

/// The [`ratio`] of the answers a second to one request and to another.
pub fn ratio_of_answers(one: (&str, &Request), other: (&str, &Request)) -> f64 {
    const ROUNDS: usize = 21;
    const ROUND: Duration = Duration::from_millis(500);
    let answers = |(port, request)| run_for(port, CONNECTIONS, ROUND, request);
    // Neither is the one that finds everything cold.
    answers(one);
    answers(other);
    ratio(ROUNDS, || answers(one), || answers(other))
}

pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
