//! The keys that sign: made, exchanged under load, closed in the database.

use super::{GRANT, ask, is_active, jwks, part, service, service_with, token};
use crate::app::TestApp;
use cloakroom::server::{
    sessions::commit_change,
    signing_keys::{self, Algorithm, Rotation},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinSet;

async fn kids(app: &TestApp) -> BTreeSet<String> {
    let keys = jwks(app).await;
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys.iter().map(kid).collect()
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

async fn rotate(app: &TestApp, rotation: Rotation) -> String {
    signing_keys::rotate(&app.state, Algorithm::Es256, rotation)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_its_last_token_is_over() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let before = token(&app, &service).await;
    let new = rotate(&app, Rotation::Usual).await;
    let old = kid(&before);
    assert_ne!(new, old);
    // Everybody has time to fetch it.
    let both = BTreeSet::from([old.clone(), new.clone()]);
    assert_eq!(kids(&app).await, both);
    app.pass(599);
    assert_eq!(kid(&token(&app, &service).await), old);
    let last = token(&app, &service).await;
    app.pass(1);
    assert_eq!(kid(&token(&app, &service).await), new);
    assert!(
        is_active(&app, &service, &last).await,
        "what the old one signed is good"
    );
    app.pass(298);
    assert!(is_active(&app, &service, &last).await);
    assert_eq!(kids(&app).await, both);
    app.pass(3_600);
    assert_eq!(kids(&app).await, BTreeSet::from([new.clone()]));
    // Its private part is nobody's to find any more.
    rotate(&app, Rotation::Usual).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM signing_keys").await, 3);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM signing_keys WHERE sealed = ''")
            .await,
        1
    );
}

#[tokio::test]
async fn a_key_of_age_is_followed_by_another_without_a_word_from_anybody() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let first = kid(&token(&app, &service).await);
    app.pass(90 * 86_400 - 1);
    token(&app, &service).await;
    assert_eq!(kids(&app).await.len(), 1);
    app.pass(1);
    // Some notice at once; one key is made.
    let some = tokio::join!(
        token(&app, &service),
        token(&app, &service),
        token(&app, &service)
    );
    for token in [some.0, some.1, some.2] {
        assert_eq!(kid(&token), first);
    }
    assert_eq!(kids(&app).await.len(), 2);
    app.pass(600);
    assert_ne!(kid(&token(&app, &service).await), first);
    app.pass(3_600);
    assert_eq!(kids(&app).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_was_made_while_the_clock_was_ahead_is_followed_by_another() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let first = kid(&token(&app, &service).await);
    app.set_clock(100 * 86_400);
    token(&app, &service).await;
    assert_eq!(kids(&app).await.len(), 2);
    app.set_clock(-100 * 86_400);
    app.pass(60);
    token(&app, &service).await;
    assert_eq!(kids(&app).await.len(), 3);
    app.pass(600);
    assert_ne!(kid(&token(&app, &service).await), first);
    app.pass(3_600);
    assert_eq!(kids(&app).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_somebody_has_is_gone_at_once_with_what_it_signed() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let eddsa = service_with(&app, |said| said.algorithm = Some(Algorithm::EdDsa)).await;
    let (stolen, other) = (token(&app, &service).await, token(&app, &eddsa).await);
    rotate(&app, Rotation::Usual).await;
    let new = rotate(&app, Rotation::Compromised).await;
    assert!(!is_active(&app, &service, &stolen).await);
    assert!(
        is_active(&app, &eddsa, &other).await,
        "another algorithm's stays"
    );
    assert_eq!(kids(&app).await, BTreeSet::from([new.clone(), kid(&other)]));
    let fresh = token(&app, &service).await;
    assert_eq!(kid(&fresh), new);
    assert!(is_active(&app, &service, &fresh).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_is_refused_while_keys_are_exchanged() {
    let app = Arc::new(
        TestApp::with(|config| {
            config.oidc.publish_keys_before_s = 0;
            config.limits.tokens_per_client = 1_000_000;
        })
        .await,
    );
    let service = Arc::new(service(&app).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for _ in 0..4 {
        let (app, service, is_over) = (app.clone(), service.clone(), is_over.clone());
        load.spawn(async move {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                let token = token(&app, &service).await;
                assert!(is_active(&app, &service, &token).await);
                assert!(kids(&app).await.contains(&kid(&token)), "it is published");
                seen.insert(kid(&token));
            }
            seen
        });
    }
    for _ in 0..5 {
        app.pass(1);
        let new = rotate(&app, Rotation::Usual).await;
        // Whoever asks after it was answered gets one of the new key.
        assert_eq!(kid(&token(&app, &service).await), new);
    }
    is_over.store(true, Ordering::SeqCst);
    let seen: BTreeSet<String> = load.join_all().await.into_iter().flatten().collect();
    assert!(seen.len() > 1, "they were exchanged meanwhile");
}

#[tokio::test]
async fn a_stolen_database_signs_nothing_and_authenticates_nobody() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    service_with(&app, |said| said.algorithm = Some(Algorithm::EdDsa)).await;
    let stolen: Vec<(String,)> = sqlx::query_as(
        "SELECT sealed FROM signing_keys \
         UNION ALL SELECT COALESCE(hashed_secret, '') || COALESCE(jwks, '') FROM clients",
    )
    .fetch_all(app.state.db.pool())
    .await
    .unwrap();
    assert_eq!(stolen.len(), 4);
    for (text,) in stolen {
        assert!(!text.contains(&service.secret));
        // PKCS #8 begins with a sequence, whatever is in it.
        assert!(!text.starts_with("MI") && !text.starts_with("MC"), "{text}");
        let basic = super::basic(&service.id, &text);
        let answer = ask(&app, "/oauth2/token", Some(&basic), &[GRANT]).await;
        assert_eq!(answer.status, 401);
    }
}

/// Changes rows as a thief would who can write them, and has the server read them anew.
async fn plant(app: &TestApp, sql: &'static str) {
    let mut tx = app.state.db.write().await.unwrap();
    sqlx::query(sql).execute(&mut *tx).await.unwrap();
    commit_change(&app.state, tx).await.unwrap();
}

#[tokio::test]
async fn a_planted_key_is_not_taken() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let before = token(&app, &service).await;
    // A key of the thief's own; and one of ours in another's place.
    plant(
        &app,
        "INSERT INTO signing_keys (id, algorithm, sealed, created_at, signs_from) \
         VALUES ('planted', 'ES256', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 0, 1700000000)",
    )
    .await;
    plant(
        &app,
        "INSERT INTO signing_keys (id, algorithm, sealed, created_at, signs_from) \
         SELECT 'moved', algorithm, sealed, created_at, signs_from FROM signing_keys \
         WHERE id <> 'planted'",
    )
    .await;
    assert_eq!(kids(&app).await, BTreeSet::from([kid(&before)]));
    assert!(is_active(&app, &service, &before).await);
    // And when all are broken, a new one is made rather than none used.
    plant(&app, "UPDATE signing_keys SET sealed = 'broken'").await;
    let after = token(&app, &service).await;
    assert!(is_active(&app, &service, &after).await);
    assert!(!is_active(&app, &service, &before).await);
}
