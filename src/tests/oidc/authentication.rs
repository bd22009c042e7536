//! How a client shows who it is, and who does not get past that.

use super::{GRANT, Service, ask, assert_refused, basic, part, registration, service, token};
use crate::app::{COOKIE, EMAIL, TestApp, with_form};
use cloakroom::server::clients::{self, GrantType, NewAuthentication};
use reqwest::Method;

/// A program on somebody's device, which shows nothing.
async fn public_client(app: &TestApp) -> String {
    let mut said = registration(NewAuthentication::None);
    said.grant_types = Some(vec![GrantType::AuthorizationCode]);
    said.redirect_uris = Some(vec!["com.example.app:/signed-in".to_owned()]);
    clients::add(&app.state, said).await.unwrap().0
}

#[tokio::test]
async fn a_secret_is_taken_in_the_header_and_in_the_form() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let in_header = ask(&app, "/oauth2/token", Some(&service.basic()), &[GRANT]).await;
    let form = [
        GRANT,
        ("client_id", &*service.id),
        ("client_secret", &*service.secret),
    ];
    let in_form = ask(&app, "/oauth2/token", None, &form).await;
    // Named twice, it is the same client.
    let form = [GRANT, ("client_id", &*service.id)];
    let twice = ask(&app, "/oauth2/token", Some(&service.basic()), &form).await;
    // Encoded as a form before it is joined, as the standard has it (RFC 6749, 2.3.1).
    let encoded = basic(&service.id.replace('-', "%2D"), &service.secret);
    let encoded = ask(&app, "/oauth2/token", Some(&encoded), &[GRANT]).await;
    for answer in [in_header, in_form, twice, encoded] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store, no-transform");
        assert_eq!(answer.json()["token_type"], "Bearer");
    }
}

#[tokio::test]
async fn whoever_shows_the_wrong_thing_is_refused_alike() {
    let app = TestApp::new().await;
    let (one, other) = (service(&app).await, service(&app).await);
    let public = public_client(&app).await;
    let wrong = |id: &str, secret: &str| Some(basic(id, secret));
    for (what, authorization, form) in [
        ("nothing", None, vec![GRANT]),
        ("its id alone", None, vec![GRANT, ("client_id", &*one.id)]),
        ("a wrong secret", wrong(&one.id, "cs_wrong"), vec![GRANT]),
        ("no secret", wrong(&one.id, ""), vec![GRANT]),
        ("another's", wrong(&one.id, &other.secret), vec![GRANT]),
        ("nobody", wrong("client-nobody", &one.secret), vec![GRANT]),
        ("no client's id", wrong("x", &one.secret), vec![GRANT]),
        ("a public one's", wrong(&public, "secret"), vec![GRANT]),
        ("a bearer", Some("Bearer abc".to_owned()), vec![GRANT]),
        ("no base64", Some("Basic ~~~".to_owned()), vec![GRANT]),
        (
            "a wrong secret in the form",
            None,
            vec![GRANT, ("client_id", &one.id), ("client_secret", "wrong")],
        ),
        (
            "a secret of nobody's",
            None,
            vec![GRANT, ("client_secret", &one.secret)],
        ),
    ] {
        let answer = ask(&app, "/oauth2/token", authorization.as_deref(), &form).await;
        assert_refused(&answer, 401, "invalid_client", what);
    }
    // Two ways at once.
    let form = [GRANT, ("client_secret", &*one.secret)];
    let twice = ask(&app, "/oauth2/token", Some(&one.basic()), &form).await;
    assert_refused(&twice, 400, "invalid_request", "a secret in both places");
    let form = [GRANT, ("client_assertion", "a.b.c")];
    let twice = ask(&app, "/oauth2/token", Some(&one.basic()), &form).await;
    assert_refused(&twice, 400, "invalid_request", "a secret and an assertion");
    let form = [GRANT, ("client_id", &*other.id)];
    let two = ask(&app, "/oauth2/token", Some(&one.basic()), &form).await;
    assert_refused(&two, 400, "invalid_request", "two clients");
    // In the address it has no say, where logs and histories would keep it.
    let path = format!(
        "/oauth2/token?client_id={}&client_secret={}",
        one.id, one.secret
    );
    let answer = ask(&app, &path, None, &[GRANT]).await;
    assert_refused(&answer, 401, "invalid_client", "a secret in the address");
}

#[tokio::test]
async fn a_disabled_client_is_refused_at_the_next_request() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    token(&app, &service).await;
    clients::set_disabled(&app.state, &service.id, true)
        .await
        .unwrap();
    let answer = ask(&app, "/oauth2/token", Some(&service.basic()), &[GRANT]).await;
    assert_refused(&answer, 401, "invalid_client", "disabled");
    clients::set_disabled(&app.state, &service.id, false)
        .await
        .unwrap();
    token(&app, &service).await;
    // A new secret: the one before is refused at once.
    let said = clients::Registration {
        authentication: Some(NewAuthentication::ClientSecret),
        ..Default::default()
    };
    let new = clients::edit(&app.state, &service.id, said).await.unwrap();
    let answer = ask(&app, "/oauth2/token", Some(&service.basic()), &[GRANT]).await;
    assert_refused(&answer, 401, "invalid_client", "an old secret");
    let renewed = Service {
        secret: new.unwrap().reveal().to_owned(),
        ..service
    };
    token(&app, &renewed).await;
}

#[tokio::test]
async fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let send = async |content_type: &str, body: String| {
        let browser = app.browser();
        let request = browser
            .request(Method::POST, "/oauth2/token")
            .header("authorization", service.basic())
            .header("content-type", content_type)
            .body(body);
        browser.send(request).await
    };
    let form = "application/x-www-form-urlencoded";
    let many: Vec<String> = (0..40).map(|at| format!("p{at}=v")).collect();
    for (content_type, body, status) in [
        (
            form,
            "grant_type=client_credentials&grant_type=client_credentials",
            400,
        ),
        (form, "grant_type=client_credentials&scope=a&scope=b", 400),
        (form, "", 400),
        (form, "grant_type=", 400),
        (form, &*many.join("&"), 400),
        (
            "application/json",
            r#"{"grant_type":"client_credentials"}"#,
            400,
        ),
        ("text/plain", "grant_type=client_credentials", 400),
        (form, &*format!("grant_type={}", "x".repeat(70_000)), 413),
    ] {
        let answer = send(content_type, body.to_owned()).await;
        assert_refused(&answer, status, "invalid_request", content_type);
    }
    let charset = format!("{form}; charset=UTF-8");
    let answer = send(&charset, "grant_type=client_credentials".to_owned()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn strangers_are_bounded_and_do_not_keep_clients_out() {
    let app = TestApp::with(|config| config.limits.client_failures_per_address = 3).await;
    let service = service(&app).await;
    let wrong = basic(&service.id, "cs_wrong");
    for _ in 0..3 {
        let answer = ask(&app, "/oauth2/token", Some(&wrong), &[GRANT]).await;
        assert_refused(&answer, 401, "invalid_client", "a wrong secret");
    }
    let answer = ask(&app, "/oauth2/token", Some(&wrong), &[GRANT]).await;
    assert_refused(&answer, 429, "temporarily_unavailable", "one more");
    assert!(!answer.header("retry-after").is_empty());
    token(&app, &service).await;
    app.pass(60);
    let answer = ask(&app, "/oauth2/token", Some(&wrong), &[GRANT]).await;
    assert_refused(&answer, 401, "invalid_client", "a minute later");
}

#[tokio::test]
async fn a_client_may_ask_so_often_and_no_more() {
    let app = TestApp::with(|config| config.limits.tokens_per_client = 2).await;
    let (one, other) = (service(&app).await, service(&app).await);
    token(&app, &one).await;
    token(&app, &one).await;
    let answer = ask(&app, "/oauth2/token", Some(&one.basic()), &[GRANT]).await;
    assert_refused(&answer, 429, "temporarily_unavailable", "a third");
    token(&app, &other).await;
}

#[tokio::test]
async fn a_client_that_proves_nothing_is_kept_out_by_no_stranger_who_names_it() {
    let app = TestApp::with(|config| {
        config.limits.tokens_per_client = 2;
        config.server.trusted_proxy_hops = 1;
    })
    .await;
    let id = public_client(&app).await;
    let ask_from = async |address: &str| {
        let browser = app.browser();
        let request = browser
            .request(Method::POST, "/oauth2/token")
            .header("x-forwarded-for", address);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &id),
            ("code", "co_x"),
            ("redirect_uri", "com.example.app:/signed-in"),
            (
                "code_verifier",
                "a-verifier-of-at-least-forty-three-characters",
            ),
        ];
        browser.send(with_form(request, &form)).await
    };
    for _ in 0..2 {
        let answer = ask_from("192.0.2.1").await;
        assert_refused(&answer, 400, "invalid_grant", "a stranger");
    }
    let answer = ask_from("192.0.2.1").await;
    assert_refused(&answer, 429, "temporarily_unavailable", "one more");
    let answer = ask_from("192.0.2.2").await;
    assert_refused(&answer, 400, "invalid_grant", "somebody else");
}

#[tokio::test]
async fn no_client_is_a_person_and_no_token_is_a_session() {
    let app = TestApp::new().await;
    let service = service(&app).await;
    let browser = app.signed_up(EMAIL).await;
    let user = part(&browser.session().unwrap(), 1)["sub"].clone();
    assert_eq!(user.as_str().unwrap().len(), 22);
    assert!(service.id.starts_with("client-"), "{}", service.id);
    let token = token(&app, &service).await;
    assert_eq!(part(&token, 1)["sub"], *service.id);
    // In the cookie it is nothing.
    let thief = app.browser();
    thief.plant(COOKIE, &token);
    assert_eq!(thief.viewer().await, None);
    // And in the header of what answers to the cookie alone.
    let request = app
        .browser()
        .request(Method::GET, "/api/list_sessions")
        .header("authorization", format!("Bearer {token}"));
    assert_eq!(browser_less(&app, request).await, 401);
    // A session is nothing where tokens are asked for.
    let session = browser.session().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*service.id),
    ];
    let request = browser.request(Method::POST, "/oauth2/token");
    let answer = browser.send(with_form(request, &form)).await;
    assert_refused(&answer, 401, "invalid_client", "a cookie");
    let bearer = format!("Bearer {session}");
    let answer = ask(&app, "/oauth2/token", Some(&bearer), &[GRANT]).await;
    assert_refused(&answer, 401, "invalid_client", "a session as a bearer");
}

async fn browser_less(app: &TestApp, request: reqwest::RequestBuilder) -> u16 {
    app.browser().send(request).await.status
}
