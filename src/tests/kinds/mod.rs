//! Six kinds of token, six doors: each kind opens its own and no other (RFC 8725, 3.11 and 3.12).
//! What counts is what a token is, not where it is put, and not what it is dressed up as.

mod doors;
mod held;
mod relying_party;

use crate::app::{Answer, EMAIL, TestApp, encoded};
use doors::Place;
use held::Held;
use reqwest::Method;

/// What is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Session,
    ApiKey,
    Access,
    Id,
    Refresh,
    Logout,
}

use Kind::{Access, ApiKey, Id, Logout, Refresh, Session};

impl Kind {
    pub const ALL: [Self; 6] = [Session, ApiKey, Access, Id, Refresh, Logout];

    pub fn name(self) -> &'static str {
        match self {
            Session => "a session's cookie",
            ApiKey => "an API key",
            Access => "an access token",
            Id => "an id token",
            Refresh => "a refresh token",
            Logout => "a logout token",
        }
    }
}

/// What went wrong, all of it.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    /// One cell: what was shown, at which door, and what should have come of it: a status, and a
    /// word of the answer.
    fn cell(&mut self, what: &str, door: &str, answer: &Answer, (status, word): (u16, &str)) {
        let told = ["www-authenticate", "location", "remote-email"].map(|it| answer.header(it));
        let said = format!("{} {}", told.join(" "), answer.body);
        if answer.status != status || !said.contains(word) {
            let begin: String = said.trim().chars().take(200).collect();
            let wrong = format!("{what} at {door}: {}, {begin}", answer.status);
            self.0.push(wrong);
        }
    }

    /// Nothing has changed, and everything still opens its own door.
    async fn after(&mut self, held: &Held<'_>, what: &str, door: &str) {
        for changed in held.what_changed().await {
            self.0.push(format!("{what} at {door} changed {changed}"));
        }
    }

    fn assert_nothing(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

#[tokio::test]
async fn each_kind_of_token_opens_its_own_door_and_no_other() {
    let (mut wrong, mut opened, mut cells) = (Wrong::default(), Vec::new(), 0);
    for door in Kind::ALL {
        let app = TestApp::new().await;
        let held = Held::of(&app).await;
        // Its own comes last: it may use itself up, as a refresh token does, or end the session.
        let others = Kind::ALL.into_iter().filter(|kind| *kind != door);
        for kind in others.chain([door]) {
            let answer = held.show(door, held.token(kind), door.place()).await;
            let expected = if kind == door {
                opened.push(kind);
                door.opens()
            } else {
                door.refuses()
            };
            wrong.cell(kind.name(), door.door(), &answer, expected);
            if kind != door {
                wrong.after(&held, kind.name(), door.door()).await;
            }
            cells += 1;
        }
    }
    wrong.assert_nothing();
    assert_eq!((opened, cells), (Kind::ALL.to_vec(), 36));
}

#[tokio::test]
async fn no_token_opens_a_door_from_another_place() {
    let mut wrong = Wrong::default();
    let app = TestApp::new().await;
    let held = Held::of(&app).await;
    for door in Kind::ALL {
        for place in Place::ALL {
            if place == door.place() {
                continue;
            }
            for kind in Kind::ALL {
                let what = format!("{} {}", kind.name(), place.name());
                let answer = held.show(door, held.token(kind), place).await;
                wrong.cell(&what, door.door(), &answer, door.refuses_from(place));
            }
        }
        wrong.after(&held, "one of them", door.door()).await;
    }
    wrong.assert_nothing();
}

#[tokio::test]
async fn no_token_opens_a_door_dressed_as_what_belongs_there() {
    let mut wrong = Wrong::default();
    let app = TestApp::new().await;
    let held = Held::of(&app).await;
    for door in Kind::ALL {
        for kind in Kind::ALL {
            for (how, dressed) in dressed(held.token(kind)) {
                let what = format!("{} {how}", kind.name());
                let answer = held.show(door, &dressed, door.place()).await;
                wrong.cell(&what, door.door(), &answer, door.refuses());
            }
        }
        wrong.after(&held, "one of them", door.door()).await;
    }
    wrong.assert_nothing();
}

/// The same token with the beginning of another kind, or without its own.
fn dressed(token: &str) -> Vec<(&'static str, String)> {
    let bare = ["cloakroom_", "rt_"]
        .iter()
        .find_map(|prefix| token.strip_prefix(prefix));
    let inside = bare.unwrap_or(token);
    let mut all = vec![
        ("that begins as an API key", format!("cloakroom_{inside}")),
        ("that begins as an old API key", format!("ck_{inside}")),
        ("that begins as a refresh token", format!("rt_{inside}")),
        ("without its beginning", inside.to_owned()),
    ];
    all.retain(|(_, dressed)| dressed != token);
    all
}

#[tokio::test]
async fn a_relying_party_that_looks_at_no_type_confuses_none_either() {
    let app = TestApp::new().await;
    let held = Held::of(&app).await;
    for kind in Kind::ALL {
        let told = held.party.by_claims_alone(held.token(kind)).await;
        let expected = match kind {
            Id => Some(Id),
            Logout => Some(Logout),
            _ => None,
        };
        assert_eq!(told, expected, "{}", kind.name());
    }
}

#[tokio::test]
async fn the_other_places_where_tokens_are_taken_know_their_kinds_too() {
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec!["localhost:8443".to_owned()];
    })
    .await;
    let held = Held::of(&app).await;
    let mut wrong = Wrong::default();
    for kind in Kind::ALL {
        for (place, answer, its_own, opens, refuses) in elsewhere(&held, held.token(kind)).await {
            let expected = if its_own.contains(&kind) {
                opens
            } else {
                refuses
            };
            wrong.cell(kind.name(), place, &answer, expected);
        }
        if ![Access, Refresh].contains(&kind) {
            // Whoever gives back what is none to give back takes nothing away.
            let form = [("token", held.token(kind))];
            let answer = held.ask("/oauth2/revoke", &form).await;
            wrong.cell(kind.name(), "revocation", &answer, (200, ""));
            wrong.after(&held, kind.name(), "revocation").await;
        }
    }
    wrong.assert_nothing();
}

/// Where, what was answered, which kinds are at home there, and what they and the others hear.
type Elsewhere = (
    &'static str,
    Answer,
    &'static [Kind],
    (u16, &'static str),
    (u16, &'static str),
);

async fn elsewhere(held: &Held<'_>, token: &str) -> [Elsewhere; 5] {
    let introspected = held.ask("/oauth2/introspect", &[("token", token)]).await;
    let as_code = held
        .ask(
            "/oauth2/token",
            &[
                ("grant_type", "authorization_code"),
                ("code", token),
                ("redirect_uri", crate::grants::CALLBACK),
                ("code_verifier", crate::grants::VERIFIER),
            ],
        )
        .await;
    let assertion = [
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", token),
    ];
    let as_assertion = held.other.post("/oauth2/token", &assertion).await;
    let proxied = held.other.app.browser();
    proxied.plant(crate::app::COOKIE, token);
    let checked = proxied
        .request(Method::GET, "/auth/check")
        .header("x-original-url", "https://localhost:8443/wiki");
    let checked = proxied.send(checked).await;
    let silent = [("prompt", "none"), ("id_token_hint", token)];
    let browser = held.signed_in();
    let hinted = browser.open(&held.other.link(&silent)).await;
    [
        (
            "introspection",
            introspected,
            &[Access, Refresh],
            (200, "\"active\":true"),
            (200, "{\"active\":false}"),
        ),
        (
            "the door of codes",
            as_code,
            &[],
            (200, ""),
            (400, "invalid_grant"),
        ),
        (
            "the door of assertions",
            as_assertion,
            &[],
            (200, ""),
            (401, "invalid_client"),
        ),
        (
            "the proxy's door",
            checked,
            &[Session],
            (200, EMAIL),
            (401, ""),
        ),
        (
            "the silent sign-in",
            hinted,
            &[Id],
            (303, "?code=co_"),
            (303, "?error=login_required"),
        ),
    ]
}

/// An address with these parameters.
fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", encoded(query))
}
