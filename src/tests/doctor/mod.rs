//! `cloakroom doctor` passes where nothing is weak, and names what is.

mod cookies;
mod endings;
mod headers;
mod nginx;
mod strangers;
mod walls;
mod weakness;

use super::{app::TestApp, place::Place};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
};
use cloakroom::server::{listen, router::router};
use std::{process::Output, sync::Arc};
use tokio::net::TcpListener;
use weakness::Weakness;

/// The names of the checks that failed or were noted, and all that was said.
pub struct Found {
    failed: Vec<String>,
    noted: Vec<String>,
    pub said: String,
    pub is_success: bool,
}

pub async fn examine(url: &str) -> Found {
    let url = url.to_owned();
    let output: Output =
        tokio::task::spawn_blocking(move || Place::new().run(&["doctor", "--url", &url], ""))
            .await
            .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let with = |outcome| {
        let lines = said.lines();
        let names = lines.filter_map(|line| line.strip_prefix(outcome)?.split(": ").next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    Found {
        failed: with("fail     "),
        noted: with("note     "),
        said,
        is_success: output.status.success(),
    }
}

#[tokio::test]
async fn a_server_with_the_usual_settings_passes() {
    let mut place = Place::new();
    let url = place.serve("info").url().to_owned();
    let found = examine(&url).await;
    assert!(found.is_success, "{}", found.said);
    assert_eq!(found.failed, [""; 0]);
    assert_eq!(found.noted, [""; 0], "{}", found.said);
    // The address is this machine's own; the site may not be built where tests run.
    for line in found
        .said
        .lines()
        .filter(|line| line.starts_with("skipped"))
    {
        let usual = ["it is reached by https", "a file is kept for ever"];
        assert!(usual.iter().any(|it| line.contains(it)), "{line}");
    }
    assert!(found.said.contains("remains"), "{}", found.said);
    let log = place.stop();
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn a_weakened_setting_is_named() {
    for (variable, value, finding) in [
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "8",
            "short passwords are refused",
        ),
        (
            "CLOAKROOM_SERVER_BODY_LIMIT_BYTES",
            "9999999",
            "a large body is refused",
        ),
        (
            "CLOAKROOM_SERVER_TRUSTED_PROXY_HOPS",
            "1",
            "guessing a password is slowed down",
        ),
        (
            "CLOAKROOM_LIMITS_SIGN_INS_PER_ACCOUNT_AND_ADDRESS",
            "1000",
            "guessing a password is slowed down",
        ),
    ] {
        let mut place = Place::new().with(variable, value);
        let url = place.serve("info").url().to_owned();
        let found = examine(&url).await;
        assert!(!found.is_success, "{}", found.said);
        assert_eq!(found.failed, [finding], "{}", found.said);
    }
}

#[tokio::test]
async fn where_there_is_no_site_it_says_so() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let found = examine(&url).await;
    assert_eq!(found.failed, ["it is reachable and ready"]);
    assert!(!found.is_success);
    for nonsense in ["nonsense", "ftp://127.0.0.1", "data:text/plain,x"] {
        let complaint = Place::new().complaint(&["doctor", "--url", nonsense], "");
        assert!(complaint.contains(nonsense), "{complaint}");
    }
}

#[tokio::test]
async fn where_nobody_may_sign_up_the_rest_is_skipped() {
    let app = TestApp::with(|config| config.limits.sign_ups_per_address = 1).await;
    app.signed_up("ada@example.com").await;
    let found = examine(&app.url).await;
    assert!(found.is_success, "{}", found.said);
    assert!(
        found
            .said
            .contains("skipped  an account is made and signed in: sign-ups are limited"),
        "{}",
        found.said
    );
    assert!(
        found
            .said
            .contains("skipped  signing out ends the session: there is no account")
    );
}

#[tokio::test]
async fn every_weakness_is_named_and_nothing_else_is() {
    let app = TestApp::new().await;
    let none = Weakness::new("nothing", &[]);
    let weak = std::iter::once(none)
        .chain(headers::weak())
        .chain(headers::chosen())
        .chain(cookies::weak())
        .chain(walls::weak())
        .chain(strangers::weak())
        .chain(endings::weak());
    let mut wrong = Vec::new();
    for weakness in weak {
        let (what, findings) = (weakness.what, weakness.findings.clone());
        let notes = weakness.notes.clone();
        let weakness = Arc::new(weakness);
        let weakened: Router = router(app.state.clone()).layer(middleware::from_fn(
            move |request: Request, next: Next| {
                let weakness = Arc::clone(&weakness);
                async move { weakness.around(request, next).await }
            },
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = app.state.clone();
        let serving = tokio::spawn(async move {
            listen::serve(listener, weakened, &state, std::future::pending()).await
        });
        let found = examine(&url).await;
        serving.abort();
        // All of them come from one address, whose limit is not what is tried here.
        app.pass(60);
        let is_named = found.failed == findings && found.noted == notes;
        if !is_named || found.is_success != findings.is_empty() {
            wrong.push(format!(
                "{what}: expected {findings:?}, noted {notes:?}\n{}",
                found.said
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
