//! Tokens for programs: how fast they are given out, and that none is refused while the keys that
//! sign them are exchanged.

use crate::{
    load::{CONNECTIONS, Connection, Request, ratio_of_answers},
    report::Figures,
    server::Server,
};
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// Tokens that are given out and looked at while keys are exchanged.
const TOKENS: u32 = 100_000;
/// A token waits for so many others of its connection before it is looked at.
const WAITING: usize = 64;

/// A client that asks for itself: the form that shows who it is.
fn client(server: &Server) -> String {
    let said = server.said(&[
        "client",
        "add",
        "--name",
        "Bench",
        "--grant-type",
        "client_credentials",
    ]);
    let words: Vec<&str> = said.split_whitespace().collect();
    format!("client_id={}&client_secret={}", words[1], words[3])
}

fn ask(client: &str) -> Request {
    let body = format!("grant_type=client_credentials&{client}");
    Request::of_client("/oauth2/token", &body)
}

/// How many, beside answers that cost nothing.
pub fn given_out(figures: &mut Figures) {
    let server = Server::start();
    let token = ask(&client(&server));
    let live = Request::get("/health/live", None);
    let ratio = ratio_of_answers((&server.port, &token), (&server.port, &live));
    figures.at_least(
        "/oauth2/token (client_credentials, ES256): requests/s, of /health/live's",
        ratio,
        "×",
        0.25,
    );
}

/// Each is given out, waits, and is looked at, while a new key follows every second or so.
pub fn exchanged(figures: &mut Figures) {
    let server = Server::start();
    let client = client(&server);
    let (refused, exchanges) = (AtomicU32::new(0), AtomicU32::new(0));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|at| {
                let share = TOKENS.div_ceil(u32::try_from(CONNECTIONS).expect("few"));
                let (server, client, refused) = (&server, &client, &refused);
                scope.spawn(move || worker(&server.port, client, share, at, refused))
            })
            .collect();
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                server.said(&["keys", "rotate"]);
                exchanges.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1_500));
            }
        });
        for worker in workers {
            worker.join().expect("a thread");
        }
        is_over.store(true, Ordering::SeqCst);
    });
    figures.known(
        "exchanges of keys meanwhile",
        exchanges.into_inner().into(),
        "",
    );
    figures.at_most(
        "tokens refused while keys are exchanged, of 100,000",
        refused.into_inner().into(),
        "",
        0.0,
    );
}

fn worker(port: &str, client: &str, share: u32, at: usize, refused: &AtomicU32) {
    let mut connection = Connection::open(port);
    let ask = ask(client);
    // Not all look at the same age.
    let waiting_most = WAITING + at;
    let mut waiting = VecDeque::new();
    let mut given = 0;
    while given < share || !waiting.is_empty() {
        if given < share {
            let body = connection.answer(&ask).body();
            let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let token = json["access_token"].as_str().map(str::to_owned);
            waiting.push_back(token.unwrap_or_default());
            given += 1;
        }
        if waiting.len() > waiting_most || given == share {
            let Some(token) = waiting.pop_front() else {
                break;
            };
            let body = format!("token={token}&{client}");
            let look = Request::of_client("/oauth2/introspect", &body);
            if !connection.answer(&look).body().contains(r#""active":true"#) {
                refused.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}
