//! A changed password revokes the API keys and apps that an attacker may have made.

use crate::{
    app::{Answer, Browser, EMAIL, PASSWORD, Program, TestApp},
    grants::{other_app, text},
    place::Place,
};
use reqwest::Method;

const NEW_PASSWORD: &str = "another lamp over eight stairs";
const PAGE: &str = "/account/security";
const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

/// The form that changes the password, with these further fields.
fn form<'a>(now: &'a str, new: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![("current_password", now), ("new_password", new)];
    form.extend_from_slice(more);
    form
}

async fn change(browser: &Browser, now: &str, new: &str, more: &[(&str, &str)]) -> Answer {
    let answer = browser.call("change_password", &form(now, new, more)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

/// A new key of this browser's account: its id, and a program that has it.
async fn new_key(app: &TestApp, browser: &Browser) -> (String, Program) {
    let made = browser.mint("profile:read sessions:write").await;
    let program = Program::new(&app.url, made["key"].as_str().unwrap());
    (made["id"].as_str().unwrap().to_owned(), program)
}

async fn works(program: &Program) -> bool {
    program.get("/v1/me").await.status == 200
}

/// Whether the form of this page has a box for this key or app, and whether it is ticked.
fn ticked(page: &str, id: &str) -> Option<bool> {
    let boxes = page.split("<input").filter_map(|it| it.split('>').next());
    let name = "name=\"revoke\"";
    let mut found = boxes.filter(|it| it.contains(name) && it.contains(&format!("value=\"{id}\"")));
    found.next().map(|it| it.contains(" checked"))
}

#[tokio::test]
async fn a_changed_password_revokes_keys_that_were_made_since_the_last_change() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let thief = app.browser();
    thief.sign_in(EMAIL, PASSWORD).await;
    let (_, stolen) = new_key(&app, &thief).await;
    app.pass(1);
    let answer = change(&owner, PASSWORD, NEW_PASSWORD, &[]).await.json();
    assert_eq!((&answer["count"], &answer["keys"]), (&1.into(), &1.into()));
    assert!(!works(&stolen).await);
    let kinds = owner.list_activity().await;
    for kind in ["password_changed", "api_key_revoked"] {
        assert!(kinds[..2].contains(&kind.to_owned()), "{kinds:?}");
    }
    // A key that its owner leaves in place is not taken for new at the next change.
    let (id, kept) = new_key(&app, &owner).await;
    change(&owner, NEW_PASSWORD, PASSWORD, &[("listed", &id)]).await;
    let (_, newer) = new_key(&app, &owner).await;
    assert_eq!(ticked(&owner.open(PAGE).await.body, &id), Some(false));
    let answer = change(&owner, PASSWORD, NEW_PASSWORD, &[]).await.json();
    assert_eq!(answer["keys"], 1);
    assert!(works(&kept).await && !works(&newer).await);
    let ticks = [("listed", &*id), ("revoke", &*id)];
    change(&owner, NEW_PASSWORD, PASSWORD, &ticks).await;
    assert!(!works(&kept).await);
}

#[tokio::test]
async fn changes_that_keep_other_sessions_do_not_make_an_attackers_key_or_app_count_as_kept() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let owner = app.signed_up(EMAIL).await;
    let thief = app.browser();
    thief.sign_in(EMAIL, PASSWORD).await;
    let (id, stolen) = new_key(&app, &thief).await;
    let tokens = other.tokens(&thief, &OFFLINE).await;
    let listed = format!("{id} {}", other.id);
    let fields = [("listed", &*listed), ("keep_others", "true")];
    // There and back, so that the owner's password works on.
    change(&thief, PASSWORD, NEW_PASSWORD, &fields).await;
    app.pass(1);
    change(&thief, NEW_PASSWORD, PASSWORD, &fields).await;
    assert!(works(&stolen).await);
    let page = owner.open(PAGE).await.body;
    for id in [&id, &other.id] {
        assert_eq!(ticked(&page, id), Some(true), "{page}");
    }
    // A form that listed neither revokes both.
    let answer = change(&owner, PASSWORD, NEW_PASSWORD, &[]).await.json();
    assert_eq!((&answer["keys"], &answer["apps"]), (&1.into(), &1.into()));
    assert!(!works(&stolen).await);
    let refreshed = other.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(refreshed.status, 400, "{}", refreshed.body);
}

#[tokio::test]
async fn a_key_that_was_made_after_the_form_was_loaded_is_revoked() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let (id, kept) = new_key(&app, &owner).await;
    assert_eq!(ticked(&owner.open(PAGE).await.body, &id), Some(true));
    let thief = app.browser();
    thief.sign_in(EMAIL, PASSWORD).await;
    let (_, stolen) = new_key(&app, &thief).await;
    let answer = change(&owner, PASSWORD, NEW_PASSWORD, &[("listed", &id)]).await;
    assert_eq!(answer.json()["keys"], 1);
    assert!(works(&kept).await && !works(&stolen).await);
}

#[tokio::test]
async fn ids_of_other_users_and_unknown_ids_are_ignored() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let (id, program) = new_key(&app, &owner).await;
    let mallory = app.signed_up("mallory@example.com").await;
    let (_, own) = new_key(&app, &mallory).await;
    let many = format!("{id} ").repeat(500);
    let fields = [
        ("listed", &*id),
        ("revoke", &*many),
        ("revoke", "' OR 1=1 --"),
        ("revoke_others", "true"),
    ];
    let answer = mallory
        .submit(
            PAGE,
            "change_password",
            &form(PASSWORD, NEW_PASSWORD, &fields),
        )
        .await;
    assert_eq!((answer.status, answer.header("location")), (303, PAGE));
    let page = mallory.open(PAGE).await.body;
    assert!(page.contains("1 API key was revoked."), "{page}");
    assert!(works(&program).await && !works(&own).await);
}

#[tokio::test]
async fn the_form_without_a_script_keeps_its_ticks_when_it_has_an_error() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let owner = app.signed_up(EMAIL).await;
    let (known, kept) = new_key(&app, &owner).await;
    app.pass(1);
    let (foreign, stolen) = new_key(&app, &owner).await;
    let tokens = other.tokens(&owner, &OFFLINE).await;
    let page = owner.open(PAGE).await.body;
    for id in [&known, &foreign, &other.id] {
        assert_eq!(ticked(&page, id), Some(true), "{page}");
    }
    assert!(page.contains("The Wiki") && page.contains("a program"));
    assert!(!page.contains(kept.key()), "a key in full");
    let listed = format!("{foreign} {known} {}", other.id);
    let fields = [("listed", &*listed), ("revoke", &*foreign)];
    // An attacker goes on while the owner mistypes.
    let wrong = form("not this one at all", NEW_PASSWORD, &fields);
    owner.submit(PAGE, "change_password", &wrong).await;
    let (newest, unseen) = new_key(&app, &owner).await;
    let page = owner.open(PAGE).await.body;
    assert!(page.contains("This is not your password."), "{page}");
    let ticks = [&known, &foreign, &newest, &other.id].map(|id| ticked(&page, id).unwrap());
    assert_eq!(ticks, [false, true, true, false]);
    let listed = format!("{newest} {listed}");
    let fields = [
        ("listed", &*listed),
        ("revoke", &*foreign),
        ("revoke", &*newest),
    ];
    let right = form(PASSWORD, NEW_PASSWORD, &fields);
    let answer = owner.submit(PAGE, "change_password", &right).await;
    assert_eq!((answer.status, answer.header("location")), (303, PAGE));
    let page = owner.open(PAGE).await.body;
    assert!(page.contains("Your password was changed."), "{page}");
    assert!(page.contains("2 API keys were revoked."), "{page}");
    assert!(works(&kept).await && !works(&stolen).await && !works(&unseen).await);
    // The app was listed and not ticked.
    let refreshed = other.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let list = owner.open("/account/activity").await.body;
    assert!(list.contains("2 API keys were revoked"), "{list}");
}

#[tokio::test]
async fn a_changed_password_disconnects_ticked_apps_and_those_that_were_not_listed() {
    for is_listed in [true, false] {
        let app = TestApp::new().await;
        let (wiki, mail) = (other_app(&app).await, other_app(&app).await);
        let owner = app.signed_up(EMAIL).await;
        let kept = wiki.tokens(&owner, &OFFLINE).await;
        let ended = mail.tokens(&owner, &OFFLINE).await;
        let listed = format!("{} {}", wiki.id, mail.id);
        let fields = if is_listed {
            [("listed", &*listed), ("revoke", &*mail.id)]
        } else {
            [("listed", &*wiki.id), ("revoke", "")]
        };
        app.pass(1);
        let right = form(PASSWORD, NEW_PASSWORD, &fields);
        owner.submit(PAGE, "change_password", &right).await;
        let page = owner.open(PAGE).await.body;
        assert!(page.contains("1 app was disconnected."), "{page}");
        let refresh = async |other: &crate::grants::OtherApp<'_>, tokens| {
            other.refresh(text(tokens, "refresh_token")).await.status
        };
        assert_eq!(refresh(&wiki, &kept).await, 200);
        assert_eq!(refresh(&mail, &ended).await, 400);
        assert_eq!(owner.list_apps().await.len(), 1);
        assert!(owner.list_activity().await[..2].contains(&"app_revoked".to_owned()));
    }
}

#[tokio::test]
async fn apps_of_a_session_that_a_changed_password_ends_get_nothing_even_if_they_are_kept() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let owner = app.signed_up(EMAIL).await;
    let phone = app.browser();
    phone.sign_in(EMAIL, PASSWORD).await;
    let bound = other.tokens(&phone, &[]).await;
    change(&owner, PASSWORD, NEW_PASSWORD, &[("listed", &other.id)]).await;
    assert!(!other.is_good(text(&bound, "access_token")).await);
    assert_eq!(owner.list_apps().await.len(), 1);
}

#[tokio::test]
async fn a_long_list_is_bounded_and_has_a_box_for_all_others() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let (_, program) = new_key(&app, &owner).await;
    for number in 0..60 {
        sqlx::query(
            "INSERT INTO api_keys (id, user_id, label, shown_as, scopes, created_at, expires_at, kept_at) \
             SELECT $1, user_id, label, shown_as, scopes, created_at, expires_at, 1 FROM api_keys \
             WHERE kept_at IS NULL",
        )
        .bind(format!("older-{number:016}"))
        .execute(app.state.db.pool())
        .await
        .unwrap();
    }
    let page = owner.open(PAGE).await.body;
    assert_eq!(page.matches("name=\"revoke\"").count(), 50);
    assert!(page.contains("11 more are not listed."), "{page}");
    let live = "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL";
    // Without the box, older keys that are not listed stay.
    change(&owner, PASSWORD, NEW_PASSWORD, &[]).await;
    assert!(!works(&program).await);
    assert_eq!(app.count(live).await, 60);
    let all: Vec<String> = (0..50).map(|it| format!("older-{it:016}")).collect();
    let listed = all.join(" ");
    // All ticks do not fit into the head of a response: nothing that was ticked comes back without.
    let mut fields = vec![("listed", &*listed), ("revoke_others", "true")];
    fields.extend(all.iter().map(|id| ("revoke", &**id)));
    let wrong = form("not this one at all", PASSWORD, &fields);
    let answer = owner.submit(PAGE, "change_password", &wrong).await;
    assert_eq!(answer.status, 303);
    let page = owner.open(PAGE).await.body;
    assert!(
        all.iter().all(|id| ticked(&page, id) == Some(true)),
        "{page}"
    );
    let right = form(NEW_PASSWORD, PASSWORD, &fields);
    owner.submit(PAGE, "change_password", &right).await;
    let page = owner.open(PAGE).await.body;
    assert!(page.contains("60 API keys were revoked."), "{page}");
    assert_eq!(app.count(live).await, 0);
}

#[tokio::test]
async fn an_app_that_is_used_after_a_change_is_ticked_at_the_next() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let owner = app.signed_up(EMAIL).await;
    other.tokens(&owner, &[]).await;
    change(&owner, PASSWORD, NEW_PASSWORD, &[("listed", &other.id)]).await;
    assert_eq!(ticked(&owner.open(PAGE).await.body, &other.id), Some(false));
    let again = owner.open(&other.link(&[])).await;
    assert_eq!(again.status, 303, "{}", again.body);
    assert_eq!(ticked(&owner.open(PAGE).await.body, &other.id), Some(true));
}

#[tokio::test]
async fn the_list_shows_the_names_of_keys_and_apps_as_text() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let hostile = "</script><img src=x onerror=alert(1)>";
    let fields = [
        ("label", hostile),
        ("scopes", "profile:read"),
        ("expires_in_days", "7"),
    ];
    owner.call("create_api_key", &fields).await;
    let page = owner.open(PAGE).await.body;
    assert!(page.contains("&lt;img src=x"), "{page}");
    assert!(!page.contains("<img src=x"), "{page}");
    let request = owner.request(Method::GET, "/api/list_revocable");
    let list = owner.send(request).await.json();
    assert_eq!(list["listed"][0]["name"], hostile);
}

#[tokio::test]
async fn the_activity_page_says_what_to_do_in_order() {
    let app = TestApp::new().await;
    let owner = app.signed_up(EMAIL).await;
    let page = owner.open("/account/activity").await.body;
    let (_, advice) = page.split_once("If something here was not you").unwrap();
    let at = |link: &str| advice.find(&format!("href=\"{link}\"")).unwrap();
    assert!(at(PAGE) < at("/account/keys") && at("/account/keys") < at("/account/apps"));
}

#[tokio::test]
async fn an_operator_signs_out_an_account_and_revokes_its_keys() {
    let mut place = Place::new();
    let owner = place.serve("info");
    owner.sign_up(EMAIL, PASSWORD).await;
    let program = Program::new(owner.url(), &owner.key("profile:read").await);
    let said = place.said(&["user", "sign-out", "--email", EMAIL], "");
    assert!(said.starts_with("1 session ended\n"), "{said}");
    assert!(
        said.contains("1 API key still works") && said.contains("--keys"),
        "{said}"
    );
    assert!(works(&program).await);
    owner.sign_in(EMAIL, PASSWORD).await;
    let said = place.said(&["user", "sign-out", "--email", EMAIL, "--keys"], "");
    assert_eq!(said.trim(), "1 session ended, 1 API key revoked");
    assert_eq!(owner.viewer().await, None);
    assert!(!works(&program).await);
    let said = place.said(&["user", "sign-out", "--email", EMAIL, "--keys"], "");
    assert_eq!(said.trim(), "0 sessions ended, 0 API keys revoked");
    let complaint = place.complaint(&["user", "sign-out", "--all", "--keys"], "");
    assert!(complaint.contains("--keys"), "{complaint}");
}
