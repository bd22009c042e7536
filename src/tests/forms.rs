//! Every flow without JavaScript (promise 7).

use crate::app::{Browser, EMAIL, PASSWORD, TestApp, with_form};
use reqwest::Method;

#[tokio::test]
async fn a_form_that_is_refused_comes_back_with_what_was_typed_and_no_password() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let typed = "Somebody+<b>@Example.com";
    let answer = browser
        .submit(
            "/sign-up",
            "sign_up",
            &[("email", typed), ("password", "secret words")],
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-up")
    );
    let [cookie] = answer.set_cookies()[..] else {
        panic!()
    };
    assert!(cookie.starts_with("__Host-Http-form="));
    assert!(cookie.ends_with("; HttpOnly; Secure; SameSite=Lax; Path=/; Max-Age=60"));

    let page = browser.open("/sign-up").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("Use at least 15 characters."),
        "{}",
        page.body
    );
    assert!(
        page.body
            .contains("Enter an e-mail address, like name@example.com.")
    );
    assert!(
        page.body.contains("Somebody+&lt;b&gt;@Example.com")
            || page.body.contains("value=\"Somebody+<b>@Example.com\"")
    );
    assert!(!page.body.contains("secret words"));
    // The program would not know of the form, so it does not take this page over.
    assert!(!page.body.contains("hydrate()"));
    // It is shown once.
    let again = browser.open("/sign-up").await;
    assert!(again.body.contains("hydrate()"));
    assert!(!again.body.contains("Use at least 15 characters."));
    assert!(!again.body.contains("Somebody"));
}

#[tokio::test]
async fn sign_up_sign_out_and_sign_in_go_on_by_303() {
    let app = TestApp::new().await;
    let browser = app.browser();
    let form = [("email", EMAIL), ("password", PASSWORD)];
    let answer = browser.submit("/sign-up", "sign_up", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account?done=signed_up")
    );
    let page = browser.open("/account?done=signed_up").await;
    assert!(
        page.body
            .contains("Your account is ready, and you are signed in on this device.")
    );
    assert!(page.body.contains(EMAIL));
    assert!(page.body.contains("This device"));

    let answer = browser.submit("/account", "sign_out", &[]).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/?done=signed_out")
    );
    assert!(
        browser
            .open("/?done=signed_out")
            .await
            .body
            .contains("You are signed out.")
    );

    let wrong = [
        ("email", EMAIL),
        ("password", "another lamp over six stairs"),
    ];
    let answer = browser
        .submit("/sign-in?next=/account", "sign_in", &wrong)
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in?next=/account")
    );
    let page = browser.open("/sign-in?next=/account").await;
    assert!(
        page.body
            .contains("That e-mail address and password do not match.")
    );
    assert!(page.body.contains(&format!("value=\"{EMAIL}\"")));

    let answer = browser.submit("/sign-in", "sign_in", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account")
    );
}

#[tokio::test]
async fn a_link_does_not_make_a_page_say_what_is_not_so() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let home = browser.open("/?done=signed_out").await;
    assert!(!home.body.contains("You are signed out."));
    app.pass(700);
    let account = browser.open("/account?done=signed_up").await;
    assert!(account.body.contains(EMAIL));
    assert!(!account.body.contains("Your account is ready"));
}

#[tokio::test]
async fn whoever_is_signed_in_still_sees_why_another_sign_in_failed() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let form = [("email", "other@example.com"), ("password", PASSWORD)];
    let answer = browser.submit("/sign-in", "sign_in", &form).await;
    assert_eq!(answer.header("location"), "/sign-in");
    let page = browser.open("/sign-in").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("That e-mail address and password do not match.")
    );
    assert_eq!(
        browser.open("/sign-in").await.header("location"),
        "/account"
    );
}

#[tokio::test]
async fn what_comes_back_fits_into_a_cookie() {
    let app = TestApp::new().await;
    let control = "\u{1}".repeat(1000);
    let long = "x".repeat(1000);
    for (email, password) in [
        (control.as_str(), "short"),
        (long.as_str(), "short"),
        ("nonsense", long.as_str()),
    ] {
        let browser = app.browser();
        let form = [("password", password), ("email", email)];
        let answer = browser.submit("/sign-up", "sign_up", &form).await;
        assert_eq!(answer.status, 303);
        assert!(answer.set_cookies()[0].len() < 4096);
        let page = browser.open("/sign-up").await;
        let told = ["Enter an e-mail address", "at most", "invisible character"];
        assert!(
            told.iter().any(|words| page.body.contains(words)),
            "{email}"
        );
    }
    let many = "email=&".repeat(9000);
    let browser = app.browser();
    let request = browser
        .request(Method::POST, "/api/sign_up")
        .header("origin", &app.url)
        .header("referer", format!("{}/sign-up", app.url))
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(many);
    let answer = browser.send(request).await;
    assert_eq!(answer.header("location"), "/sign-up");
    assert!(answer.set_cookies()[0].len() < 4096);
}

#[tokio::test]
async fn a_field_that_is_too_large_to_be_deflated_does_not_come_back() {
    let app = TestApp::new().await;
    let comes_back = [(1_000, true), (60_000, false)];
    for (length, is_kept) in comes_back {
        let browser = app.browser();
        let email = "x".repeat(length);
        let form = [
            ("email", &*email),
            ("password", "short"),
            ("next", "/account"),
        ];
        let answer = browser.submit("/sign-up", "sign_up", &form).await;
        assert_eq!(answer.header("location"), "/sign-up");
        let page = browser.open("/sign-up").await.body;
        let told = ["Enter an e-mail address", "Use at most 254 characters."];
        assert!(told.iter().any(|it| page.contains(it)), "{length}");
        assert!(page.contains("Use at least 15 characters."), "{length}");
        assert_eq!(page.contains(&"x".repeat(1_000)), is_kept, "{length}");
    }
}

#[tokio::test]
async fn next_is_a_path_of_ours_or_it_is_ignored() {
    let app = TestApp::new().await;
    app.signed_up(EMAIL).await;
    let long = format!("/{}", "x".repeat(10_000));
    for (next, expected) in [
        ("/account?tab=1", "/account?tab=1"),
        ("//evil.example", "/account"),
        ("/\\evil.example", "/account"),
        ("/%0a//evil", "/%0a//evil"),
        ("\\/evil", "/account"),
        ("javascript:alert(1)", "/account"),
        ("https:evil.example", "/account"),
        ("https://evil.example", "/account"),
        ("/a\r\nSet-Cookie: x=y", "/account"),
        ("/a b", "/account"),
        ("", "/account"),
        (long.as_str(), "/account"),
    ] {
        let form = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let answer = app.browser().submit("/sign-in", "sign_in", &form).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, expected),
            "{next:?}"
        );
        let browser = app.browser();
        let answer = browser.call("sign_in", &form).await;
        // It leads past the check of the cookie, as far as the address has room for that.
        let to = answer.json()["next"].as_str().unwrap().to_owned();
        let answer = browser.open(&to).await;
        assert_eq!(answer.header("location"), expected, "{next:?}");
    }
}

#[tokio::test]
async fn a_foreign_page_is_never_gone_back_to() {
    let app = TestApp::new().await;
    for referer in [
        "https://evil.example/",
        "http://evil.example@127.0.0.1/",
        "//evil",
        "nonsense",
        "",
        "http://127.0.0.1.evil.example/",
    ] {
        let browser = app.browser();
        let request = browser
            .request(Method::POST, "/api/sign_in")
            .header("accept", "text/html")
            .header("referer", referer);
        let answer = browser
            .send(with_form(request, &[("email", "x"), ("password", "")]))
            .await;
        assert_eq!(answer.header("location"), "", "{referer}");
        assert_eq!(answer.status, 422, "{referer}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test]
async fn text_from_the_url_is_never_shown() {
    let app = TestApp::new().await;
    let planted = "eyJjb2RlIjoid3JvbmdfZW1haWxfb3JfcGFzc3dvcmQifQ==";
    for query in [
        "__path=/api/sign_in&__err=",
        "next=/&__path=%2Fapi%2Fsign_in&__err=",
        "__path=/api/sign_in&__%65rr=",
        "__path=/api/sign_in&%5f_err=",
    ] {
        let answer = app
            .browser()
            .open(&format!("/sign-in?{query}{planted}"))
            .await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, "/sign-in")
        );
    }
    let forged = app.browser();
    forged.plant("__Host-Http-form", planted);
    assert!(!forged.open("/sign-in").await.body.contains("do not match"));
}

#[tokio::test]
async fn a_form_names_its_page_and_comes_back_to_it_where_no_referer_does() {
    let app = TestApp::new().await;
    let page = "/sign-in?next=/account/keys%3Fa%3D1%26b%3D%2B";
    let html = app.browser().open(page).await.body;
    let named = "<input type=\"hidden\" name=\"page\" value=\"/sign-in?next=/account/keys%3Fa%3D1%26b%3D%2B\">";
    assert!(html.contains(named), "{html}");
    for (referer, host) in [
        (None, None),
        (Some(format!("{}/", app.url)), None),
        (Some(format!("{}/sign-up", app.url)), Some("upstream:3000")),
        (Some("https://evil.example/sign-up".to_owned()), None),
    ] {
        let browser = app.browser();
        let mut request = browser
            .request(Method::POST, "/api/sign_in")
            .header("origin", &app.url)
            .header("sec-fetch-site", "same-origin")
            .header("accept", "text/html");
        for (name, value) in [("referer", referer.as_deref()), ("host", host)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let form = [
            ("page", page),
            ("email", "typed@example.com"),
            ("password", ""),
        ];
        let answer = browser.send(with_form(request, &form)).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, page),
            "{referer:?} {host:?}"
        );
        let shown = browser.open(page).await.body;
        assert!(shown.contains("value=\"typed@example.com\""), "{shown}");
        assert!(shown.contains("Fill this in."));
    }
}

#[tokio::test]
async fn a_form_comes_back_to_no_page_of_another_site() {
    let app = TestApp::new().await;
    for page in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "",
        "/a\r\nSet-Cookie: x=y",
    ] {
        let form = [("page", page), ("email", "x"), ("password", "")];
        // What the form says of itself is no path of ours, so its `Referer` counts.
        let answer = app.browser().submit("/sign-in", "sign_in", &form).await;
        assert_eq!(answer.header("location"), "/sign-in", "{page:?}");
    }
}

#[tokio::test]
async fn the_page_of_a_form_is_without_the_word_of_an_earlier_success() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let html = browser.open("/account?done=signed_up").await.body;
    assert!(html.contains("name=\"page\" value=\"/account\""), "{html}");
}

/// Fields that browser extensions, firewalls and password managers add to forms.
const FOREIGN: [(&str, &str); 10] = [
    ("g-recaptcha-response", "x"),
    ("__RequestVerificationToken", "x"),
    ("utf8", "\u{2713}"),
    ("X", "1"),
    ("[0]", "1"),
    ("fields[a][b]", "1"),
    ("fields[]", "2"),
    ("_wp_nonce", "3"),
    ("_wp_nonce", "4"),
    ("", ""),
];

#[tokio::test]
async fn fields_that_no_argument_names_are_ignored() {
    let app = TestApp::new().await;
    let with_foreign = |own: &[(&'static str, &'static str)]| [own, &FOREIGN[..]].concat();
    let form = with_foreign(&[("email", EMAIL), ("password", PASSWORD)]);
    assert_eq!(app.browser().call("sign_up", &form).await.status, 200);
    let browser = app.browser();
    let answer = browser.submit("/sign-in", "sign_in", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/account")
    );
    let form = with_foreign(&[
        ("label", "a program"),
        ("scopes", "profile:read"),
        ("scopes", "sessions:read"),
        ("expires_in_days", "1"),
    ]);
    let answer = browser.call("create_api_key", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Refused for its password alone, with all that was typed.
    let form = with_foreign(&[("email", "new@example.com"), ("password", "short")]);
    let browser = app.browser();
    let answer = browser.submit("/sign-up", "sign_up", &form).await;
    assert_eq!(answer.header("location"), "/sign-up");
    let page = browser.open("/sign-up").await.body;
    assert!(page.contains("Use at least 15 characters.") && page.contains("new@example.com"));
}

#[tokio::test]
async fn an_argument_that_cannot_be_read_is_an_error() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_account_and_address = 1000).await;
    let browser = app.signed_up(EMAIL).await;
    let account = [("email", EMAIL), ("password", PASSWORD)];
    let key = [("label", "typed"), ("scopes", "profile:read")];
    for (function, form, more) in [
        ("sign_in", &account[..], ("email", "second@example.com")),
        ("sign_in", &account, ("email[]", EMAIL)),
        ("sign_in", &account, ("[email]", EMAIL)),
        ("sign_in", &account, ("password[0]", PASSWORD)),
        ("sign_in", &account, ("keep_me_signed_in[]", "true")),
        ("sign_in", &account[..1], ("Password", PASSWORD)),
        ("create_api_key", &key, ("expires_in_days", "a week")),
        ("create_api_key", &key, ("expires_in_days", "-1")),
        ("create_api_key", &key, ("label", "again")),
        ("create_api_key", &key, ("scopes[]", "profile:read")),
    ] {
        let form = [form, &[more]].concat();
        let answer = browser.call(function, &form).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (400, Some("bad_request")),
            "{function} {more:?}"
        );
        let page = if function == "sign_in" {
            "/sign-in"
        } else {
            "/account/keys"
        };
        let answer = browser.submit(page, function, &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, page));
        let shown = browser.open(page).await.body;
        let typed = if function == "sign_in" {
            EMAIL
        } else {
            "typed"
        };
        assert!(
            shown.contains("That could not be read.")
                && shown.contains(&format!("value=\"{typed}\"")),
            "{function} {more:?}"
        );
    }
    // Octets that are no UTF-8 would be read as other characters.
    let request = browser
        .request(Method::POST, "/api/sign_in")
        .header("origin", &app.url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("email=ada%40example.com&password=%FF");
    assert_eq!(browser.send(request).await.status, 400);
    assert!(browser.list_api_keys().await.is_empty());
}

/// What a page without JavaScript does whose browser was signed out meanwhile.
async fn submit_signed_out(
    browser: &Browser,
    page: &str,
    function: &str,
    form: &[(&str, &str)],
) -> String {
    let answer = browser.submit(page, function, form).await;
    assert_eq!(answer.status, 303, "{function}");
    answer.header("location").to_owned()
}

/// Ends the session, but leaves the browser its cookie.
async fn sign_out_elsewhere(app: &TestApp) {
    app.tamper("UPDATE sessions SET ended_at = 1, end_reason = 'ended' WHERE ended_at IS NULL")
        .await;
}

#[tokio::test]
async fn what_was_typed_waits_for_its_user_to_sign_in_again() {
    let app = TestApp::new().await;
    for (page, function, form, shown) in [
        (
            "/account/keys",
            "create_api_key",
            &[
                ("label", "backup script"),
                ("scopes", "profile:read"),
                ("scopes", "keys:read"),
                ("expires_in_days", "7"),
            ][..],
            &[
                "value=\"backup script\"",
                "value=\"profile:read\" checked",
                "value=\"keys:read\" checked",
                "value=\"7\" selected",
            ][..],
        ),
        (
            "/account/keys",
            "confirm_password",
            &[
                ("password", PASSWORD),
                ("next", "/account/keys"),
                ("then", "create_api_key"),
                ("label", "backup script"),
                ("scopes", "profile:read keys:read"),
                ("expires_in_days", "7"),
            ],
            &[
                "value=\"backup script\"",
                "value=\"profile:read\" checked",
                "value=\"keys:read\" checked",
                "value=\"7\" selected",
            ],
        ),
        (
            "/account/security",
            "change_password",
            &[
                ("current_password", PASSWORD),
                ("new_password", "another lamp over eight stairs"),
                ("keep_others", "true"),
            ],
            &["id=\"keep_others\" type=\"checkbox\" name=\"keep_others\" value=\"true\" checked"],
        ),
        (
            "/account/sessions",
            "confirm_password",
            &[
                ("password", PASSWORD),
                ("then", "end_session"),
                ("id", "any"),
            ],
            &[],
        ),
    ] {
        let what = format!("{page} {function}");
        let email = format!("{}@example.com", what.replace([' ', '/'], "."));
        let browser = app.signed_up(&format!("a{email}")).await;
        sign_out_elsewhere(&app).await;
        let sign_in = submit_signed_out(&browser, page, function, form).await;
        assert_eq!(sign_in, format!("/sign-in?next={page}"));
        let told = browser.open(&sign_in).await.body;
        assert!(
            told.contains("You were signed out. Sign in to go on."),
            "{what}"
        );
        // A wrong password, and the page opened once more, lose nothing.
        let wrong = [("email", EMAIL), ("password", "wrong"), ("next", page)];
        let answer = browser.submit(&sign_in, "sign_in", &wrong).await;
        assert_eq!(answer.header("location"), sign_in, "{what}");
        for _ in 0..2 {
            assert_eq!(browser.open(&sign_in).await.status, 200);
        }
        let right = [
            ("email", &*format!("a{email}")),
            ("password", PASSWORD),
            ("next", page),
        ];
        let answer = browser.submit(&sign_in, "sign_in", &right).await;
        assert_eq!(answer.header("location"), page, "{what}");
        let body = browser.open(page).await.body;
        assert!(
            body.contains("You had been signed out, so this was not done."),
            "{what} {body}"
        );
        for shown in shown {
            assert!(body.contains(shown), "{what} {shown} {body}");
        }
        assert!(!body.contains(PASSWORD) && !body.contains("another lamp"));
        // It is shown once.
        let again = browser.open(page).await.body;
        assert!(!again.contains("this was not done"), "{what}");
        assert_eq!(app.count("SELECT COUNT(*) FROM api_keys").await, 0);
    }
}

#[tokio::test]
async fn what_was_typed_waits_after_an_idle_hour_and_after_a_whole_day() {
    for seconds in [3_601, 90_000] {
        let app = TestApp::new().await;
        let browser = app.signed_up(EMAIL).await;
        app.pass(seconds);
        let form = [("label", "half a thought")];
        let sign_in = submit_signed_out(&browser, "/account/keys", "create_api_key", &form).await;
        browser.open(&sign_in).await;
        assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.status, 200);
        let page = browser.open("/account/keys").await.body;
        assert!(page.contains("value=\"half a thought\""), "{seconds}");
    }
}

#[tokio::test]
async fn what_was_typed_is_shown_to_no_other_account() {
    let app = TestApp::new().await;
    app.signed_up("grace@example.com").await;
    let browser = app.signed_up(EMAIL).await;
    sign_out_elsewhere(&app).await;
    let form = [("label", "half a thought")];
    let sign_in = submit_signed_out(&browser, "/account/keys", "create_api_key", &form).await;
    browser.open(&sign_in).await;
    browser.sign_in("grace@example.com", PASSWORD).await;
    let page = browser.open("/account/keys").await.body;
    assert!(!page.contains("half a thought") && !page.contains("this was not done"));
    // And it is gone.
    browser.sign_in(EMAIL, PASSWORD).await;
    assert!(
        !browser
            .open("/account/keys")
            .await
            .body
            .contains("half a thought")
    );
}

#[tokio::test]
async fn what_was_typed_waits_no_longer_than_a_quarter_of_an_hour() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    sign_out_elsewhere(&app).await;
    let form = [("label", "half a thought")];
    let answer = browser
        .submit("/account/keys", "create_api_key", &form)
        .await;
    assert!(answer.set_cookies()[0].ends_with("; Max-Age=900"));
    app.pass(900);
    browser.sign_in(EMAIL, PASSWORD).await;
    assert!(
        !browser
            .open("/account/keys")
            .await
            .body
            .contains("half a thought")
    );
}

#[tokio::test]
async fn what_waits_leaves_room_in_the_head_of_a_response() {
    let app = TestApp::new().await;
    let long = "\u{1f9e5}".repeat(500);
    let query = format!("/account/keys?a={}", "x".repeat(2_000));
    for page in ["/account/keys", &query] {
        let browser = app.signed_up(&format!("a{}@example.com", page.len())).await;
        sign_out_elsewhere(&app).await;
        let form = [
            ("label", "kept"),
            ("scopes", "profile:read"),
            ("text", &long),
        ];
        let answer = browser.submit(page, "create_api_key", &form).await;
        let size: usize = answer
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        assert!(size < 3_980, "{size}");
        let sign_in = answer.header("location");
        assert!(sign_in.starts_with("/sign-in?next=/account/keys"));
        let told = browser.open(sign_in).await.body;
        assert!(told.contains("You were signed out."));
        let wrong = [("email", &*"e".repeat(2_000)), ("password", "wrong")];
        assert_eq!(browser.submit(sign_in, "sign_in", &wrong).await.status, 303);
        let email = format!("a{}@example.com", page.len());
        browser.sign_in(&email, PASSWORD).await;
        let body = browser.open(page).await.body;
        assert!(body.contains("value=\"kept\""), "{page}");
    }
}

#[tokio::test]
async fn a_page_after_a_changed_password_has_no_field_for_one() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    let page = "/account/security";
    let form = [
        ("current_password", PASSWORD),
        ("new_password", "another lamp over eight stairs"),
    ];
    let answer = browser.submit(page, "change_password", &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, page));
    let body = browser.open(page).await.body;
    assert!(body.contains("Your password was changed."));
    assert!(!body.contains("type=\"password\""), "{body}");
    assert!(body.contains("Change it again"));
    let again = browser.open(page).await.body;
    assert_eq!(again.matches("type=\"password\"").count(), 2);
}

#[tokio::test]
async fn a_page_after_a_confirmed_password_has_no_field_for_one() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    app.pass(600);
    for (then, page) in [
        ("end_other_sessions", "/account/sessions"),
        ("create_api_key", "/account/keys"),
    ] {
        let form = [
            ("password", PASSWORD),
            ("next", page),
            ("page", page),
            ("then", then),
            ("label", "a program"),
            ("scopes", "profile:read"),
            ("expires_in_days", "7"),
        ];
        let answer = browser.submit(page, "confirm_password", &form).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, &*format!("/api/{then}"))
        );
        let answer = browser.submit(page, then, &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, page));
        let body = browser.open(page).await.body;
        assert!(!body.contains("type=\"password\""), "{body}");
        app.pass(600);
    }
}

#[tokio::test]
async fn a_form_without_a_page_leads_to_the_sign_in_page_when_the_session_has_ended() {
    let app = TestApp::new().await;
    let browser = app.signed_up(EMAIL).await;
    sign_out_elsewhere(&app).await;
    let request = browser
        .request(Method::POST, "/api/change_password")
        .header("origin", &app.url)
        .header("accept", "text/html");
    let form = [("current_password", PASSWORD), ("new_password", "x")];
    let answer = browser.send(with_form(request, &form)).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in?next=/account/security")
    );
}
