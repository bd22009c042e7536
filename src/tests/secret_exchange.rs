//! The exchange of the signing secret, step by step, on one server.

use crate::{
    app::{Browser, EMAIL, PASSWORD, Program},
    place::Place,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

const OTHER: &str = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
const ROTATE: [&str; 2] = ["secret", "rotate"];

fn keys(place: &Place) -> Vec<String> {
    let file = place.folder().join("data/secret.key");
    let text = fs::read_to_string(file).unwrap();
    let keys = text.lines().filter(|line| !line.starts_with('#'));
    keys.map(str::to_owned).collect()
}

async fn kids(browser: &Browser) -> String {
    browser.open("/oauth2/jwks").await.body
}

async fn status(browser: &Browser, key: &str) -> u16 {
    Program::new(browser.url(), key).get("/v1/me").await.status
}

fn at(node: &Browser, browser: &Browser) -> Browser {
    let there = Browser::at(node.url().to_owned());
    there.keep(browser);
    there
}

/// Stops the server and starts it with the secrets that the file has now.
fn restart(place: &mut Place, browser: &Browser) -> Browser {
    let log = place.stop();
    assert!(!log.contains("unknown_secret"), "{log}");
    at(&place.serve("info"), browser)
}

#[tokio::test]
async fn a_secret_is_exchanged_in_three_steps_that_end_nothing() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let key = browser.key("profile:read").await;
    let published = kids(&browser).await;
    let file = place.folder().join("data/secret.key");
    let [old] = &*keys(&place) else { panic!() };
    fs::write(&file, format!("# of the shop\n{old}\n")).unwrap();

    let said = place.said(&ROTATE, "");
    assert!(said.contains("Step 1 of 3"), "{said}");
    let [first, new] = &*keys(&place) else {
        panic!()
    };
    assert_eq!(first, old);
    assert!(!said.contains(new.as_str()), "{said}");
    let complaint = place.complaint(&ROTATE, "");
    assert!(complaint.contains("1 of 1"), "{complaint}");
    assert!(complaint.contains("Nothing was changed"), "{complaint}");
    assert_eq!(keys(&place).len(), 2);
    let browser = restart(&mut place, &browser);

    let said = place.said(&ROTATE, "");
    assert!(said.contains("Step 2 of 3"), "{said}");
    assert_eq!(keys(&place), [new.clone(), old.clone()]);
    let complaint = place.complaint(&ROTATE, "");
    assert!(complaint.contains("start every server anew"), "{complaint}");
    let browser = restart(&mut place, &browser);
    assert_eq!(kids(&browser).await, published);

    // A browser that has not been here since, and one that has signed in since.
    let complaint = place.complaint(&ROTATE, "");
    for word in ["1 session has a cookie of the old secret", "--sign-out"] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    assert_eq!(keys(&place).len(), 2);
    let said = place.said(&[&ROTATE[..], &["--sign-out"]].concat(), "");
    for word in ["Step 3 of 3", "1 session ended", "1 API key was"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(keys(&place).join(" "), *new);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# of the shop\n"), "{text}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let browser = restart(&mut place, &browser);
    assert_eq!(kids(&browser).await, published, "the same keys sign tokens");
    assert_eq!(status(&browser, &key).await, 200, "the API key goes on");
    assert_eq!(browser.viewer().await, None);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(
        status(&browser, &browser.key("profile:read").await).await,
        200
    );
    let log = place.stop();
    assert_eq!(log.matches("event=\"unknown_secret\"").count(), 1, "{log}");
    assert!(log.contains("typ=\"session+jwt\""), "{log}");
}

#[tokio::test]
async fn api_keys_of_a_secret_that_an_attacker_has_end_with_it() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let key = browser.key("profile:read").await;
    let complaint = place.complaint(&[&ROTATE[..], &["--end-api-keys"]].concat(), "");
    assert!(complaint.contains("the last step"), "{complaint}");
    assert_eq!(keys(&place).len(), 1);
    place.said(&ROTATE, "");
    let browser = restart(&mut place, &browser);
    place.said(&ROTATE, "");
    let browser = restart(&mut place, &browser);
    let end = [&ROTATE[..], &["--sign-out", "--end-api-keys"]].concat();
    let said = place.said(&end, "");
    assert!(said.contains("1 API key ended"), "{said}");
    assert_eq!(status(&browser, &key).await, 401, "at once");
    let browser = restart(&mut place, &browser);
    assert_eq!(status(&browser, &key).await, 401);
    // Or later, without another step.
    let end = [&ROTATE[..], &["--end-api-keys"]].concat();
    let said = place.said(&end, "");
    assert!(said.contains("0 API keys ended"), "{said}");
    assert_eq!(keys(&place).len(), 1);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(browser.list_api_keys().await.len(), 0);
    assert_eq!(
        status(&browser, &browser.key("profile:read").await).await,
        200
    );
}

#[tokio::test]
async fn a_dropped_secret_takes_no_key_with_it_that_a_server_has_closed_anew() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let key = browser.key("profile:read").await;
    let published = kids(&browser).await;
    place.kill();
    // By hand, as the documents of earlier releases said.
    let file = place.folder().join("data/secret.key");
    let [old] = &*keys(&place) else { panic!() };
    fs::write(&file, format!("{OTHER}\n{old}\n")).unwrap();
    let exchanged = at(&place.serve("info"), &browser);
    assert!(exchanged.viewer().await.is_some());
    place.kill();
    fs::write(&file, OTHER).unwrap();
    let dropped = at(&place.serve("info"), &browser);
    assert_eq!(kids(&dropped).await, published);
    assert_eq!(status(&dropped, &key).await, 200);
}

#[test]
fn the_secret_of_a_setting_is_printed_and_the_file_behind_a_link_is_edited() {
    let mut place = Place::new().with("CLOAKROOM_SECRET_KEY", OTHER);
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let complaint = place.complaint(&ROTATE, "");
    assert!(
        complaint.contains("no server has been started"),
        "{complaint}"
    );
    place.serve("info");
    let said = place.said(&ROTATE, "");
    assert!(said.contains("CLOAKROOM_SECRET_KEY"), "{said}");
    let new = said.lines().last().unwrap();
    assert_eq!(new.len(), 43, "{said}");
    assert!(!said.contains(OTHER), "{said}");
    let secret = place.folder().join("secret");
    fs::write(&secret, OTHER).unwrap();
    let from_file = place
        .command(&ROTATE)
        .env_remove("CLOAKROOM_SECRET_KEY")
        .env("CLOAKROOM_SECRET_KEY_FILE", secret)
        .output()
        .unwrap();
    let said_of_file = String::from_utf8(from_file.stdout.clone()).unwrap();
    assert!(
        said_of_file.contains("the end of CLOAKROOM_SECRET_KEY_FILE"),
        "{from_file:?}"
    );
    let secrets = format!("{OTHER},{new}");
    let with_both = place
        .command(&ROTATE)
        .env("CLOAKROOM_SECRET_KEY", secrets)
        .output()
        .unwrap();
    let complaint = String::from_utf8(with_both.stderr).unwrap();
    assert!(complaint.contains("1 of 1"), "{complaint}");
    assert!(!complaint.contains(new), "{complaint}");

    let mut linked = Place::new();
    let data = linked.folder().join("data");
    fs::create_dir(&data).unwrap();
    let mounted = linked.folder().join("mounted");
    fs::write(&mounted, OTHER).unwrap();
    fs::set_permissions(&mounted, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("../mounted", data.join("secret.key")).unwrap();
    linked.serve("info");
    linked.said(&ROTATE, "");
    assert_eq!(keys(&linked).len(), 2);
    assert!(data.join("secret.key").is_symlink());
}
