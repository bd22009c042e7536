//! Attributes of fields that password managers and keyboards read.

use crate::app::{EMAIL, TestApp};

#[tokio::test]
async fn a_new_password_field_names_its_rules_and_a_field_for_an_address_is_plain_text() {
    let app = TestApp::with(|config| config.passwords.min_length = 17).await;
    let signed_in = app.signed_up(EMAIL).await;
    let sign_up = app.browser().open("/sign-up").await.body;
    let security = signed_in.open("/account/security").await.body;
    for (page, id) in [(&sign_up, "password"), (&security, "new_password")] {
        let field = tag(page, id);
        for attribute in [
            "minlength=\"17\"",
            "passwordrules=\"minlength: 17; maxlength: 256;\"",
            "autocomplete=\"new-password\"",
        ] {
            assert!(field.contains(attribute), "{field}");
        }
        let (_, most) = field.split_once("maxlength=\"").unwrap();
        let (most, _) = most.split_once('"').unwrap();
        // In UTF-16 code units: a browser drops all that is more, and says nothing.
        assert!(most.parse::<u32>().unwrap() >= 2 * 256, "{field}");
    }
    let sign_in = app.browser().open("/sign-in").await.body;
    for (page, id) in [(&sign_in, "password"), (&security, "current_password")] {
        let field = tag(page, id);
        assert!(!field.contains("length=") && !field.contains("passwordrules"));
    }
    for page in [&sign_in, &sign_up] {
        let field = tag(page, "email");
        assert!(field.contains("type=\"text\"") && field.contains("inputmode=\"email\""));
        assert!(field.contains("autocomplete=\"username\"") && !page.contains("type=\"email\""));
    }
}

/// The input with this id, as it stands in the page.
fn tag<'a>(page: &'a str, id: &str) -> &'a str {
    page.split("<input")
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| tag)
        .find(|tag| tag.contains(&format!("id=\"{id}\"")))
        .unwrap()
}
