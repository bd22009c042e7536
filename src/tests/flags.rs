//! Flags of forms: every spelling of yes and no, and nothing else.

use crate::app::{Answer, Browser, EMAIL, PASSWORD, Program, TestApp};
use std::{collections::BTreeSet, path::Path};
use syn::{FnArg, Item, Pat, Type};

const FIRST: &str = "a lamp over six stairs";
const NEW: &str = "another lamp over eight stairs";
const YES: [&str; 3] = ["true", "on", "1"];
const NO: [&str; 3] = ["false", "off", "0"];
const NEITHER: [&str; 7] = ["", "yes", "no", "TRUE", "2", "on ", "true,false"];

/// Server functions with a flag, and its name.
const FLAGS: [(&str, &str); 3] = [
    ("change_password", "keep_others"),
    ("change_password", "revoke_others"),
    ("sign_in", "keep_me_signed_in"),
];

/// Whether an argument of this type says yes or no.
fn is_flag(of: &Type) -> bool {
    let text = quote(of);
    text.contains("Flag") || text.contains("bool")
}

fn quote(of: &Type) -> String {
    let Type::Path(path) = of else {
        return String::new();
    };
    let mut names = Vec::new();
    for segment in &path.path.segments {
        names.push(segment.ident.to_string());
        if let syn::PathArguments::AngleBracketed(inner) = &segment.arguments {
            for argument in &inner.args {
                if let syn::GenericArgument::Type(of) = argument {
                    names.push(quote(of));
                }
            }
        }
    }
    names.join(" ")
}

/// Functions and their flags, as the sources have them.
fn flags_of_sources() -> BTreeSet<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for item in syn::parse_file(&text).unwrap().items {
            let Item::Fn(function) = item else { continue };
            for argument in &function.sig.inputs {
                let FnArg::Typed(argument) = argument else {
                    continue;
                };
                if let Pat::Ident(name) = &*argument.pat
                    && is_flag(&argument.ty)
                {
                    let function = function.sig.ident.to_string();
                    found.insert((function, name.ident.to_string()));
                }
            }
        }
    }
    found
}

#[test]
fn the_list_of_flags_is_complete() {
    let listed = FLAGS.map(|(function, flag)| (function.to_owned(), flag.to_owned()));
    assert_eq!(flags_of_sources(), BTreeSet::from(listed));
}

/// An account with two devices, and with an API key that an earlier change of the password left in
/// place. The first device sends the form with the flag.
struct Sender {
    app: TestApp,
    here: Browser,
    there: Browser,
    key: Program,
}

impl Sender {
    async fn new() -> Self {
        let app = TestApp::with(|config| config.limits.sign_ins_per_account_and_address = 1000);
        let app = app.await;
        let here = app.browser();
        assert_eq!(here.sign_up(EMAIL, FIRST).await.status, 200);
        let made = here.mint("profile:read").await;
        let key = Program::new(&app.url, made["key"].as_str().unwrap());
        let form = [
            ("current_password", FIRST),
            ("new_password", PASSWORD),
            ("listed", made["id"].as_str().unwrap()),
        ];
        assert_eq!(here.call("change_password", &form).await.status, 200);
        let there = app.browser();
        assert_eq!(there.sign_in(EMAIL, PASSWORD).await.status, 200);
        Self {
            app,
            here,
            there,
            key,
        }
    }

    fn form<'a>(function: &str, flag: Option<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
        let mut form = match function {
            "change_password" => vec![("current_password", PASSWORD), ("new_password", NEW)],
            "sign_in" => vec![("email", EMAIL), ("password", PASSWORD)],
            other => panic!("say what else {other} reads"),
        };
        form.extend(flag);
        form
    }

    /// Whether the function did what its flag asks for.
    async fn took_effect(&self, flag: &str, answer: &Answer) -> bool {
        match flag {
            "keep_others" => self.there.viewer().await.is_some(),
            "revoke_others" => self.key.get("/v1/me").await.status == 401,
            _ => answer.set_cookies()[0].contains("Max-Age="),
        }
    }
}

#[tokio::test]
async fn every_flag_reads_every_spelling_of_yes_and_no() {
    for (function, flag) in FLAGS {
        let spellings = YES
            .map(|value| (Some(value), true))
            .into_iter()
            .chain(NO.map(|value| (Some(value), false)))
            .chain([(None, false)]);
        for (value, expected) in spellings {
            let sender = Sender::new().await;
            let form = Sender::form(function, value.map(|value| (flag, value)));
            let answer = sender.here.call(function, &form).await;
            assert_eq!(answer.status, 200, "{flag}={value:?}: {}", answer.body);
            let is_set = sender.took_effect(flag, &answer).await;
            assert_eq!(is_set, expected, "{flag}={value:?}");
        }
    }
}

#[tokio::test]
async fn every_flag_refuses_what_is_neither_yes_nor_no() {
    let sender = Sender::new().await;
    for (function, flag) in FLAGS {
        for value in NEITHER {
            let form = Sender::form(function, Some((flag, value)));
            let answer = sender.here.call(function, &form).await;
            let refused = format!(
                r#"{{"code":"fields","fields":[{{"field":"{flag}","problem":{{"is":"unknown"}}}}]}}"#
            );
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (422, &*refused),
                "{value:?}"
            );
            assert!(answer.set_cookies().is_empty(), "{flag}={value:?}");
        }
    }
    // Nothing was done.
    assert!(sender.there.viewer().await.is_some());
    assert_eq!(
        sender.app.browser().sign_in(EMAIL, PASSWORD).await.status,
        200
    );
}

#[tokio::test]
async fn a_form_with_a_flag_that_is_refused_comes_back_with_the_reason_and_what_was_typed() {
    let sender = Sender::new().await;
    for (function, flag, page) in [
        ("change_password", "keep_others", "/account/security"),
        ("sign_in", "keep_me_signed_in", "/sign-in"),
    ] {
        let form = Sender::form(function, Some((flag, "perhaps")));
        let answer = sender.here.submit(page, function, &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, page));
        let body = sender.here.open(page).await.body;
        assert!(body.contains("Tick the box or leave it empty."), "{body}");
        assert!(body.contains(&format!("id=\"{flag}-error\"")), "{body}");
        if function == "sign_in" {
            assert!(body.contains(&format!("value=\"{EMAIL}\"")), "{body}");
        }
    }
}

#[tokio::test]
async fn a_box_comes_back_as_it_was_sent() {
    let sender = Sender::new().await;
    for (value, is_ticked) in YES
        .map(|value| (value, true))
        .into_iter()
        .chain(NO.map(|value| (value, false)))
    {
        for (function, flag, page, wrong) in [
            (
                "change_password",
                "keep_others",
                "/account/security",
                "current_password",
            ),
            ("sign_in", "keep_me_signed_in", "/sign-in", "password"),
        ] {
            let mut form = Sender::form(function, Some((flag, value)));
            for field in form.iter_mut().filter(|(name, _)| *name == wrong) {
                field.1 = "not this one at all";
            }
            sender.here.submit(page, function, &form).await;
            let body = sender.here.open(page).await.body;
            let (_, input) = body.split_once(&format!("id=\"{flag}\"")).unwrap();
            let (input, _) = input.split_once('>').unwrap();
            assert_eq!(
                input.contains("checked"),
                is_ticked,
                "{flag}={value}: {input}"
            );
        }
    }
}
