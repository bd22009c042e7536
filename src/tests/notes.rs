//! The worked example of `docs/build-on-it.md`: notes are their writer's alone.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use reqwest::Method;

/// What somebody plants in a text that others might see (security.md, row 24).
const HOSTILE: [&str; 6] = [
    "</textarea><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "abc\u{202e}gnp.exe",
    "one\ntwo & <b>three</b>",
];

async fn list(browser: &Browser) -> Answer {
    let request = browser.request(Method::GET, "/api/list_notes");
    browser.send(request).await
}

async fn texts(browser: &Browser) -> Vec<String> {
    let notes = list(browser).await.json();
    let text = |note: &serde_json::Value| note["text"].as_str().unwrap().to_owned();
    notes.as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_note_waits_for_its_writer_to_sign_in_again() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    app.pass(3_601);
    // Four octets a character, and hardly two alike.
    let characters = (0..500).filter_map(|at| char::from_u32(0x2_0000 + at * 7_919 % 0xa000));
    let long: String = characters.collect();
    let answer = ada.submit("/notes", "write_note", &[("text", &long)]).await;
    let sign_in = answer.header("location");
    assert_eq!(sign_in, "/sign-in?next=/notes");
    ada.open(sign_in).await;
    let form = [("email", EMAIL), ("password", PASSWORD), ("next", "/notes")];
    let answer = ada.submit(sign_in, "sign_in", &form).await;
    assert_eq!(answer.header("location"), "/notes");
    let page = ada.open("/notes").await.body;
    assert!(page.contains(&format!("value=\"{long}\"")), "{page}");
    assert!(page.contains("this was not done"));
    assert!(texts(&ada).await.is_empty());
}

async fn write(browser: &Browser, text: &str) -> Answer {
    browser.call("write_note", &[("text", text)]).await
}

#[tokio::test]
async fn nobody_in_particular_has_no_notes() {
    let app = TestApp::new().await;
    let nobody = app.browser();
    assert_eq!(list(&nobody).await.status, 401);
    assert_eq!(write(&nobody, "hello").await.status, 401);
    let page = nobody.open("/notes").await;
    assert_eq!(
        (page.status, page.header("location")),
        (303, "/sign-in?next=/notes")
    );
    assert_eq!(app.count("SELECT COUNT(*) FROM notes").await, 0);
}

#[tokio::test]
async fn each_sees_their_own_newest_first() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let grace = app.signed_up("grace@example.com").await;
    for text in ["first", "second"] {
        let answer = write(&ada, text).await;
        assert_eq!(
            (answer.status, answer.json()["text"].as_str()),
            (200, Some(text))
        );
        app.pass(1);
    }
    write(&grace, "of another").await;
    assert_eq!(texts(&ada).await, ["second", "first"]);
    assert_eq!(texts(&grace).await, ["of another"]);
    let page = ada.open("/notes").await;
    assert!(page.body.contains("second") && !page.body.contains("of another"));
}

#[tokio::test]
async fn the_list_is_bounded() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    for number in 0..101 {
        write(&ada, &number.to_string()).await;
        app.pass(1);
    }
    let listed = texts(&ada).await;
    assert_eq!(listed.len(), 100);
    assert_eq!((&*listed[0], &*listed[99]), ("100", "1"));
}

#[tokio::test]
async fn a_text_comes_back_to_the_letter_and_does_nothing_on_the_page() {
    let app = TestApp::new().await;
    for text in HOSTILE {
        let ada = app
            .signed_up(&format!("{}@example.com", app.state.random.id().unwrap()))
            .await;
        assert_eq!(write(&ada, text).await.status, 200, "{text}");
        assert_eq!(texts(&ada).await, [text]);
        let page = ada.open("/notes").await;
        assert_eq!(page.status, 200);
        assert_inert(&page, text);
        // In the field too, when it comes back without JavaScript for being too long.
        let long = format!("{text}{}", "x".repeat(500));
        let answer = ada.submit("/notes", "write_note", &[("text", &long)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/notes"));
        let page = ada.open("/notes").await;
        assert!(page.body.contains("Use at most 500 characters."), "{text}");
        assert_inert(&page, text);
        assert_eq!(in_the_field(&page), long);
        assert_eq!(texts(&ada).await, [text]);
    }
}

/// Every script of the page has the nonce, and no element has come from the text.
fn assert_inert(page: &Answer, text: &str) {
    assert_eq!(
        page.body.matches("<script").count(),
        scripts_with_nonce(page),
        "{text}"
    );
    for element in ["<img", "<b>", "alert(1)</script>"] {
        assert!(!page.body.contains(element), "{text}: {element}");
    }
}

fn scripts_with_nonce(page: &Answer) -> usize {
    let elements = page.body.split("<script").skip(1);
    let starts = elements.filter_map(|it| it.split('>').next());
    starts.filter(|it| it.contains(" nonce=\"")).count()
}

/// What the field of the note has in it.
fn in_the_field(page: &Answer) -> String {
    let input = page.body.split("name=\"text\"").nth(1).unwrap();
    let value = input.split(" value=\"").nth(1).unwrap();
    unescaped(value.split('"').next().unwrap())
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[tokio::test]
async fn what_cannot_be_kept_is_told_under_the_field() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    for (text, problem) in [
        ("", "missing"),
        (" \r\n ", "missing"),
        (&*"é".repeat(501), "too_long"),
        ("a\tb", "unprintable"),
        ("a\u{0}b", "unprintable"),
        ("a\u{85}b", "unprintable"),
    ] {
        let answer = write(&ada, text).await;
        assert_eq!(answer.status, 422, "{text:?}");
        let field = &answer.json()["fields"][0];
        assert_eq!(field["field"], "text");
        assert_eq!(field["problem"]["is"], problem, "{text:?}");
    }
    let most = "\u{1f9e5}".repeat(500);
    assert_eq!(write(&ada, &most).await.status, 200);
    app.pass(1);
    // Forms write a new line as two characters.
    assert_eq!(write(&ada, "a\r\nb").await.json()["text"], "a\nb");
    assert_eq!(texts(&ada).await, ["a\nb", &most]);
}

#[tokio::test]
async fn without_javascript_nothing_that_was_typed_is_lost() {
    let app = TestApp::new().await;
    let ada = app.signed_up(EMAIL).await;
    let kept = ada
        .submit("/notes", "write_note", &[("text", "kept")])
        .await;
    assert_eq!((kept.status, kept.header("location")), (303, "/notes"));
    assert!(ada.open("/notes").await.body.contains("kept"));

    // Four octets a character, and quotes, which take two in the cookie.
    for long in ["\u{1f9e5}".repeat(501), "\"".repeat(1000)] {
        let answer = ada.submit("/notes", "write_note", &[("text", &long)]).await;
        assert!(answer.set_cookies()[0].len() < 4096);
        let page = ada.open("/notes").await;
        assert!(page.body.contains("Use at most 500 characters."));
        assert_eq!(in_the_field(&page), long);
    }
    assert_eq!(texts(&ada).await, ["kept"]);
}
