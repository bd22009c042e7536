//! Copies of the database: by `cp`, and by the binary beside a server.

use crate::{
    app::{Answer, Browser, EMAIL, PASSWORD, Program, encoded, with_form},
    grants::{CALLBACK, VERIFIER, challenge, param},
    place::Place,
};
use reqwest::Method;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const DATABASE: &str = "data/cloakroom.db";

/// A place whose data folder has these two files alone.
fn place_of(database: &Path, secret: &Path) -> Place {
    let place = Place::new();
    fs::create_dir(place.folder().join("data")).unwrap();
    fs::copy(database, place.folder().join(DATABASE)).unwrap();
    fs::copy(secret, place.folder().join("data/secret.key")).unwrap();
    place
}

#[test]
fn a_plain_copy_of_the_database_file_after_a_command_is_whole() {
    let place = Place::new();
    let file = place.folder().join(DATABASE);
    let log = place.folder().join("data/cloakroom.db-wal");
    let secret = place.folder().join("data/secret.key");
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    assert!(!log.exists(), "the log is in the database");
    let copy = place_of(&file, &secret);
    assert!(copy.said(&["user", "list"], "").contains(EMAIL));
    // After every command, also one that failed.
    for words in [
        &["user", "sign-out", "--all"][..],
        &["client", "list"],
        &["keys", "rotate"],
        &["secret", "adopt"],
    ] {
        place.said(words, "");
        assert!(!log.exists(), "{words:?}");
    }
    place.complaint(&["user", "disable", "--email", "x@example.com"], "");
    assert!(!log.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_a_busy_server_is_private_and_whole() {
    let mut place = Place::new().with("CLOAKROOM_LIMITS_SIGN_UPS_PER_ADDRESS", "1000");
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let mut backup = place.command(&["backup", "copy.db"]).spawn().unwrap();
    let mut others = Vec::new();
    while backup.try_wait().unwrap().is_none() || others.is_empty() {
        let other = format!("ada-{}@example.com", others.len());
        let answer = Browser::at(browser.url().to_owned())
            .sign_up(&other, PASSWORD)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        others.push(other);
    }
    let output = backup.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("cloakroom.db to copy.db"), "{said}");
    assert!(said.contains("signing secret"), "{said}");

    let copy = place.folder().join("copy.db");
    let mode = fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for rest in ["copy.db-wal", "copy.db-shm", "copy.db-journal"] {
        assert!(!place.folder().join(rest).exists(), "{rest}");
    }
    let restored = place_of(&copy, &place.folder().join("data/secret.key"));
    restored.said(&["restored"], "");
    assert!(restored.said(&["user", "list"], "").contains(EMAIL));
}

#[test]
fn a_backup_writes_over_no_file_and_leaves_no_part_of_one() {
    let mut place = Place::new();
    let complaint = place.complaint(&["backup", "copy.db"], "");
    assert!(
        complaint.contains("there is no database to copy"),
        "{complaint}"
    );
    assert!(!place.folder().join("data").exists(), "and makes none");
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let copy = place.folder().join("copy.db");
    fs::write(&copy, "").unwrap();
    let complaint = place.complaint(&["backup", "copy.db"], "");
    assert!(
        complaint.contains("copy.db: the file exists"),
        "{complaint}"
    );
    fs::write(&copy, "a file of its owner").unwrap();
    place.complaint(&["backup", "copy.db"], "");
    assert_eq!(fs::read(&copy).unwrap(), b"a file of its owner");
    let complaint = place.complaint(&["backup", "none/copy.db"], "");
    assert!(complaint.contains("none/copy.db"), "{complaint}");
    // A disk that is full.
    place.limit_files(Some(16));
    let complaint = place.complaint(&["backup", "second.db"], "");
    assert!(
        complaint.contains("second.db: the copy failed"),
        "{complaint}"
    );
    let names = fs::read_dir(place.folder()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = names.filter(|name| name.contains("second.db")).collect();
    assert!(left.is_empty(), "{left:?}");
    // A name that SQLite would read as an address.
    place.limit_files(None);
    place.said(&["backup", "file:third.db?mode=memory"], "");
    assert!(place.folder().join("file:third.db?mode=memory").is_file());
    let postgres = Place::new().with("DATABASE_URL", "postgres://127.0.0.1:1/cloakroom");
    let complaint = postgres.complaint(&["backup", "copy.db"], "");
    assert!(complaint.contains("pg_dump"), "{complaint}");
}

/// The status of a request of `/v1` with this key.
async fn status(browser: &Browser, key: &str) -> u16 {
    Program::new(browser.url(), key).get("/v1/me").await.status
}

async fn kids(browser: &Browser) -> Vec<String> {
    let keys = browser.open("/oauth2/jwks").await.json()["keys"].clone();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(kid).collect()
}

/// A trusted app to which users sign in.
struct Wiki {
    id: String,
    secret: String,
}

impl Wiki {
    fn add(place: &Place) -> Self {
        let said = place.said(
            &[
                "client",
                "add",
                "--name",
                "Wiki",
                "--grant-type",
                "authorization_code",
                "--grant-type",
                "refresh_token",
                "--redirect-uri",
                CALLBACK,
                "--scope",
                "openid offline_access",
                "--trusted",
                "true",
            ],
            "",
        );
        let mut words = said.split_whitespace().skip(1).step_by(2);
        let mut word = || words.next().unwrap().to_owned();
        Self {
            id: word(),
            secret: word(),
        }
    }

    async fn code(&self, browser: &Browser) -> String {
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("scope", "openid offline_access"),
            ("nonce", "the nonce"),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ]);
        let answer = browser.open(&format!("/oauth2/authorize?{query}")).await;
        let location = answer.header("location");
        param(location, "code").unwrap_or_else(|| panic!("{answer:?}"))
    }

    async fn ask(&self, browser: &Browser, form: &[(&str, &str)]) -> Answer {
        let own = [("client_id", &*self.id), ("client_secret", &*self.secret)];
        let request = browser.request(Method::POST, "/oauth2/token");
        let form = [&own, form].concat();
        browser.send(with_form(request, &form)).await
    }

    async fn redeem(&self, browser: &Browser, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask(browser, &form).await
    }

    async fn refresh(&self, browser: &Browser, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.ask(browser, &form).await
    }
}

#[tokio::test]
async fn nothing_that_ended_after_a_backup_comes_back_with_it() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let phone = Browser::at(browser.url().to_owned());
    phone.sign_in(EMAIL, PASSWORD).await;
    let wiki = Wiki::add(&place);
    let code = wiki.code(&phone).await;
    let tokens = wiki.redeem(&phone, &code).await.json();
    let used = tokens["refresh_token"].as_str().unwrap();
    let unused_code = wiki.code(&phone).await;
    let revoked = browser.mint("profile:read").await;
    place.said(&["backup", "copy.db"], "");
    let published = kids(&browser).await;

    // The copy has it, and has it live.
    let form = [("id", revoked["id"].as_str().unwrap())];
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    let stolen = Browser::at(browser.url().to_owned());
    stolen.keep(&phone);
    let refreshed = wiki.refresh(&phone, used).await.json();
    let next = refreshed["refresh_token"].as_str().unwrap();
    assert_eq!(phone.call("sign_out", &[]).await.status, 200);
    place.said(&["keys", "rotate", "--compromised"], "");
    // The copy knows nothing of it.
    let unknown = browser.mint("profile:read").await;
    let form = [("id", unknown["id"].as_str().unwrap())];
    assert_eq!(browser.call("revoke_api_key", &form).await.status, 200);
    let newer = browser.key("profile:read").await;
    let complaint = place.complaint(&["restored"], "");
    assert!(complaint.contains("A server is running"), "{complaint}");
    assert_eq!(status(&browser, &newer).await, 200, "nothing has ended");
    place.stop();

    let copy = place.folder().join("copy.db");
    let mut restored = place_of(&copy, &place.folder().join("data/secret.key"));
    for words in [&["serve"][..], &["user", "list"]] {
        let complaint = restored.complaint(words, "");
        assert!(complaint.contains("cloakroom restored"), "{complaint}");
    }
    let said = restored.said(&["restored"], "");
    assert!(
        said.contains("2 sessions, 1 API key and 2 grants ended"),
        "{said}"
    );
    let again = restored.serve("info");
    for key in [&revoked, &unknown] {
        assert_eq!(status(&again, key["key"].as_str().unwrap()).await, 401);
    }
    assert_eq!(status(&again, &newer).await, 401);
    for before in [&browser, &stolen] {
        let at = Browser::at(again.url().to_owned());
        at.keep(before);
        assert_eq!(at.viewer().await, None);
    }
    for token in [used, next] {
        assert_eq!(wiki.refresh(&again, token).await.status, 400);
    }
    assert_eq!(wiki.redeem(&again, &unused_code).await.status, 400);
    let kids = kids(&again).await;
    assert!(kids.iter().all(|kid| !published.contains(kid)), "{kids:?}");

    // What begins now is good, and goes on after a restart.
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 200);
    let key = again.key("profile:read").await;
    assert_eq!(again.list_api_keys().await.len(), 1);
    restored.stop();
    let once_more = restored.serve("info");
    assert_eq!(status(&once_more, &key).await, 200);
    assert_eq!(status(&once_more, &newer).await, 401);
}
