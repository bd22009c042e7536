//! The binary as an operator runs it: from any folder, with no file at all.

use super::{
    app::{Browser, EMAIL, PASSWORD, Program, encoded},
    grants::param,
    oidc::assert_described,
    place::Place,
};
use reqwest::Method;
use std::{
    fs::{self, File},
    path::Path,
};

#[tokio::test]
async fn what_was_answered_outlives_a_power_cut() {
    let mut place = Place::new();
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    place.kill();

    let again = place.serve("info");
    again.keep(&browser);
    assert_eq!(again.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(again.call("sign_out", &[]).await.status, 200);
    place.kill();

    let copy = place.serve("info");
    copy.keep(&browser);
    assert_eq!(copy.viewer().await, None);
}

#[tokio::test]
async fn the_log_names_events_and_holds_no_secret_however_much_it_is_asked_to_say() {
    let mut place = Place::new();
    let browser = place.serve("trace");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let first = browser.session().unwrap();
    let wrong = "another lamp over six stairs";
    assert_eq!(browser.sign_in(EMAIL, wrong).await.status, 401);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    let second = browser.session().unwrap();
    // A form that comes back, with what was typed sealed in a cookie.
    let form = [("email", EMAIL), ("password", wrong)];
    browser.submit("/sign-in", "sign_in", &form).await;
    let page = browser
        .open("/sign-in?next=/account&secret=in-the-query")
        .await;
    assert_eq!(page.status, 200);
    for strange in ["a\x1b[31mred", "a\u{202e}b", "{\"level\":\"error\"}"] {
        let request = browser
            .request(Method::POST, "/api/sign_out")
            .header("user-agent", strange)
            .header("origin", "https://evil.example");
        // Some of these no client can even send.
        if let Ok(request) = request.build() {
            assert_eq!(browser.http().execute(request).await.unwrap().status(), 403);
        }
    }
    assert_eq!(browser.call("sign_out", &[]).await.status, 200);
    let log = place.stop();

    for event in [
        "signed_up",
        "sign_in_failed",
        "signed_in",
        "cross_site_refused",
    ] {
        assert!(log.contains(&format!("event=\"{event}\"")), "{event}");
    }
    assert!(log.contains("reason=\"signed_out\""));
    let key = fs::read_to_string(place.folder().join("data/secret.key")).unwrap();
    let payload = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    for secret in [
        PASSWORD,
        wrong,
        &PASSWORD.replace(' ', "+"),
        key.trim(),
        &payload(&first),
        &payload(&second),
        "in-the-query",
        "$argon2id",
        EMAIL,
    ] {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'));
}

#[tokio::test]
async fn the_log_calls_no_visit_by_hand_an_attack() {
    let mut place = Place::new();
    let browser = place.serve("trace");
    for method in [Method::GET, Method::POST] {
        let request = browser
            .request(method, "/api/sign_in")
            .header("sec-fetch-site", "none")
            .header("sec-fetch-mode", "navigate")
            .header("accept", "text/html");
        assert_eq!(browser.send(request).await.status, 303);
    }
    let foreign = browser
        .request(Method::GET, "/api/viewer")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
        .header("accept", "text/html");
    assert_eq!(browser.send(foreign).await.status, 403);
    let log = place.stop();
    let refused = log.matches("event=\"cross_site_refused\"").count();
    assert_eq!(refused, 1, "{log}");
}

#[test]
fn an_operator_adds_and_lists_accounts() {
    let place = Place::new();
    let id = place.said(&["user", "add", "--email", "Ada@Example.COM"], PASSWORD);
    let list = place.said(&["user", "list"], "");
    assert_eq!(list.lines().count(), 1);
    assert!(list.starts_with(id.trim()), "{list}");
    assert!(list.contains("Ada@example.com"), "{list}");

    for (email, password, why) in [
        (
            "ada@example.com",
            PASSWORD,
            "another account has this address",
        ),
        ("grace@example.com", "short", "password: it needs at least"),
        ("nonsense", PASSWORD, "mail cannot be sent to this address"),
    ] {
        let complaint = place.complaint(&["user", "add", "--email", email], password);
        assert!(complaint.contains(why), "{complaint}");
        assert!(!complaint.contains(password), "{complaint}");
    }
    assert_eq!(place.said(&["user", "list"], "").lines().count(), 1);
}

#[test]
fn an_operator_renames_an_account_and_reads_a_domain_in_its_script() {
    let place = Place::new();
    let add = |email| place.said(&["user", "add", "--email", email], PASSWORD);
    let (id, other) = (add("ada@bücher.example"), add("other@example.com"));
    let rename = |id: &'static str, email| vec!["user", "rename", "--id", id, "--email", email];
    let [id, other] = [id, other].map(|id| &*String::leak(id.trim().to_owned()));
    let list = || place.said(&["user", "list"], "");
    assert!(list().contains("\tada@bücher.example\t"), "{}", list());
    let said = place.said(&rename(id, "Zoe\u{308}@xn--bcher-kva.example"), "");
    assert_eq!(said.trim(), "0 sessions ended");
    assert!(list().contains("\tZoë@bücher.example\t"), "{}", list());
    for (id, email, why) in [
        (
            other,
            "zoë@bücher.example",
            "another account has this address",
        ),
        (other, "nonsense", "mail cannot be sent to this address"),
        ("none", "new@example.com", "there is no such account"),
    ] {
        let complaint = place.complaint(&rename(id, email), "");
        assert!(complaint.contains(why), "{complaint}");
    }
}

#[tokio::test]
async fn an_account_that_is_kept_out_is_out_at_the_next_request() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    let phone = Browser::at(browser.url().to_owned());
    phone.sign_in(EMAIL, PASSWORD).await;
    for someone in [&browser, &phone] {
        assert!(someone.viewer().await.is_some());
    }
    let said = place.said(&["user", "disable", "--email", "ADA@example.com"], "");
    assert_eq!(said.trim(), "2 sessions ended");
    for someone in [&browser, &phone] {
        assert_eq!(someone.viewer().await, None);
    }
    assert_eq!(phone.sign_in(EMAIL, PASSWORD).await.status, 401);

    place.said(&["user", "enable", "--email", EMAIL], "");
    assert_eq!(browser.viewer().await, None, "what has ended stays so");
    assert_eq!(phone.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert!(phone.viewer().await.is_some());
    let said = place.said(&["user", "sign-out", "--email", EMAIL], "");
    assert_eq!(said.trim(), "1 session ended");
    assert_eq!(phone.viewer().await, None);
    // A command that nobody would hear changes nothing.
    let (marks, other) = (place.marks(), place.folder().join("other"));
    fs::rename(&marks, &other).unwrap();
    fs::create_dir(&marks).unwrap();
    place.complaint(&["user", "disable", "--email", EMAIL], "");
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
    fs::remove_dir(&marks).unwrap();
    fs::rename(&other, &marks).unwrap();
    // One that could commit and then not leave its mark is given once more.
    let marks = File::options().append(true).open(place.marks()).unwrap();
    marks.set_len(8 << 20).unwrap();
    assert!(browser.viewer().await.is_some());
    place.limit_files(Some(4 << 10));
    let complaint = place.complaint(&["user", "disable", "--email", EMAIL], "");
    assert!(complaint.contains("cloakroom.db-ended"), "{complaint}");
    place.limit_files(None);
    let said = place.said(&["user", "disable", "--email", EMAIL], "");
    assert_eq!(said.trim(), "0 sessions ended");
    assert_eq!(browser.viewer().await, None);
    let complaint = place.complaint(&["user", "disable", "--email", "x@example.com"], "");
    assert!(complaint.contains("no such account"), "{complaint}");
}

/// A command leaves word in a file, which somebody may tidy away, replace, or keep elsewhere.
#[tokio::test]
async fn what_a_command_ends_is_refused_whatever_becomes_of_the_file_of_its_marks() {
    type Meddling = fn(&Path, &Path);
    let cases: [(&str, Meddling, Meddling); 6] = [
        ("left alone", |_, _| {}, |_, _| {}),
        (
            "removed",
            |marks, _| fs::remove_file(marks).unwrap(),
            |_, _| {},
        ),
        (
            "emptied",
            |marks, _| fs::write(marks, "").unwrap(),
            |_, _| {},
        ),
        (
            "moved",
            |marks, other| fs::rename(marks, other).unwrap(),
            |_, _| {},
        ),
        (
            "removed while it has another name",
            |marks, other| {
                fs::hard_link(marks, other).unwrap();
                fs::remove_file(marks).unwrap();
            },
            |_, _| {},
        ),
        (
            "moved and brought back",
            |marks, other| fs::rename(marks, other).unwrap(),
            |marks, other| fs::rename(other, marks).unwrap(),
        ),
    ];
    for (what, before, after) in cases {
        let mut place = Place::new();
        let browser = place.serve("info");
        browser.sign_up(EMAIL, PASSWORD).await;
        place.said(&["user", "sign-out", "--email", EMAIL], "");
        assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200, "{what}");
        let program = Program::new(browser.url(), &browser.key("profile:read").await);
        assert!(browser.viewer().await.is_some(), "{what}");
        assert_eq!(program.get("/v1/me").await.status, 200, "{what}");

        let (marks, other) = (place.marks(), place.folder().join("other"));
        before(&marks, &other);
        place.said(&["user", "disable", "--email", EMAIL], "");
        after(&marks, &other);
        assert_eq!(browser.viewer().await, None, "{what}");
        assert_eq!(program.get("/v1/me").await.status, 401, "{what}");
    }
}

#[tokio::test]
async fn an_embedded_database_has_one_server() {
    let mut place = Place::new();
    let browser = place.serve("info");
    let second = place
        .command(&[])
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
        .output();
    let second = second.unwrap();
    assert!(!second.status.success());
    let complaint = String::from_utf8(second.stderr).unwrap();
    assert!(
        complaint.contains("Another server has the database"),
        "{complaint}"
    );
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_lost_secret_is_not_replaced_in_silence() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    place.kill();
    let key = place.folder().join("data/secret.key");
    fs::remove_file(&key).unwrap();
    let complaint = place.complaint(&[], "");
    for word in [
        "another signing secret",
        "secret.key",
        "cloakroom secret adopt",
    ] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
    assert_eq!(
        place.said(&["secret", "adopt"], "").trim(),
        "1 session ended"
    );
    let again = place.serve("info");
    again.keep(&browser);
    assert_eq!(again.viewer().await, None);
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 200);

    // Exchanged, a new key stands before the old one.
    place.kill();
    let old = fs::read_to_string(&key).unwrap();
    let new = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4";
    fs::write(&key, format!("{new}\n{old}")).unwrap();
    let rotated = place.serve("info");
    rotated.keep(&again);
    assert_eq!(rotated.viewer().await.as_deref(), Some(EMAIL));
    place.kill();
    // And then the old one alone is another secret.
    fs::write(&key, old).unwrap();
    assert!(place.complaint(&[], "").contains("another signing secret"));
}

#[tokio::test]
async fn what_was_used_is_written_down_when_the_server_stops() {
    let mut place = Place::new();
    let browser = place.serve("info");
    browser.sign_up(EMAIL, PASSWORD).await;
    assert_eq!(
        browser.sign_in(EMAIL, "not this one at all").await.status,
        401
    );
    let log = place.stop();
    assert!(!log.contains("ERROR"), "{log}");
    let again = place.serve("info");
    again.keep(&browser);
    assert_eq!(again.list_activity().await, ["sign_in_failed", "signed_up"]);
}

#[tokio::test]
async fn a_full_disk_keeps_nobody_out_and_forgets_nothing() {
    let mut place = Place::new();
    place.limit_files(Some(1_024));
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    // The database grows until it may not.
    let refused = loop {
        let answer = Browser::at(browser.url().to_owned())
            .sign_in(EMAIL, PASSWORD)
            .await;
        if answer.status != 200 {
            break answer;
        }
    };

    assert_eq!(
        (refused.status, &*refused.body),
        (503, r#"{"code":"unavailable"}"#)
    );
    assert!(refused.set_cookies().is_empty());
    assert_eq!(browser.viewer().await.as_deref(), Some(EMAIL));
    assert_eq!(browser.open("/account/sessions").await.status, 200);
    assert_eq!(browser.open("/account/activity").await.status, 200);
    // What cannot be written down is not said to be done.
    let copy = Browser::at(browser.url().to_owned());
    copy.keep(&browser);
    let answer = browser.call("sign_out", &[]).await;
    let is_done = answer.status == 200;
    assert!(is_done || answer.status == 503, "{}", answer.body);
    assert_eq!(browser.session().is_none(), is_done);
    place.kill();
    place.limit_files(None);
    let again = place.serve("info");
    again.keep(&copy);
    assert_eq!(again.viewer().await.is_none(), is_done);
    assert_eq!(again.sign_in(EMAIL, PASSWORD).await.status, 200);
}

#[test]
fn the_settings_in_force_are_printed_with_where_they_came_from() {
    let place = Place::new();
    let defaults = place.said(&["config"], "");
    assert!(defaults.contains("passwords.min_length = 15"), "{defaults}");

    fs::write(
        place.folder().join("Leptos.toml"),
        "[passwords]\nmin_length = 20\n",
    )
    .unwrap();
    let from_file = place.said(&["config"], "");
    let line = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("passwords.min_length"))
            .unwrap()
            .to_owned()
    };
    assert!(line(&from_file).contains("20"), "{from_file}");
    assert!(line(&from_file).contains("Leptos.toml"), "{from_file}");

    let output = place
        .command(&["config"])
        .env("CLOAKROOM_PASSWORDS_MIN_LENGTH", "24")
        .env("DATABASE_URL", "postgres://ada:a-secret@127.0.0.1/x")
        .output()
        .unwrap();
    let from_environment = String::from_utf8(output.stdout).unwrap();
    assert!(line(&from_environment).contains("24"), "{from_environment}");
    assert!(
        line(&from_environment).contains("CLOAKROOM_PASSWORDS_MIN_LENGTH"),
        "{from_environment}"
    );
    assert!(!from_environment.contains("a-secret"), "{from_environment}");
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    let place = Place::new();
    fs::write(
        place.folder().join("Leptos.toml"),
        "[passwords]\nmin_lenght = 20\n",
    )
    .unwrap();
    for (variable, value, words) in [
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "soon",
            ["CLOAKROOM_PASSWORDS_MIN_LENGTH", "whole number"],
        ),
        (
            "CLOAKROOM_PASSWORDS_MIN_LENGTH",
            "7",
            ["CLOAKROOM_PASSWORDS_MIN_LENGTH", "8 to 64"],
        ),
        (
            "CLOAKROOM_SECRET_KEY",
            "12345678",
            ["CLOAKROOM_SECRET_KEY", "expected"],
        ),
        ("LEPTOS_SITE_ADDR", "nonsense", ["site-addr", "address"]),
    ] {
        let complaint = Place::new().with(variable, value).complaint(&[], "");
        for word in words {
            assert!(complaint.contains(word), "{variable}: {complaint}");
        }
        assert!(!complaint.contains("12345678"), "{complaint}");
    }
    let complaint = place.complaint(&[], "");
    for word in ["min_lenght", "Leptos.toml", "min_length"] {
        assert!(complaint.contains(word), "{word}: {complaint}");
    }
}

#[tokio::test]
async fn a_refused_authorization_request_is_logged_with_its_reason_and_told_to_the_client() {
    let mut place = Place::new();
    let browser = place.serve("info");
    assert_eq!(browser.sign_up(EMAIL, PASSWORD).await.status, 200);
    let callback = "https://wiki.example/callback";
    let added = place.said(
        &[
            "client",
            "add",
            "--name",
            "Wiki",
            "--grant-type",
            "authorization_code",
            "--redirect-uri",
            callback,
            "--scope",
            "openid",
        ],
        "",
    );
    let id = added
        .lines()
        .find_map(|line| line.strip_prefix("client_id"));
    let id = id.unwrap().trim();
    let ask = async |form: &[(&str, &str)]| {
        let link = format!("/oauth2/authorize?{}", encoded(form));
        browser.open(&link).await
    };
    let known = ("client_id", id);
    let back = ("redirect_uri", callback);
    for (form, code) in [
        (&[known, back][..], "invalid_request"),
        (
            &[known, back, ("response_type", "token")],
            "unsupported_response_type",
        ),
        (
            &[known, back, ("response_type", "code"), ("scope", "email")],
            "invalid_scope",
        ),
        (&[known, back, ("response_type", "code")], "invalid_request"),
    ] {
        let answer = ask(form).await;
        let to = answer.header("location");
        assert!(to.starts_with(callback), "{to}");
        assert_eq!(param(to, "error").as_deref(), Some(code));
        assert_described(&param(to, "error_description").unwrap(), code);
    }
    let forged = "x\" event=\"signed_in\u{1b}[31m";
    for form in [
        &[("client_id", forged), back][..],
        &[known, ("redirect_uri", "https://evil.example/secret-path")],
        &[known],
    ] {
        assert_eq!(ask(form).await.status, 400);
    }
    let log = place.stop();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("event=\"authorization_refused\""))
        .collect();
    assert_eq!(lines.len(), 7, "{log}");
    for told in [
        "reason=\"response_type is missing\"",
        "error=\"invalid_scope\"",
        "reason=\"code_challenge is missing: PKCE is required\"",
        "reason=\"redirect_uri is not one that the client registered\"",
        "reason=\"client_id names no client, or a disabled one\"",
    ] {
        let count = lines.iter().filter(|line| line.contains(told)).count();
        assert_eq!(count, 1, "{told}: {lines:#?}");
    }
    // What an attacker sends makes no line of its own, and no field.
    assert!(!log.contains("secret-path") && !log.contains('\u{1b}'));
    assert!(
        lines
            .iter()
            .any(|line| line.contains(r#"client="x\" event=\"signed_in"#))
    );
}

#[tokio::test]
async fn the_start_on_this_machine_says_which_cookie_its_ports_share() {
    let mut place = Place::new().with("CLOAKROOM_SESSION_COOKIE_SUFFIX", "shop");
    place.serve("info");
    let log = place.stop();
    assert!(log.contains("cookie=\"__Host-Http-session-shop\""), "{log}");
    assert!(log.contains("session.cookie_suffix"), "{log}");
    let place = Place::new().with("CLOAKROOM_SESSION_COOKIE_SUFFIX", "Shop; Domain=x");
    let complaint = place.complaint(&[], "");
    assert!(complaint.contains("session.cookie_suffix"), "{complaint}");
}
