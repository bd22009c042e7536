//! `cloakroom user set-password`, and the passwords that commands read.

use crate::{
    app::{EMAIL, PASSWORD, Program},
    commands::{events, without_database},
    place::Place,
    terminal::at_a_terminal,
};
use std::process::Output;

const NEW: &str = "a loud lamp under nine ladders";

fn set_password(place: &Place, more: &[&str], typed: &str) -> Output {
    let words = [&["user", "set-password", "--email", EMAIL], more].concat();
    place.run(&words, typed)
}

#[tokio::test]
async fn a_password_that_an_operator_sets_ends_every_session_and_revokes_nothing_else() {
    let mut place = Place::new();
    let owner = place.serve("info");
    owner.sign_up(EMAIL, PASSWORD).await;
    let program = Program::new(owner.url(), &owner.key("profile:read").await);
    let said = place.said(
        &["user", "set-password", "--email", EMAIL],
        &format!("{NEW}\n"),
    );
    assert_eq!(
        said,
        "1 session ended\n\
         still in place: 1 API key, 0 apps; --keys revokes and disconnects them\n"
    );
    assert_eq!(owner.viewer().await, None);
    assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(owner.sign_in(EMAIL, NEW).await.status, 200);
    assert_eq!(program.get("/v1/me").await.status, 200);
    let kinds = owner.list_activity().await;
    assert!(kinds.contains(&"password_set".to_owned()), "{kinds:?}");
    let page = owner.open("/account/activity").await.body;
    assert!(page.contains("A new password was set, and 1 device was signed out"));
    assert!(page.contains("The operator of this site"), "{page}");

    let done = set_password(&place, &["--keys"], PASSWORD);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        said,
        "1 session ended, 1 API key revoked, 0 apps disconnected\n"
    );
    assert!(events(&done).contains("event=\"password_set\""));
    assert_eq!(program.get("/v1/me").await.status, 401);
    let log = format!("{}{}", events(&done), place.stop());
    assert!(!log.contains(PASSWORD) && !log.contains(NEW), "{log}");
}

#[test]
fn passwords_on_standard_input_are_refused_in_one_sentence_each() {
    let place = Place::new();
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    for (typed, why) in [
        ("", "standard input is empty"),
        ("\n", "standard input is empty"),
        ("short\n", "password: it needs at least 15 characters"),
        ("a quiet\tlamp over seven stairs\n", "U+0009"),
        ("a quiet lamp over seven stairs\u{1b}[A\n", "U+001B"),
        ("passwordpassword\n", "choose another"),
        ("ada@example.com ada\n", "choose another"),
        (&"lamp stairs ".repeat(40), "it may have at most 256"),
    ] {
        for words in [
            &["user", "set-password", "--email", EMAIL][..],
            &["user", "add", "--email", "grace@example.com"],
        ] {
            // The address of the rule is the account's own.
            if typed.starts_with("ada") && words[1] == "add" {
                continue;
            }
            let complaint = without_database(&place.complaint(words, typed));
            assert!(complaint.contains(why), "{typed:?}: {complaint}");
            assert_eq!(complaint.lines().count(), 1, "{complaint}");
            let typed = typed.trim();
            assert!(typed.is_empty() || !complaint.contains(typed));
        }
    }
    let complaint = place.complaint(&["user", "add", "--email", "nonsense"], "short");
    for part in [
        "nonsense: mail cannot be sent to this address",
        "password: it needs",
    ] {
        assert!(complaint.contains(part), "{complaint}");
    }
    let complaint = place.complaint(&["user", "add", "--email", EMAIL], NEW);
    assert!(
        complaint.contains("ada@example.com: another account has this address"),
        "{complaint}"
    );
    // An id may begin with a hyphen.
    let by_id = ["user", "set-password", "--id", "-none"];
    let complaint = place.complaint(&by_id, NEW);
    assert!(
        complaint.contains("-none: there is no such account"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_terminal_is_asked_twice_without_echo_and_is_put_back() {
    let mut place = Place::new();
    let set = ["user", "set-password", "--email", EMAIL];
    place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let typed =
        |first: &str, second: &str| format!("New password:={first}|The same again:={second}");

    // A typed tab is no part of it, as in a browser.
    let done = at_a_terminal(
        &place,
        &typed("a loud lamp\\t under nine ladders\\r", &format!("{NEW}\\r")),
        &set,
    );
    assert!(done.starts_with("0 as it was"), "{done}");
    assert!(
        done.contains("0 sessions ended") && !done.contains("ladders"),
        "{done}"
    );

    let done = at_a_terminal(
        &place,
        &typed("one and another thing\\r", "another and one thing\\r"),
        &set,
    );
    assert!(done.starts_with("1 as it was"), "{done}");
    assert!(done.contains("the two passwords differ"), "{done}");

    for interrupted in [
        "New password:=half a pass\\x03",
        "New password:=a whole password\\r|The same again:=\\x03",
    ] {
        let done = at_a_terminal(&place, interrupted, &set);
        assert!(done.starts_with("1 as it was"), "{done}");
        assert!(done.contains("interrupted; nothing was changed"), "{done}");
    }
    let browser = place.serve("info");
    assert_eq!(browser.sign_in(EMAIL, NEW).await.status, 200);
}
