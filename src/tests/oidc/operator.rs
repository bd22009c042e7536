//! The operator's commands, while the server runs.

use crate::{
    app::{Answer, Browser, with_form},
    place::Place,
};
use reqwest::Method;

/// What a command printed beside this word.
fn word<'a>(said: &'a str, name: &str) -> &'a str {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {said}")).trim()
}

const ADD: [&str; 8] = [
    "client",
    "add",
    "--name",
    "Orders",
    "--grant-type",
    "client_credentials",
    "--scope",
    "orders:read",
];

async fn ask(browser: &Browser, id: &str, secret: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let request = browser.request(Method::POST, "/oauth2/token");
    browser.send(with_form(request, &form)).await
}

async fn kids(browser: &Browser) -> Vec<String> {
    let keys = browser.open("/oauth2/jwks").await.json()["keys"].clone();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(kid).collect()
}

#[tokio::test]
async fn a_client_is_registered_edited_disabled_and_enabled_while_the_server_runs() {
    let mut place = Place::new();
    let browser = place.serve("trace");
    let said = place.said(&ADD, "");
    let (id, secret) = (word(&said, "client_id"), word(&said, "client_secret"));
    assert_eq!(ask(&browser, id, secret).await.status, 200);
    let list = place.said(&["client", "list"], "");
    assert_eq!(
        list,
        format!("{id}\tOrders\tclient_credentials\tclient_secret\t\n"),
        "and no secret"
    );

    let said = place.said(
        &["client", "edit", id, "--new-secret", "--name", "Shop"],
        "",
    );
    let new = word(&said, "client_secret");
    assert_eq!(ask(&browser, id, secret).await.status, 401);
    let answer = ask(&browser, id, new).await;
    assert_eq!(
        answer.json()["scope"],
        "orders:read",
        "what is not named stays"
    );
    place.said(&["client", "edit", id, "--scope", "orders:write"], "");
    assert_eq!(ask(&browser, id, new).await.json()["scope"], "orders:write");

    place.said(&["client", "disable", id], "");
    assert_eq!(ask(&browser, id, new).await.status, 401);
    place.said(&["client", "enable", id], "");
    assert_eq!(ask(&browser, id, new).await.status, 200);
    let token = ask(&browser, id, new).await.json()["access_token"].clone();
    let log = place.stop();
    for secret in [secret, new, token.as_str().unwrap()] {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None);
    }
    assert!(log.contains("event=\"client_refused\""));
}

#[test]
fn what_could_not_be_safe_is_not_registered() {
    let place = Place::new();
    let code = [
        "client",
        "add",
        "--name",
        "Shop",
        "--grant-type",
        "authorization_code",
    ];
    for (more, why) in [
        (&[][..], "--redirect-uri"),
        (
            &["--redirect-uri", "http://shop.example/in"],
            "http://shop.example/in",
        ),
        (&["--redirect-uri", "https://shop.example/in#a"], "fragment"),
        (&["--redirect-uri", "https://me@shop.example/in"], "user"),
        (&["--redirect-uri", "https://*.shop.example/in"], "*.shop"),
        (&["--redirect-uri", "javascript:alert(1)"], "javascript"),
        (&["--redirect-uri", "data:text/html,x"], "data"),
        (&["--redirect-uri", "shop:/in"], "shop:/in"),
        (&["--redirect-uri", "/in"], "/in"),
        (&["--redirect-uri", "https:///in"], "https:///in"),
        (
            &[
                "--redirect-uri",
                "https://shop.example/in",
                "--backchannel-logout-uri",
                "com.shop.app:/x",
            ],
            "com.shop.app",
        ),
        (
            &[
                "--redirect-uri",
                "https://shop.example/in",
                "--audience",
                "a b",
            ],
            "--audience",
        ),
        (
            &[
                "--redirect-uri",
                "https://shop.example/in",
                "--audience",
                "client-AAAAAAAAAAAAAAAAAAAAAA",
            ],
            "--audience",
        ),
        (
            &[
                "--redirect-uri",
                "https://shop.example/in",
                "--scope",
                "a\\b",
            ],
            "--scope",
        ),
        (
            &["--redirect-uri", "https://shop.example/in", "--name", " "],
            "--name",
        ),
    ] {
        let words: Vec<&str> = code.iter().chain(more).copied().collect();
        let complaint = place.complaint(&words, "");
        assert!(complaint.contains(why), "{more:?}: {complaint}");
    }
    let complaint = place.complaint(&[&ADD[..], &["--public"]].concat(), "");
    assert!(complaint.contains("proves nothing"), "{complaint}");
    let complaint = place.complaint(
        &["client", "add", "--name", "x", "--grant-type", "password"],
        "",
    );
    assert!(complaint.contains("possible values"), "{complaint}");
    for command in ["disable", "enable", "edit"] {
        let complaint = place.complaint(&["client", command, "client-none"], "");
        assert!(complaint.contains("no such client"), "{complaint}");
    }
    assert_eq!(place.said(&["client", "list"], ""), "");
    for good in [
        "https://shop.example/in?a=b",
        "http://localhost:8080/in",
        "http://127.0.0.1/in",
        "com.example.shop:/in",
    ] {
        let words: Vec<&str> = code
            .iter()
            .chain(&["--redirect-uri", good])
            .copied()
            .collect();
        place.said(&words, "");
    }
}

#[tokio::test]
async fn keys_are_exchanged_and_listed_while_the_server_runs() {
    let mut place = Place::new();
    let browser = place.serve("info");
    let first = kids(&browser).await;
    assert_eq!(first.len(), 1);
    let new = place.said(&["keys", "rotate"], "").trim().to_owned();
    assert_eq!(kids(&browser).await, [new.clone(), first[0].clone()]);
    let list = place.said(&["keys", "list"], "");
    assert!(
        list.contains(&format!("{new}\tES256\tpublished\t")),
        "{list}"
    );
    assert!(
        list.contains(&format!("{}\tES256\tsigning\t", first[0])),
        "{list}"
    );
    let newest = place.said(&["keys", "rotate", "--compromised"], "");
    assert_eq!(kids(&browser).await, [newest.trim()]);
    assert_eq!(
        place.said(&["keys", "list"], "").matches("retired").count(),
        2
    );
    place.said(&["keys", "rotate", "--algorithm", "EdDSA"], "");
    assert_eq!(kids(&browser).await.len(), 2);
    place.kill();

    // The keys open with this deployment's secret only.
    let file = place.folder().join("data/secret.key");
    std::fs::remove_file(&file).unwrap();
    // A start makes a new secret, and refuses the database.
    place.complaint(&[], "");
    place.said(&["secret", "adopt"], "");
    let again = place.serve("info");
    let kids = kids(&again).await;
    assert!(!kids.contains(&newest.trim().to_owned()), "{kids:?}");
    assert_eq!(kids.len(), 1, "a new one is made");
}
