//! How fast the release server is, each figure beside what bounds it on the same machine in the
//! same run: `make bench`. Nothing here is asserted by a test, because another machine is another
//! speed; but a bound that is missed makes the run fail.

#![expect(clippy::expect_used, reason = "a measurement that cannot go on stops")]
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]
#![expect(clippy::disallowed_methods, reason = "real time is what is measured")]

mod bare;
mod checks;
mod endings;
mod floods;
mod keys;
mod load;
mod node;
mod report;
mod server;
mod tokens;

use load::{Request, median, ratio, ratio_of_answers, run_for};
use report::{Figures, ms};
use server::Server;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const PASSWORD: &str = "a quiet lamp over seven stairs";

fn main() {
    if bare::is_asked_for() {
        return bare::serve();
    }
    println!("On {} cores, every figure in one run:\n", cores());
    let mut figures = Figures::default();
    let groups: &[Group] = &[
        ("start", start),
        ("pages", pages),
        ("sign-ins", sign_ins),
        ("refusals", refusals),
        ("crowd", crowd),
        ("flood", floods::measure),
        ("checks", checks::measure),
        ("viewer", checks::viewer),
        ("forged", checks::forged),
        ("one-node", endings::on_one_node),
        ("another-node", endings::on_another_node),
        ("tokens", tokens::given_out),
        ("rotation", tokens::exchanged),
        ("keys", keys::checked),
        ("keys-another-node", keys::revoked_on_another_node),
    ];
    // All of them, or those that are named: `cargo bench … -- viewer forged`.
    let named: Vec<String> = std::env::args().skip(1).collect();
    let is_named = |group: &str| named.iter().any(|name| name == group);
    let is_all = !groups.iter().any(|(group, _)| is_named(group));
    for &(group, measure) in groups {
        if is_all || is_named(group) {
            measure(&mut figures);
        }
    }
    figures.close(is_all);
}

/// Figures that are measured together, and their name.
type Group = (&'static str, fn(&mut Figures));

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn start(figures: &mut Figures) {
    let mut times: Vec<f64> = (0..5).map(|_| ms(Server::start().ready_after)).collect();
    figures.at_most(
        "start on an empty database",
        median(&mut times),
        "ms",
        200.0,
    );
    let server = Server::start();
    thread::sleep(Duration::from_secs(2));
    figures.at_most("memory when idle", server.resident_mb(), "MB", 40.0);
}

fn pages(figures: &mut Figures) {
    let server = Server::start();
    let bare = bare::Child::start();
    let cookie = server.sign_up("pages@example.com", PASSWORD);
    for (what, path, cookie) in [
        ("/sign-in", "/sign-in", None),
        (
            "/account/security, signed in",
            "/account/security",
            Some(&*cookie),
        ),
        ("/account, signed in", "/account", Some(&*cookie)),
    ] {
        let page = Request::get(path, cookie);
        let route = Request::get("/", None);
        let ratio = ratio_of_answers((&server.port, &page), (&bare.port, &route));
        let what = format!("{what}: requests/s, of a bare axum route's");
        if cookie.is_none() {
            figures.at_least(&what, ratio, "×", 0.1);
        } else {
            figures.known(&what, ratio, "×");
        }
    }
}

fn sign_ins(figures: &mut Figures) {
    let cores = cores();
    let server = Server::start();
    // Long rounds: at the end of each some cores have nothing to do. Each with another account:
    // whoever has as many sessions as there may be loses one at every sign-in.
    let round = Duration::from_secs(3);
    let mut accounts = 0;
    let ratio = ratio(
        5,
        || {
            accounts += 1;
            let email = format!("often{accounts}@example.com");
            drop(server.sign_up(&email, PASSWORD));
            let sign_in = Request::sign_in(&email, PASSWORD);
            run_for(&server.port, cores * 4, round, &sign_in)
        },
        || bare::hashes_a_second(cores, round),
    );
    figures.at_least("sign-ins/s, of the bare hashes/s", ratio, "×", 0.9);
}

/// Whoever has no account is refused as slowly as whoever mistypes (security.md EN-2).
fn refusals(figures: &mut Figures) {
    let server = Server::start();
    drop(server.sign_up("known@example.com", PASSWORD));
    let time = |email| {
        let asked = Instant::now();
        let status = Request::sign_in(email, "another lamp over six stairs").once(&server.port);
        assert_eq!(status, 401, "a refusal");
        ms(asked.elapsed())
    };
    let mut ratios: Vec<f64> = (0..100)
        .map(|_| time("unknown@example.com") / time("known@example.com"))
        .collect();
    let ratio = median(&mut ratios);
    let what = "refusing an unknown address, of refusing a wrong password";
    figures.at_least(what, ratio, "×", 0.95);
    figures.at_most(what, ratio, "×", 1.05);
}

/// Sixty-four people sign in at the same moment.
fn crowd(figures: &mut Figures) {
    let cores = cores();
    let server = Server::start();
    drop(server.sign_up("crowd@example.com", PASSWORD));
    let sign_in = Request::sign_in("crowd@example.com", PASSWORD);
    let live = Request::get("/health/live", None);
    let going_on = AtomicBool::new(true);
    let (mut slowest, mut most) = (Duration::ZERO, 0.0_f64);
    thread::scope(|scope| {
        let people: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| sign_in.once(&server.port)))
            .collect();
        scope.spawn(|| {
            for person in people {
                assert_eq!(person.join().expect("a thread"), 303, "a sign-in");
            }
            going_on.store(false, Ordering::Release);
        });
        while going_on.load(Ordering::Acquire) {
            let asked = Instant::now();
            assert_eq!(live.once(&server.port), 200, "/health/live");
            slowest = slowest.max(asked.elapsed());
            most = most.max(server.resident_mb());
        }
    });
    figures.at_most(
        "64 sign-ins at once: slowest /health/live",
        ms(slowest),
        "ms",
        100.0,
    );
    let allowed = f64::from(u32::try_from(cores).expect("few cores")) * 19.0 * 1.048_576 + 60.0;
    figures.at_most("64 sign-ins at once: memory", most, "MB", allowed.round());
    thread::sleep(Duration::from_secs(10));
    figures.at_most(
        "ten seconds later: memory",
        server.resident_mb(),
        "MB",
        60.0,
    );
}
