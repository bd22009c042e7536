//! The end of a session: whatever is sent after it has answered is refused, on this node at once,
//! on another within milliseconds.

use crate::{
    load::{Connection, Request},
    node::{Database, Node, visitor},
    report::{Figures, ms},
};
use cloakroom::server::sessions::resume;
use std::{
    fmt::Write,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

const EMAIL: &str = "ends@example.com";
const INTERLEAVINGS: u32 = 10_000;
const SAMPLES: usize = 1_000;

/// Three tabs go on while their session is ended, by one way or another and after a random while.
pub fn on_one_node(figures: &mut Figures) {
    for (name, database) in Database::both() {
        let node = Node::start(&database);
        let here = node.sign_up(EMAIL);
        let accepted = AtomicU32::new(0);
        let (has_ended, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let barrier = std::sync::Barrier::new(4);
        let cookie = std::sync::Mutex::new(String::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut connection = Connection::open(&node.port);
                    loop {
                        barrier.wait();
                        if is_over.load(Ordering::SeqCst) {
                            return;
                        }
                        let request = {
                            let cookie = cookie.lock().expect("a cookie");
                            Request::get("/api/viewer", Some(&cookie)).asked_by_program()
                        };
                        loop {
                            let is_late = has_ended.load(Ordering::SeqCst);
                            let answer = connection.answer(&request);
                            if is_late {
                                let is_accepted = answer.body() != "null";
                                accepted.fetch_add(u32::from(is_accepted), Ordering::SeqCst);
                                break;
                            }
                        }
                        barrier.wait();
                    }
                });
            }
            let mut connection = Connection::open(&node.port);
            let mut random: u64 = 1;
            for round in 0..INTERLEAVINGS {
                let there = node.sign_in(EMAIL);
                cookie.lock().expect("a cookie").clone_from(&there);
                has_ended.store(false, Ordering::SeqCst);
                barrier.wait();
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                thread::sleep(Duration::from_micros(random >> 53));
                let ending = if round % 2 == 0 {
                    Request::post("/api/sign_out", &there)
                } else {
                    Request::post("/api/end_other_sessions", &here)
                };
                let answer = connection.answer(&ending);
                assert_eq!(answer.status(), 200, "{}", answer.text());
                has_ended.store(true, Ordering::SeqCst);
                barrier.wait();
            }
            is_over.store(true, Ordering::SeqCst);
            barrier.wait();
        });
        let what =
            format!("{name}: accepted after the ending answered, of {INTERLEAVINGS} endings");
        figures.at_most(&what, f64::from(accepted.into_inner()), "", 0.0);
    }
}

/// From the commit on one node to the refusal on another, which had the session in memory.
pub fn on_another_node(figures: &mut Figures) {
    let database = Database::postgres();
    let (here, there) = (Node::start(&database), Node::start(&database));
    here.sign_up(EMAIL);
    let visitor = visitor();
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            let cookie = here.sign_in(EMAIL);
            let (_, token) = cookie.split_once('=').expect("a cookie");
            let is_accepted = || {
                let resumed = resume(&there.state, token, &visitor);
                let resumed = there.runtime.block_on(resumed).expect("an answer");
                resumed.session.is_some()
            };
            assert!(is_accepted() && is_accepted());
            let ended = Request::post("/api/sign_out", &cookie).once(&here.port);
            // The answer comes after the commit, so that this is a little less than the truth on
            // this side; the last acceptance is the truth on the other.
            let committed = Instant::now();
            assert_eq!(ended, 200);
            while is_accepted() {}
            committed.elapsed()
        })
        .collect();
    times.sort();
    let at = |percent: usize| ms(times[SAMPLES * percent / 100 - 1]);
    figures.at_most(
        "two nodes: from an ending's answer to the refusal elsewhere, 99th percentile",
        at(99),
        "ms",
        50.0,
    );
    figures.known("two nodes: the same, median", at(50), "ms");
    let mut text = String::from("From an ending's answer to the refusal on another node:\n\n");
    let mut from = 0.0;
    for to in [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0] {
        let count = times
            .iter()
            .filter(|time| (from..to).contains(&ms(**time)))
            .count();
        let bar = "#".repeat((count * 50).div_ceil(SAMPLES));
        writeln!(text, "{from:7.3} to {to:7.3} ms  {count:5}  {bar}").expect("memory");
        from = to;
    }
    let slower = times.iter().filter(|time| ms(**time) >= from).count();
    writeln!(text, "{from:7.3} ms and more    {slower:5}").expect("memory");
    figures.note(&text);
}
