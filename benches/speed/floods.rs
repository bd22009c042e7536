//! A flood of tries at passwords from 4,096 networks, while an owner and a known browser go on.

use crate::{
    PASSWORD,
    load::{Connection, Request},
    report::{Figures, ms},
    server::Server,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

const OWNER: &str = "owner@example.com";
const WRONG: &str = "another lamp over six stairs";
const NETWORKS: u32 = 4_096;
/// Tries of the owner, and as many of the known browser.
const ROUNDS: u32 = 20;
const ROUND: Duration = Duration::from_millis(500);

/// Attackers who keep to a rate together: threads, and tries a second of each.
struct Attackers {
    threads: u32,
    each_s: u32,
}

/// At one account. The account's limit refuses most of them at once.
const AT_THE_ACCOUNT: Attackers = Attackers {
    threads: 24,
    each_s: 50,
};
/// At addresses without an account. Each try waits for a hash, for as long as the queue is.
const AT_THE_QUEUE: Attackers = Attackers {
    threads: 200,
    each_s: 1,
};

pub fn measure(figures: &mut Figures) {
    let server = Server::start_with(&[
        ("CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS", "1"),
        ("CLOAKROOM_LIMITS_SIGN_INS_PER_ADDRESS", "60"),
        ("CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT", "100"),
        ("CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT_AND_ADDRESS", "10"),
    ]);
    let signed_up = Request::sign_up(OWNER, PASSWORD).answer(&server.port);
    let (mut session, mark) = (signed_up.cookie(), signed_up.mark());
    let (is_over, sent) = (
        AtomicBool::new(false),
        [AtomicU32::new(0), AtomicU32::new(0)],
    );
    let (mut times, mut confirmed, mut most) = (Vec::new(), 0, 0.0_f64);
    let began = Instant::now();
    thread::scope(|scope| {
        for (attackers, sent) in [AT_THE_ACCOUNT, AT_THE_QUEUE].iter().zip(&sent) {
            for number in 0..attackers.threads {
                let (port, is_over) = (&*server.port, &is_over);
                scope.spawn(move || attack(port, attackers, number, sent, is_over));
            }
        }
        thread::sleep(2 * ROUND);
        for _ in 0..ROUNDS {
            let next = Instant::now() + ROUND;
            let password = PASSWORD.replace(' ', "+");
            let confirm = format!("password={password}");
            let confirm = Request::post_form("/api/confirm_password", &session, &confirm);
            let sign_in = format!("email={OWNER}&password={password}");
            let sign_in = Request::post_form("/api/sign_in", &mark, &sign_in);
            for (request, is_owner) in [(confirm, true), (sign_in, false)] {
                let asked = Instant::now();
                let answer = request.from(&network(0)).answer(&server.port);
                times.push(ms(asked.elapsed()));
                confirmed += u32::from(answer.status() == 200);
                if is_owner && answer.status() == 200 {
                    session = answer.cookie();
                }
            }
            most = most.max(server.resident_mb());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        is_over.store(true, Ordering::Release);
    });
    times.sort_by(f64::total_cmp);
    let p95 = times[times.len() * 95 / 100 - 1];
    let lasted = began.elapsed().as_secs_f64();
    let [at_account, at_queue] = sent.map(|sent| f64::from(sent.into_inner()) / lasted);
    figures.at_least("flood: tries at one account", at_account, "/s", 900.0);
    figures.at_least("flood: tries at the queue of hashes", at_queue, "/s", 90.0);
    let what = format!(
        "flood: an owner and a known browser confirmed, of {}",
        2 * ROUNDS
    );
    figures.at_least(&what, f64::from(confirmed), "", f64::from(2 * ROUNDS));
    figures.at_most("flood: they wait, 95th percentile", p95, "ms", 2_000.0);
    figures.at_most("flood: memory", most, "MB", 100.0);
}

/// Tries passwords from one network after the other.
fn attack(port: &str, attackers: &Attackers, number: u32, sent: &AtomicU32, is_over: &AtomicBool) {
    let mut connection = Connection::open(port);
    let pause = Duration::from_secs(1) / attackers.each_s;
    // They do not begin in step.
    let mut next = Instant::now() + pause * number / attackers.threads;
    let mut count = number;
    while !is_over.load(Ordering::Acquire) {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += pause;
        count = count.wrapping_add(attackers.threads);
        let request = if attackers.each_s == AT_THE_ACCOUNT.each_s {
            Request::sign_in(OWNER, WRONG)
        } else {
            Request::sign_in(&format!("visitor-{count}@example.com"), WRONG)
        };
        let request = request.asked_by_program().from(&network(count));
        let status = connection.answer(&request).status();
        assert!([401, 429, 503].contains(&status), "{status}");
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// An address in one of the networks.
fn network(count: u32) -> String {
    let count = count % NETWORKS;
    format!("10.{}.{}.1", count / 256, count % 256)
}
