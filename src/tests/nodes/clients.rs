//! Clients and signing keys on several nodes: what is said to one holds on all.

use super::{
    PATIENCE, SECRET,
    app::{Browser, with_form},
    database, node,
    place::Place,
    wire::Wire,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{task::JoinSet, time::timeout};

/// A client, as its developer has it.
#[derive(Clone)]
struct Service(String, String);

impl Service {
    /// Registered by a command, on a machine that serves nothing.
    fn add(operator: &Place) -> Self {
        let add = ["client", "add", "--name", "Orders", "--grant-type"];
        let said = operator.said(&[&add[..], &["client_credentials"]].concat(), "");
        let mut words = said.split_whitespace().skip(1).step_by(2);
        let mut word = || words.next().unwrap().to_owned();
        Self(word(), word())
    }

    async fn ask(&self, at: &Browser, path: &str, more: (&str, &str)) -> (u16, Value) {
        let form = [("client_id", &*self.0), ("client_secret", &*self.1), more];
        let request = at.request(Method::POST, path);
        let answer = at.send(with_form(request, &form)).await;
        (answer.status, answer.json())
    }

    async fn token(&self, at: &Browser) -> Option<String> {
        let grant = ("grant_type", "client_credentials");
        let (_, said) = self.ask(at, "/oauth2/token", grant).await;
        said["access_token"].as_str().map(str::to_owned)
    }

    async fn is_active(&self, at: &Browser, token: &str) -> bool {
        let (status, said) = self.ask(at, "/oauth2/introspect", ("token", token)).await;
        assert_eq!(status, 200, "{said}");
        said["active"] == true
    }
}

fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn kids(at: &Browser) -> Vec<String> {
    let keys = at.open("/oauth2/jwks").await.json()["keys"].clone();
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(kid).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_exchanged_on_every_node_without_a_restart() {
    let database = database().await;
    let (mut first, mut second) = (node(&database), node(&database));
    let (here, there) = (first.serve("info"), second.serve("info"));
    let operator = node(&database);
    let service = Service::add(&operator);
    assert_eq!(
        kids(&here).await,
        kids(&there).await,
        "they share the first"
    );
    let stolen = service.token(&here).await.unwrap();
    assert!(service.is_active(&there, &stolen).await);
    let new = operator.said(&["keys", "rotate", "--compromised"], "");
    for node in [&here, &there] {
        let taken_up = async { while kids(node).await != [new.trim()] {} };
        timeout(PATIENCE, taken_up).await.unwrap();
        assert!(!service.is_active(node, &stolen).await);
    }
    let token = service.token(&here).await.unwrap();
    assert!(service.is_active(&there, &token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_node_refuses_what_another_signed_while_keys_are_exchanged() {
    let database = database().await;
    let node = || node(&database).with("CLOAKROOM_OIDC_PUBLISH_KEYS_BEFORE_S", "1");
    let (mut first, mut second, operator) = (node(), node(), node());
    let (here, there) = (first.serve("info"), second.serve("info"));
    let service = Service::add(&operator);
    let is_over = Arc::new(AtomicBool::new(false));
    // The kids that each node has signed with.
    let seen: Arc<[Mutex<BTreeSet<String>>; 2]> = Arc::default();
    let mut load = JoinSet::new();
    for (at, one, other) in [(0, &here, &there), (1, &there, &here)] {
        let one = Browser::at(one.url().to_owned());
        let other = Browser::at(other.url().to_owned());
        let (service, is_over, seen) = (service.clone(), is_over.clone(), seen.clone());
        load.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let token = service.token(&one).await.unwrap();
                assert!(service.is_active(&other, &token).await);
                seen[at].lock().unwrap().insert(kid(&token));
            }
        });
    }
    for _ in 0..2 {
        let new = operator.said(&["keys", "rotate"], "").trim().to_owned();
        let taken_up = async {
            while !seen.iter().all(|seen| seen.lock().unwrap().contains(&new)) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, taken_up).await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    load.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_kept_out_of_every_node_and_of_one_that_hears_nothing() {
    let database = database().await;
    let wire = Wire::to(&database).await;
    let mut deaf = Place::new()
        .with("DATABASE_URL", wire.url())
        .with("CLOAKROOM_SECRET_KEY", SECRET);
    let mut other = node(&database);
    let (here, there) = (deaf.serve("info"), other.serve("info"));
    let operator = node(&database);
    let service = Service::add(&operator);
    let is_out = async |at: &Browser| {
        let refused = async { while service.token(at).await.is_some() {} };
        timeout(PATIENCE, refused).await.unwrap();
    };
    for node in [&here, &there] {
        assert!(service.token(node).await.is_some());
    }
    operator.said(&["client", "disable", &service.0], "");
    is_out(&here).await;
    is_out(&there).await;
    operator.said(&["client", "enable", &service.0], "");
    let back = async { while service.token(&here).await.is_none() {} };
    timeout(PATIENCE, back).await.unwrap();
    wire.mute_listeners();
    operator.said(&["client", "disable", &service.0], "");
    is_out(&here).await;
    assert!(
        service.token(&here).await.is_none(),
        "deaf, it asks each time"
    );
}
