//! The exchange of the signing secret on two nodes.

use super::{
    app::{Browser, EMAIL, PASSWORD, Program},
    at, database, key_status, node,
    place::Place,
};

const OLD: &str = super::SECRET;
const NEW: &str = "YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXQ";
const ROTATE: [&str; 2] = ["secret", "rotate"];

fn with(database: &str, secrets: &str) -> Place {
    node(database).with("CLOAKROOM_SECRET_KEY", secrets)
}

async fn jwks(at: &Browser) -> String {
    at.open("/oauth2/jwks").await.body
}

/// What a user and an API client see at a node.
async fn assert_all_is_good(nodes: &[&Browser], user: &Browser, key: &str, published: &str) {
    for node in nodes {
        assert!(at(node, user).viewer().await.is_some());
        assert_eq!(key_status(&Program::new(node.url(), key)).await, 200);
        assert_eq!(jwks(node).await, published);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_exchange_their_secret_and_sign_no_user_out() {
    let database = database().await;
    let (both, exchanged) = (format!("{OLD},{NEW}"), format!("{NEW},{OLD}"));
    let (mut first, mut second) = (with(&database, OLD), with(&database, OLD));
    let (mut here, mut there) = (first.serve("info"), second.serve("info"));
    here.sign_up(EMAIL, PASSWORD).await;
    let user = at(&here, &here);
    let key = here.key("profile:read").await;
    let published = jwks(&here).await;
    for (secrets, step, behind) in [
        (&*both, "Step 1 of 3", "do not have all secrets"),
        (
            &*exchanged,
            "Step 2 of 3",
            "still sign with the older secret",
        ),
    ] {
        let said = if step == "Step 1 of 3" {
            with(&database, OLD).said(&ROTATE, "")
        } else {
            with(&database, &both).said(&ROTATE, "")
        };
        assert!(said.contains(step), "{said}");
        first.stop();
        first = with(&database, secrets);
        here = first.serve("info");
        // In the middle of a step.
        assert_all_is_good(&[&here, &there], &user, &key, &published).await;
        let new_user = Browser::at(here.url().to_owned());
        new_user.sign_in(EMAIL, PASSWORD).await;
        let new_key = at(&here, &new_user).key("profile:read").await;
        assert_all_is_good(&[&here, &there], &new_user, &new_key, &published).await;
        let complaint = with(&database, secrets).complaint(&ROTATE, "");
        assert!(complaint.contains("1 of 2"), "{complaint}");
        assert!(complaint.contains(behind), "{complaint}");
        second.stop();
        second = with(&database, secrets);
        there = second.serve("info");
        assert_all_is_good(&[&here, &there], &user, &key, &published).await;
    }
    let said = with(&database, &exchanged).said(&[&ROTATE[..], &["--sign-out"]].concat(), "");
    assert!(said.contains("Step 3 of 3"), "{said}");
    let new_user = Browser::at(here.url().to_owned());
    new_user.sign_in(EMAIL, PASSWORD).await;
    first.stop();
    let mut first = with(&database, NEW);
    let here = first.serve("info");
    assert_all_is_good(&[&here, &there], &new_user, &key, &published).await;
    second.stop();
    let mut second = with(&database, NEW);
    let there = second.serve("info");
    assert_all_is_good(&[&here, &there], &new_user, &key, &published).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_does_not_sign_with_a_secret_that_another_lacks() {
    let database = database().await;
    let mut first = with(&database, OLD);
    let here = first.serve("info");
    here.sign_up(EMAIL, PASSWORD).await;
    let published = jwks(&here).await;
    let hasty = with(&database, &format!("{NEW},{OLD}"));
    let complaint = hasty.complaint(&[], "");
    for word in ["does not have this node's newest", "secret rotate"] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    hasty.said(&["user", "list"], "");
    assert_eq!(jwks(&here).await, published);
    // One that was killed is soon no node any more; one that stops is none at once.
    first.stop();
    let mut second = hasty;
    let there = at(&second.serve("info"), &here);
    assert!(there.viewer().await.is_some());
    let complaint = with(&database, OLD).complaint(&[], "");
    assert!(complaint.contains("another signing secret"), "{complaint}");
}
