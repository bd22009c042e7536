//! Addresses in the scripts of the world: one account in whatever form an address is typed.

use crate::app::{PASSWORD, TestApp};
use cloakroom::server::fields::Email;
use reqwest::Method;
use unicode_normalization::UnicodeNormalization;

/// Another password.
const OTHER: &str = "another lamp over six stairs";

/// Names in 24 scripts, in normal form C where they have one.
const NAMES: [&str; 40] = [
    // Latin
    "josé.muñoz",
    "zoë",
    "łukasz",
    "nguyễn.văn",
    "gal·la",
    "straße",
    "ışık",
    // Greek, Cyrillic, Armenian, Georgian
    "νίκος",
    "алексей",
    "зоряна-ї",
    "արամ",
    "ნინო",
    // Hebrew, Arabic, Persian, Urdu, Thaana
    "דָּוִד",
    "ג׳ורג׳",
    "أحمد",
    "علی\u{200c}رضا",
    "عائشہ",
    "އަޙްމަދު",
    // Devanagari, Bengali, Gurmukhi, Gujarati, Tamil, Telugu, Kannada, Malayalam, Sinhala
    "प्रियंका",
    "फ़ातिमा",
    "রবীন্দ্র",
    "র\u{200d}্যাব",
    "ਗੁਰਪ੍ਰੀਤ",
    "પ્રિયા",
    "தமிழ்",
    "கொடி",
    "శ్రీను",
    "ಮೋಹನ್",
    "മോഹൻ",
    "ශ්\u{200d}රීමති",
    // Thai, Lao, Khmer, Burmese, Tibetan
    "น้ำฝน",
    "ນ້ຳ",
    "ស្រីមុំ",
    "မောင်မောင်",
    "བསྟན་འཛིན",
    // Korean, Japanese, Chinese, Ethiopic, Mongolian
    "김철수",
    "がく.ジョージ",
    "王小明",
    "አበበ",
    "ᠲᠡᠮᠦᠵᠢᠨ",
];

#[tokio::test]
async fn an_address_in_any_script_is_one_account_in_both_normal_forms() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_account_and_address = 1000).await;
    for (at, name) in NAMES.iter().enumerate() {
        let composed: String = format!("{name}@bücher-{at}.example").nfc().collect();
        let decomposed: String = composed.nfd().collect();
        // Half of them sign up as macOS types, the other half as others do.
        let (signs_up, twin) = if at % 2 == 0 {
            (&decomposed, &composed)
        } else {
            (&composed, &decomposed)
        };
        app.signed_up(signs_up).await;
        let ascii = idna::domain_to_ascii_strict(&format!("bücher-{at}.example")).unwrap();
        let (local, _) = composed.rsplit_once('@').unwrap();
        let punycode = format!("{local}@{ascii}");
        for spelling in [signs_up, twin, &format!("  {punycode}\u{3000}")] {
            let browser = app.browser();
            let answer = browser.sign_in(spelling, PASSWORD).await;
            assert_eq!(answer.status, 200, "{spelling}: {}", answer.body);
            assert_eq!(browser.viewer().await.as_ref(), Some(&composed));
        }
        let again = app.browser().sign_up(twin, OTHER).await;
        let is = again.json()["fields"][0]["problem"]["is"].clone();
        assert_eq!(is, "taken", "{twin}");
    }
    let accounts = app.count("SELECT COUNT(*) FROM users").await;
    assert_eq!(accounts, i64::try_from(NAMES.len()).unwrap());
}

#[tokio::test]
async fn an_address_in_capitals_or_other_widths_is_the_same_account() {
    let app = TestApp::new().await;
    for (address, twins) in [
        (
            "ada@example.com",
            &[
                "ADA@EXAMPLE.COM",
                "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
                "𝐚𝐝𝐚@example。com",
            ][..],
        ),
        (
            "ﬁona7@example.com",
            &["fiona7@example.com", "FIONA７@example.com"],
        ),
        (
            "ガク@例え.テスト",
            &["ｶﾞｸ@例え.テスト", "ガク@xn--r8jz45g.xn--zckzah"],
        ),
        (
            "νίκος.παππάς@example.com",
            &["ΝΊΚΟΣ.ΠΑΠΠΆΣ@example.com", "Νίκος.Παππάς@EXAMPLE.com"],
        ),
        ("straße@straße.example", &["STRAẞE@straße.example"]),
    ] {
        app.signed_up(address).await;
        for twin in twins {
            let answer = app.browser().sign_in(twin, PASSWORD).await;
            assert_eq!(answer.status, 200, "{twin}: {}", answer.body);
        }
    }
    // Two mailboxes, for all that anyone knows.
    app.signed_up("strasse@straße.example").await;
    app.signed_up("straße@strasse.example").await;
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 7);
}

#[tokio::test]
async fn an_address_that_cannot_be_taken_is_refused_with_its_reason() {
    let app = TestApp::new().await;
    let long_name = format!("{}@example.com", "प".repeat(22));
    let long_name_in_all = format!("{}@{}example.com", "a".repeat(60), "b.".repeat(95));
    for (address, problem, max) in [
        // Invisible: a soft hyphen, a zero-width space, marks of direction, a tab, a filler, a
        // selector, joiners where they join nothing.
        ("a\u{ad}da@example.com", "unprintable", None),
        ("ada\u{200b}@example.com", "unprintable", None),
        ("\u{202a}ada@example.com\u{202c}", "unprintable", None),
        ("\u{feff}ada@example.com", "unprintable", None),
        ("a\tda@example.com", "unprintable", None),
        ("a@example.com\r\nBcc: x@y.z", "unprintable", None),
        ("ada@exam\u{200b}ple.com", "unprintable", None),
        ("ada@exam\u{200d}ple.com", "unprintable", None),
        ("a\u{200d}da@example.com", "unprintable", None),
        ("김\u{3164}@example.com", "unprintable", None),
        ("김\u{ffa0}@example.com", "unprintable", None),
        ("क\u{fe0f}@example.com", "unprintable", None),
        ("ក\u{17b4}@example.com", "unprintable", None),
        ("علی\u{200c}@example.com", "unprintable", None),
        // No letters, digits or marks of a word.
        ("🗝@example.com", "not_an_email", None),
        ("a·b@example.com", "not_an_email", None),
        ("\u{301}a@example.com", "not_an_email", None),
        ("a\u{a0}da@example.com", "not_an_email", None),
        ("ａ＠ｂ＠example.com", "not_an_email", None),
        ("＜ada＞@example.com", "not_an_email", None),
        ("ada；@example.com", "not_an_email", None),
        ("ada\u{37e}@example.com", "not_an_email", None),
        ("ada．．l@example.com", "not_an_email", None),
        ("ada@１２７．０．０．１", "not_an_email", None),
        ("ada@\u{301}x.example", "not_an_email", None),
        // Counted in octets, told in characters.
        (&long_name, "too_long", Some(33)),
        (&long_name_in_all, "too_long", Some(254)),
        (&"क\u{94d}".repeat(3_000), "too_long", Some(254)),
    ] {
        let answer = app.browser().sign_up(address, PASSWORD).await;
        assert_eq!(answer.status, 422, "{address:?}");
        let told = answer.json()["fields"][0]["problem"].clone();
        assert_eq!(told["is"], problem, "{address:?}: {told}");
        assert_eq!(told["max"].as_u64(), max, "{address:?}: {told}");
    }
    let shorter: String = long_name.chars().skip(1).collect();
    app.signed_up(&shorter).await;
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn people_read_the_script_of_a_domain_and_clients_its_ascii_form() {
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["example.com:8443".to_owned()];
        "https://example.com".clone_into(&mut config.oidc.issuer);
    })
    .await;
    let browser = app.signed_up("Ada@Bücher.example").await;
    assert_eq!(
        browser.viewer().await.as_deref(),
        Some("Ada@bücher.example")
    );
    let page = browser.open("/account").await.body;
    assert!(page.contains("Ada@bücher.example") && !page.contains("xn--"));
    let page = app
        .browser()
        .open("/sign-in?email=ada@xn--bcher-kva.example")
        .await
        .body;
    assert!(page.contains("value=\"ada@bücher.example\""), "{page}");
    // No name is made up for a domain that has none.
    let page = app
        .browser()
        .open("/sign-in?email=ada@xn--a.example")
        .await
        .body;
    assert!(page.contains("value=\"ada@xn--a.example\""), "{page}");
    let asked = browser
        .request(Method::GET, "/auth/check")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "example.com:8443")
        .header("x-forwarded-uri", "/");
    let checked = browser.send(asked).await;
    assert_eq!(checked.header("remote-email"), "Ada@xn--bcher-kva.example");
}

#[tokio::test]
async fn guesses_at_one_account_are_counted_together_in_whatever_form_it_is_typed() {
    let app = TestApp::with(|config| config.limits.sign_ins_per_account_and_address = 4).await;
    let forms = [
        "zoë@bücher.example",
        "zoe\u{308}@bu\u{308}cher.example",
        "ZOË@xn--bcher-kva.example",
        "ｚoë@bücher.example",
    ];
    for form in forms {
        let answer = app.browser().sign_in(form, OTHER).await;
        assert_eq!(answer.status, 401, "{form}");
    }
    for form in forms {
        let answer = app.browser().sign_in(form, OTHER).await;
        assert_eq!(answer.status, 429, "{form}");
    }
}

#[test]
fn an_address_that_was_read_once_reads_the_same_again() {
    // All letters of the basic plane but Han and Hangul, and capitals and faces beyond it.
    let letters = ('\u{80}'..='\u{33ff}')
        .chain('\u{a000}'..='\u{abff}')
        .chain('\u{f900}'..='\u{ffff}')
        .chain('\u{10400}'..='\u{104ff}')
        .chain('\u{1d400}'..='\u{1d7ff}')
        .chain('\u{1e900}'..='\u{1e95f}');
    let mut taken = 0;
    for letter in letters {
        let Ok(email) = Email::parse(&format!("a{letter}b@example.com")) else {
            continue;
        };
        let (address, key) = (email.to_string(), email.key());
        let decomposed: String = address.nfd().collect();
        for same in [&address, &decomposed, &key] {
            let again = Email::parse(same).unwrap();
            assert_eq!(again.key(), key, "{letter:?}");
        }
        assert_eq!(Email::parse(&decomposed).unwrap().to_string(), address);
        taken += 1;
    }
    assert!(taken > 5_000, "{taken}");
}
