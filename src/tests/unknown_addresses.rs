//! An address without an account costs what one with an account costs, also while accounts have
//! hashes of several parameters.

use crate::app::{PASSWORD, TestApp};
use cloakroom::server::stand_ins;
use std::collections::BTreeSet;

const WRONG: &str = "another lamp over six stairs";
/// Memory of the old parameters and of today's, in KiB.
const COSTS: [u64; 2] = [64, 128];

/// Memory that Argon2 fills for a sign-in that fails, in KiB.
async fn cost(app: &TestApp, email: &str) -> u64 {
    let before = app.state.hasher.filled_kib();
    let answer = app.browser().sign_in(email, WRONG).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    app.state.hasher.filled_kib() - before
}

async fn costs(app: &TestApp, addresses: usize) -> Vec<u64> {
    let mut costs = Vec::new();
    for number in 0..addresses {
        costs.push(cost(app, &format!("unknown-{number}@example.com")).await);
    }
    costs
}

/// A server with eight accounts, of which six have a hash of lower parameters than today's.
async fn app_with_old_hashes() -> TestApp {
    let before = TestApp::new().await;
    before.signed_up("old@example.com").await;
    let (old,): (String,) = sqlx::query_as("SELECT password_hash FROM users")
        .fetch_one(before.state.db.pool())
        .await
        .unwrap();
    let app = TestApp::with(|config| config.passwords.memory_kib = 128).await;
    for number in 0..8 {
        app.signed_up(&format!("known-{number}@example.com")).await;
    }
    sqlx::query("UPDATE users SET password_hash = $1 WHERE email < 'known-6'")
        .bind(old)
        .execute(app.state.db.pool())
        .await
        .unwrap();
    stand_ins::count_first(&app.state).await.unwrap();
    app
}

#[tokio::test]
async fn unknown_addresses_cost_what_accounts_cost_after_the_parameters_were_raised() {
    let app = app_with_old_hashes().await;
    assert_eq!(cost(&app, "known-0@example.com").await, COSTS[0]);
    assert_eq!(cost(&app, "known-7@example.com").await, COSTS[1]);
    let unknown = costs(&app, 80).await;
    let kinds: BTreeSet<u64> = unknown.iter().copied().collect();
    assert_eq!(kinds, BTreeSet::from(COSTS));
    // In the proportion of the accounts: three in four.
    let old = unknown.iter().filter(|cost| **cost == COSTS[0]).count();
    assert!((41..80).contains(&old), "{old} of 80");
    assert_eq!(
        costs(&app, 80).await,
        unknown,
        "an address costs the same again"
    );
    // However it is typed.
    assert_eq!(cost(&app, "UNKNOWN-0@EXAMPLE.COM").await, unknown[0]);
}

#[tokio::test]
async fn unknown_addresses_follow_the_accounts_to_the_parameters_of_today() {
    let app = app_with_old_hashes().await;
    let before = costs(&app, 40).await;
    for number in 0..4 {
        let email = format!("known-{number}@example.com");
        assert_eq!(app.browser().sign_in(&email, PASSWORD).await.status, 200);
    }
    stand_ins::count_first(&app.state).await.unwrap();
    let after = costs(&app, 40).await;
    // Each goes the way that an account goes: never back to the old ones.
    assert!(
        after
            .iter()
            .zip(&before)
            .all(|(after, before)| after >= before)
    );
    assert_ne!(after, before);
    for number in 4..6 {
        let email = format!("known-{number}@example.com");
        assert_eq!(app.browser().sign_in(&email, PASSWORD).await.status, 200);
    }
    stand_ins::count_first(&app.state).await.unwrap();
    assert_eq!(costs(&app, 40).await, [COSTS[1]; 40]);
}

#[tokio::test]
async fn a_stored_hash_that_is_refused_is_no_example_for_unknown_addresses() {
    let app = TestApp::new().await;
    app.signed_up("old@example.com").await;
    for planted in [
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "plain text",
    ] {
        sqlx::query("UPDATE users SET password_hash = $1")
            .bind(planted)
            .execute(app.state.db.pool())
            .await
            .unwrap();
        stand_ins::count_first(&app.state).await.unwrap();
        assert_eq!(costs(&app, 5).await, [64; 5]);
    }
}
