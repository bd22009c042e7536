//! `cloakroom user delete`.

use crate::{
    app::{Browser, EMAIL, PASSWORD, Program},
    place::Place,
    terminal::at_a_terminal,
};

#[tokio::test]
async fn nothing_of_a_deleted_account_is_left() {
    let mut place = Place::new();
    let owner = place.serve("info");
    owner.sign_up(EMAIL, PASSWORD).await;
    let other = Browser::at(owner.url().to_owned());
    other.sign_up("grace@example.com", PASSWORD).await;
    let program = Program::new(owner.url(), &owner.key("profile:read").await);
    assert_eq!(
        owner.sign_in(EMAIL, "not this one at all").await.status,
        401
    );
    let copy = Browser::at(owner.url().to_owned());
    copy.keep(&owner);

    let complaint = place.complaint(&["user", "delete", "--email", EMAIL], "ada@example.com\n");
    assert!(complaint.contains("--yes"), "{complaint}");
    assert!(owner.viewer().await.is_some());
    let said = place.said(&["user", "delete", "--email", EMAIL, "--yes"], "");
    assert!(said.starts_with("account "), "{said}");
    assert!(
        said.ends_with(" deleted: 1 session ended, 1 API key revoked\n"),
        "{said}"
    );
    for browser in [&owner, &copy] {
        assert_eq!(browser.viewer().await, None);
    }
    assert_eq!(program.get("/v1/me").await.status, 401);
    assert_eq!(owner.call("sign_out", &[]).await.status, 200);
    assert_eq!(owner.sign_in(EMAIL, PASSWORD).await.status, 401);
    assert!(other.viewer().await.is_some());
    // The wrong password that waited to be written keeps no other from being written.
    assert_eq!(
        other
            .sign_in("grace@example.com", "nor this one either")
            .await
            .status,
        401
    );
    assert_eq!(other.list_activity().await[0], "sign_in_failed");
    let log = place.stop();
    assert!(!log.contains("not_written_yet"), "{log}");

    // A server that starts later refuses the key, whose signature is right.
    let again = place.serve("info");
    let program = Program::new(again.url(), program.key());
    assert_eq!(program.get("/v1/me").await.status, 401);
    let list = place.said(&["user", "list"], "");
    assert!(list.contains("grace@") && !list.contains("ada@"), "{list}");
    assert_eq!(again.sign_up(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(again.list_activity().await, ["signed_up"]);
    let complaint = place.complaint(&["user", "delete", "--id", "none", "--yes"], "");
    assert!(
        complaint.contains("none: there is no such account"),
        "{complaint}"
    );
}

#[test]
fn a_deletion_at_a_terminal_asks_which_account() {
    let place = Place::new();
    let id = place.said(&["user", "add", "--email", EMAIL], PASSWORD);
    let delete = ["user", "delete", "--email", EMAIL];
    let done = at_a_terminal(&place, "to go on:=yes\\r", &delete);
    assert!(
        done.starts_with('1') && done.contains("nothing was deleted"),
        "{done}"
    );
    assert!(place.said(&["user", "list"], "").contains(EMAIL));
    let done = at_a_terminal(&place, &format!("to go on:={}\\r", id.trim()), &delete);
    assert!(done.starts_with('0'), "{done}");
    assert_eq!(place.said(&["user", "list"], ""), "");
}
