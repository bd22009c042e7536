//! `/v1` as somebody sees it who has its description and nothing else: schemathesis makes requests
//! that fit the description and requests that do not, and compares every answer with it.
//! `scripts/setup test` installs it; `CLOAKROOM_TEST_SCHEMATHESIS` names another.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "app.rs"]
mod app;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "place.rs"]
mod place;

use app::{EMAIL, PASSWORD};
use place::Place;
use std::process::Command;

const ALL: &str = "profile:read sessions:read sessions:write activity:read keys:read";
const INSTALLED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/end2end/python/bin/schemathesis"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let program = std::env::var("CLOAKROOM_TEST_SCHEMATHESIS");
    let program = program.unwrap_or_else(|_| INSTALLED.to_owned());
    let mut place = Place::new().with("CLOAKROOM_LIMITS_REQUESTS_PER_KEY", "10000000");
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    // Devices that it can sign out.
    for _ in 0..20 {
        app::Browser::at(browser.url().to_owned())
            .sign_in(EMAIL, PASSWORD)
            .await;
    }
    let key = browser.key(ALL).await;
    let output = Command::new(program)
        .arg("run")
        .arg(format!("{}/v1/openapi.json", browser.url()))
        // The description names the configured address.
        .args(["--url", browser.url()])
        .arg("--header")
        .arg(format!("Authorization: Bearer {key}"))
        // The same requests every time: a failure is one that can be seen again.
        .args(["--checks", "all", "--max-examples", "60", "--seed", "1"])
        .args(["--no-color", "--continue-on-failure"])
        .current_dir(place.folder())
        .output()
        .unwrap_or_else(|error| panic!("schemathesis: {error}; scripts/setup test installs it"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("5 selected / 5 total") && said.contains("No issues found"),
        "{said}"
    );
    // None of it was too much for the server.
    let log = place.stop();
    assert!(!log.contains("ERROR"), "{log}");
}
