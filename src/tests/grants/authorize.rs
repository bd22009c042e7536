//! What a browser is sent with, and where it is sent on to: nowhere, unless all of it is right.

use super::{CALLBACK, ISSUER, challenge, code_of, other_app, other_app_with, param, text};
use crate::app::{EMAIL, PASSWORD, TestApp, with_form};
use cloakroom::server::clients;
use reqwest::Method;

#[tokio::test]
async fn an_address_that_is_not_registered_to_the_letter_is_gone_to_by_nobody() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    for address in [
        "",
        "https://app.example/callback/",
        "https://app.example/callback?",
        "https://app.example/callback?a=b",
        "https://app.example/callback#",
        "https://app.example/callbac",
        "https://app.example/Callback",
        "https://APP.example/callback",
        "HTTPS://app.example/callback",
        "http://app.example/callback",
        "https://app.example:443/callback",
        "https://app.example:8443/callback",
        "https://app.example/x/../callback",
        "https://app.example//callback",
        "https://app.example/%63allback",
        "https://app.example@evil.example/callback",
        "https://me@app.example/callback",
        "https://app.example.evil.example/callback",
        "https://evil.example/?https://app.example/callback",
        "https://аpp.example/callback",
        "https://app.example/callback https://evil.example/",
        " https://app.example/callback",
        "javascript:alert(1)",
        "//app.example/callback",
        "/account",
    ] {
        // Signed in or not, there is a page and no way on.
        for browser in [&browser, &app.browser()] {
            let answer = browser
                .open(&other.link(&[("redirect_uri", address)]))
                .await;
            assert_eq!(answer.status, 400, "{address}");
            assert_eq!(answer.header("location"), "", "{address}");
            assert!(answer.body.contains("does not work"), "{address}");
            assert!(!answer.body.contains("http-equiv"), "{address}");
        }
    }
    // Said twice, nobody knows which is meant.
    let twice = format!(
        "{}&redirect_uri=https%3A%2F%2Fevil.example%2F",
        other.link(&[])
    );
    assert_eq!(browser.open(&twice).await.status, 400);
    assert_eq!(
        app.count("SELECT COUNT(*) FROM authorization_codes").await,
        0
    );
}

/// Longer ones the pages in between could not carry along.
#[tokio::test]
async fn a_request_that_is_asked_can_be_answered_however_long_it_is() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let begins = format!("{}&more=", other.query(&[]));
    let spare = 1_900 - begins.len();
    // A colon is one octet in an address, and three once the page has written it anew.
    for (more, fits) in [
        ("a".repeat(spare), true),
        ("a".repeat(spare + 1), false),
        (":".repeat(spare / 3), true),
        (":".repeat(spare / 2), false),
    ] {
        let query = format!("{begins}{more}");
        let link = format!("/oauth2/authorize?{query}");
        let asked = browser.open(&link).await;
        let stranger = app.browser().open(&link).await;
        assert_eq!(stranger.status, if fits { 303 } else { 400 });
        if !fits {
            assert_eq!((asked.status, asked.header("location")), (400, ""));
            continue;
        }
        assert!(asked.header("location").starts_with("/consent?"));
        for (decision, name) in [("deny", "error"), ("allow", "code")] {
            let form = [("request", &*query), ("decision", decision)];
            let said = browser.call("decide_authorization", &form).await.json();
            let answer = browser.open(text(&said, "next")).await;
            let to = answer.header("location");
            assert!(param(to, name).is_some(), "{decision}: {answer:?}");
        }
        browser
            .call("revoke_app", &[("client_id", &other.id)])
            .await;
    }
}

#[tokio::test]
async fn an_unknown_or_disabled_client_is_answered_by_a_page() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    for id in ["", "client-nobody", "../../x", "nobody"] {
        let answer = browser.open(&other.link(&[("client_id", id)])).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (400, ""),
            "{id}"
        );
    }
    clients::set_disabled(&app.state, &other.id, true)
        .await
        .unwrap();
    let answer = browser.open(&other.link(&[])).await;
    assert_eq!((answer.status, answer.header("location")), (400, ""));
}

#[tokio::test]
async fn what_is_wrong_is_told_the_client_once_somebody_has_signed_in() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    for (params, expected) in [
        (
            &[("response_type", "token")][..],
            "unsupported_response_type",
        ),
        (
            &[("response_type", "id_token")],
            "unsupported_response_type",
        ),
        (
            &[("response_type", "code token")],
            "unsupported_response_type",
        ),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("scope", "openid admin")], "invalid_scope"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("prompt", "create")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("max_age", "soon")], "invalid_request"),
        (&[("request", "a.b.c")], "request_not_supported"),
        (
            &[("request_uri", "https://evil.example/")],
            "request_uri_not_supported",
        ),
    ] {
        let link = other.link(params);
        let stranger = app.browser().open(&link).await;
        assert_eq!(stranger.status, 303);
        let to = stranger.header("location");
        assert!(to.starts_with("/sign-in?next="), "{params:?}: {to}");

        let answer = browser.open(&link).await;
        let to = answer.header("location");
        assert_eq!(answer.status, 303, "{params:?}");
        assert!(
            to.starts_with(&format!("{CALLBACK}?error={expected}&")),
            "{params:?}: {to}"
        );
        assert_eq!(param(to, "state").as_deref(), Some("the state"));
        assert_eq!(param(to, "iss").as_deref(), Some(ISSUER));
        assert_eq!(param(to, "code"), None);
    }
    assert_eq!(
        app.count("SELECT COUNT(*) FROM authorization_codes").await,
        0
    );
}

#[tokio::test]
async fn a_client_that_may_not_ask_for_codes_gets_none() {
    let app = TestApp::new().await;
    let other = other_app_with(&app, |said| {
        said.grant_types = Some(vec![clients::GrantType::ClientCredentials]);
    })
    .await;
    let browser = app.signed_up(EMAIL).await;
    let answer = browser.open(&other.link(&[])).await;
    let to = answer.header("location").to_owned();
    assert_eq!(param(&to, "error").as_deref(), Some("unauthorized_client"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_and_goes_on() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    app.signed_up(EMAIL).await;
    let browser = app.browser();
    let hint = [("login_hint", EMAIL)];
    let sent = browser.open(&other.link(&hint)).await;
    let sign_in = sent.header("location").to_owned();
    assert!(
        sign_in.starts_with("/sign-in?next=/oauth2/authorize"),
        "{sign_in}"
    );
    let page = browser.open(&sign_in).await;
    assert!(page.body.contains(&format!("value=\"{EMAIL}\"")));
    let next = param(&sign_in, "next").unwrap();
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", &next)];
    let signed_in = browser.submit(&sign_in, "sign_in", &form).await;
    assert_eq!(
        (signed_in.status, signed_in.header("location")),
        (303, &*next)
    );
    let asked = browser.open(&next).await;
    assert!(asked.header("location").starts_with("/consent?"));
    // What is no address is nobody's.
    let sent = app
        .browser()
        .open(&other.link(&[("login_hint", "<b>x</b>")]))
        .await;
    assert!(!sent.header("location").contains("email="));
}

#[tokio::test]
async fn whoever_comes_from_a_form_of_ours_leaves_by_a_page_of_ours() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    other.allowed(&browser, &[]).await;
    let from = |site: &'static str| {
        browser
            .request(Method::GET, &other.link(&[]))
            .header("accept", "text/html")
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
    };
    for site in ["cross-site", "same-site", "none"] {
        code_of(&browser.send(from(site)).await);
    }
    let page = browser.send(from("same-origin")).await;
    assert_eq!((page.status, page.header("location")), (200, ""));
    assert!(page.body.contains("http-equiv=\"refresh\""));
    assert!(page.body.contains("app.example"));
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(page.header("cache-control"), "no-store, no-transform");
}

#[tokio::test]
async fn nothing_is_asked_of_whoever_must_not_be_asked() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let silent = other.link(&[("prompt", "none")]);
    let error = async |browser: &crate::app::Browser| {
        let answer = browser.open(&silent).await;
        param(answer.header("location"), "error").unwrap()
    };
    assert_eq!(error(&app.browser()).await, "login_required");
    let browser = app.signed_up(EMAIL).await;
    assert_eq!(error(&browser).await, "consent_required");
    other.allowed(&browser, &[]).await;
    code_of(&browser.open(&silent).await);
    // Another person's id token asks about that other person.
    let grace = app.signed_up("grace@example.com").await;
    for (who, expected) in [(&grace, Some("login_required")), (&browser, None)] {
        let tokens = other.tokens(who, &[("prompt", "consent")]).await;
        let hint = [
            ("prompt", "none"),
            ("id_token_hint", text(&tokens, "id_token")),
        ];
        let answer = browser.open(&other.link(&hint)).await;
        let said = param(answer.header("location"), "error");
        assert_eq!(said.as_deref(), expected, "{}", answer.body);
    }
    app.pass(30);
    let fresh = other.link(&[("prompt", "none"), ("max_age", "20")]);
    let answer = browser.open(&fresh).await;
    assert_eq!(
        param(answer.header("location"), "error").as_deref(),
        Some("login_required")
    );
    // Nor of somebody whose session ends in that moment: this node still knows it as live.
    sqlx::query("UPDATE sessions SET ended_at = 1")
        .execute(app.state.db.pool())
        .await
        .unwrap();
    let answer = browser.open(&other.link(&[])).await;
    assert!(answer.header("location").starts_with("/sign-in?"));
    assert_eq!(error(&browser).await, "login_required");
}

#[tokio::test]
async fn a_client_that_asks_about_somebody_gets_nobody_else() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let grace = app.signed_up("grace@example.com").await;
    let hers = other.tokens(&grace, &[]).await;
    let mine = other.tokens(&browser, &[]).await;
    let asked = async |hint: &str| {
        let link = other.link(&[("id_token_hint", hint)]);
        browser.open(&link).await.header("location").to_owned()
    };
    let to = asked(text(&hers, "id_token")).await;
    assert_eq!(param(&to, "error").as_deref(), Some("login_required"));
    assert!(param(&asked(text(&mine, "id_token")).await, "code").is_some());
    // One that nobody can read any more hints at nobody: whoever is there goes on.
    assert!(param(&asked("nonsense").await, "code").is_some());
}

#[tokio::test]
async fn a_request_may_ask_for_a_fresh_sign_in() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    other.allowed(&browser, &[]).await;
    app.pass(30);
    code_of(&browser.open(&other.link(&[("max_age", "30")])).await);
    for params in [
        [("max_age", "29")],
        [("max_age", "0")],
        [("prompt", "login")],
        [("prompt", "select_account")],
    ] {
        app.pass(30);
        let asked = browser.open(&other.link(&params)).await;
        let page = asked.header("location").to_owned();
        assert!(page.starts_with("/consent?"), "{params:?}");
        let query = page.split_once('?').unwrap().1;
        // Nobody says yes before they have shown who they are.
        let form = [("request", query), ("decision", "allow")];
        let early = browser.call("decide_authorization", &form).await;
        assert_eq!(early.json()["code"], "recent_sign_in_needed");
        assert!(browser.open(&page).await.body.contains("Is it you?"));
        let described = browser
            .send(browser.request(
                Method::GET,
                &format!(
                    "/api/describe_authorization?{}",
                    crate::app::encoded(&form[..1])
                ),
            ))
            .await;
        let next = described.json()["confirm_first"]
            .as_str()
            .unwrap()
            .to_owned();
        let form = [("password", PASSWORD), ("next", &*next)];
        let confirmed = browser.submit(&page, "confirm_password", &form).await;
        assert_eq!(
            (confirmed.status, confirmed.header("location")),
            (303, &*next)
        );
        let code = code_of(&browser.open(&next).await);
        let tokens = other.redeem(&code).await.json();
        let id_token = super::claims(text(&tokens, "id_token"));
        assert_eq!(id_token["auth_time"], app.state.clock.now_s());
    }
}

#[tokio::test]
async fn another_sites_form_is_asked_once_more_by_a_link() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let challenge = challenge(super::VERIFIER);
    let form = [
        ("response_type", "code"),
        ("client_id", &other.id),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    // A browser sends no cookie along with it, and if it did nobody would look at it.
    let request = browser
        .request(Method::POST, "/oauth2/authorize")
        .header("origin", "https://app.example")
        .header("sec-fetch-site", "cross-site");
    let answer = browser.send(with_form(request, &form)).await;
    assert_eq!(answer.status, 303);
    let to = answer.header("location");
    assert!(
        to.starts_with("/oauth2/authorize?response_type=code"),
        "{to}"
    );
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(app.count("SELECT COUNT(*) FROM grants").await, 0);
    assert!(
        browser
            .open(to)
            .await
            .header("location")
            .starts_with("/consent?")
    );
}

#[tokio::test]
async fn no_other_site_reads_the_answer() {
    let app = TestApp::new().await;
    let other = other_app(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let request = browser
        .request(Method::GET, &other.link(&[]))
        .header("origin", "https://app.example");
    let answer = browser.send(request).await;
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"))
    );
    assert_eq!(answer.header("x-frame-options"), "DENY");
}
