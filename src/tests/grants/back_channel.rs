//! Clients are told, behind the browser's back, that a session has ended.

use super::{OtherApp, claims, other_app_with, text};
use crate::app::{EMAIL, PASSWORD, TestApp};
use axum::{Router, extract, http::StatusCode, routing::post};
use cloakroom::server::{
    clients::Registration, fields::Email, settings::Settings, state::State, users,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};

/// A client's server, where it is told.
struct Listens {
    address: String,
    told: UnboundedReceiver<String>,
    answers: Arc<AtomicU16>,
}

type Shared = (UnboundedSender<String>, Arc<AtomicU16>);

async fn answer(
    extract::State((tell, answers)): extract::State<Shared>,
    body: String,
) -> StatusCode {
    tell.send(body).unwrap();
    StatusCode::from_u16(answers.load(Ordering::SeqCst)).unwrap()
}

async fn listens() -> Listens {
    let (tell, told) = mpsc::unbounded_channel();
    let answers = Arc::new(AtomicU16::new(200));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/logout", listener.local_addr().unwrap());
    let server = Router::new()
        .route("/logout", post(answer))
        .with_state((tell, Arc::clone(&answers)));
    tokio::spawn(async move { axum::serve(listener, server).await });
    Listens {
        address,
        told,
        answers,
    }
}

async fn wiki<'a>(app: &'a TestApp, listens: &Listens) -> OtherApp<'a> {
    other_app_with(app, |said| {
        said.backchannel_logout_uri = Some(listens.address.clone());
    })
    .await
}

#[tokio::test]
async fn those_whom_somebody_signed_in_to_are_told_and_no_others() {
    let app = TestApp::new().await;
    let (mut first, mut second) = (listens().await, listens().await);
    let other = wiki(&app, &first).await;
    let unused = wiki(&app, &second).await;
    let browser = app.signed_up(EMAIL).await;
    let offline = [("scope", "openid offline_access")];
    let tokens = other.tokens(&browser, &offline).await;
    // A code that was never redeemed signed nobody in.
    unused.allowed(&browser, &[]).await;
    let phone = app.browser();
    phone.sign_in(EMAIL, PASSWORD).await;
    phone.call("sign_out", &[]).await;
    browser.call("sign_out", &[]).await;

    let body = first.told.recv().await.unwrap();
    let token = body.strip_prefix("logout_token=").unwrap();
    let said = claims(token);
    let signed_in = claims(text(&tokens, "id_token"));
    assert_eq!(said["iss"], super::ISSUER);
    assert_eq!(said["aud"], other.id.as_str());
    assert_eq!(
        (&said["sub"], &said["sid"]),
        (&signed_in["sub"], &signed_in["sid"])
    );
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(said["events"][event], serde_json::json!({}));
    assert!(said.get("nonce").is_none());
    assert!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap() <= 120);
    let header = token.split('.').next().unwrap();
    let header = claims(&format!(".{header}"));
    assert_eq!(header["typ"], "logout+jwt");
    // It lets nobody in, and is no hint.
    assert_eq!(other.userinfo(token).await.status, 401);
    assert!(first.told.try_recv().is_err());
    assert!(second.told.try_recv().is_err());
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_told_again_a_few_times() {
    let app = TestApp::new().await;
    let mut listens = listens().await;
    listens.answers.store(500, Ordering::SeqCst);
    let other = wiki(&app, &listens).await;
    let browser = app.signed_up(EMAIL).await;
    other.tokens(&browser, &[]).await;
    browser.call("sign_out", &[]).await;
    let first = listens.told.recv().await.unwrap();
    for wait_s in [10, 60, 300, 1_800] {
        app.pass(wait_s);
        app.state.back_channel.wake();
        let again = listens.told.recv().await.unwrap();
        assert_eq!(claims(&again)["jti"], claims(&first)["jti"]);
    }
    let left = "SELECT COUNT(*) FROM logout_notices WHERE next_try_at IS NOT NULL";
    assert_eq!(app.count(left).await, 0);
    let told = "SELECT COUNT(*) FROM logout_notices WHERE told_at IS NOT NULL";
    assert_eq!(app.count(told).await, 0);
}

#[tokio::test]
async fn a_client_that_never_answers_keeps_no_other_from_being_told() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let change = |said: &mut Registration| said.backchannel_logout_uri = Some(address);
        let other = other_app_with(&app, change).await;
        other.tokens(&browser, &[]).await;
        silent.push(listener);
    }
    browser.call("sign_out", &[]).await;
    // Each is given five seconds; all of them have been called before the first are over.
    let called = async {
        let mut held_open = Vec::new();
        for listener in &silent {
            held_open.push(listener.accept().await.unwrap());
        }
        held_open.len()
    };
    let called = timeout(Duration::from_secs(4), called).await;
    assert_eq!(called, Ok(4));
}

#[tokio::test]
async fn an_operators_command_has_them_told_as_well() {
    let app = TestApp::new().await;
    let mut listens = listens().await;
    let other = wiki(&app, &listens).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other.tokens(&browser, &[]).await;
    // A process of its own, which does one thing and ends.
    let settings = Settings::given(app.state.config.clone(), app.state.leptos.clone());
    let (clock, random) = (app.state.clock.clone(), app.state.random.clone());
    let command = State::open(settings, clock, random).await.unwrap();
    let email = Email::parse(EMAIL).unwrap();
    let ended = users::set_disabled(&command, &email, true).await.unwrap();
    assert_eq!(ended, Some(1));
    let told = listens.told.recv().await.unwrap();
    let signed_in = claims(text(&tokens, "id_token"));
    assert_eq!(claims(&told)["sid"], signed_in["sid"]);
}

#[tokio::test]
async fn a_client_that_did_not_answer_is_told_again_when_the_clock_was_ahead() {
    let app = TestApp::new().await;
    let mut listens = listens().await;
    listens.answers.store(500, Ordering::SeqCst);
    let other = wiki(&app, &listens).await;
    let browser = app.signed_up(EMAIL).await;
    other.tokens(&browser, &[]).await;
    app.set_clock(3_000);
    browser.call("sign_out", &[]).await;
    let first = listens.told.recv().await.unwrap();
    app.set_clock(-3_000);
    app.state.back_channel.wake();
    let again = timeout(Duration::from_secs(10), listens.told.recv()).await;
    let again = again.expect("the client is told again").unwrap();
    assert_eq!(claims(&again)["jti"], claims(&first)["jti"]);
}

#[tokio::test]
async fn clients_are_told_of_an_account_that_is_deleted() {
    let app = TestApp::new().await;
    let mut listens = listens().await;
    listens.answers.store(500, Ordering::SeqCst);
    let other = wiki(&app, &listens).await;
    let browser = app.signed_up(EMAIL).await;
    let tokens = other
        .tokens(&browser, &[("scope", "openid offline_access")])
        .await;
    let signed_in = claims(text(&tokens, "id_token"));
    let user_id = text(&signed_in, "sub");
    let deleted = users::delete(&app.state, user_id).await.unwrap().unwrap();
    assert_eq!((deleted.sessions, deleted.keys), (1, 0));
    assert_eq!(browser.viewer().await, None);
    let first = listens.told.recv().await.unwrap();
    // It did not answer, and is told again, although nothing of the account is left.
    app.pass(10);
    app.state.back_channel.wake();
    let again = listens.told.recv().await.unwrap();
    for told in [&first, &again] {
        let said = claims(told);
        assert_eq!(
            (&said["sub"], &said["sid"]),
            (&signed_in["sub"], &signed_in["sid"])
        );
    }
    super::assert_says(
        &other.refresh(text(&tokens, "refresh_token")).await,
        "invalid_grant",
    );
    assert!(!other.is_good(text(&tokens, "access_token")).await);
    for table in [
        "SELECT COUNT(*) FROM users",
        "SELECT COUNT(*) FROM sessions",
        "SELECT COUNT(*) FROM grants",
        "SELECT COUNT(*) FROM authorization_codes",
        "SELECT COUNT(*) FROM refresh_tokens",
        "SELECT COUNT(*) FROM activity",
        "SELECT COUNT(*) FROM deleted_users",
    ] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}
