//! One token of each kind, each got as its holder gets it.

use super::{Access, ApiKey, Id, Kind, Logout, Refresh, Session, relying_party::RelyingParty};
use crate::{
    app::{Answer, Browser, COOKIE, EMAIL, PASSWORD, TestApp},
    grants::{OtherApp, code_of, other_app_with, text},
};

/// Where the client has people sent once they are signed out.
pub const BACK: &str = "https://app.example/bye";
/// What must stay as it is while nothing opens: live sessions, grants and API keys, and refresh
/// tokens that were not used.
const STATE: [(&str, &str); 4] = [
    (
        "the sessions",
        "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL",
    ),
    (
        "the grants",
        "SELECT COUNT(*) FROM grants WHERE revoked_at IS NULL AND session_id IS NULL",
    ),
    (
        "the refresh tokens",
        "SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL",
    ),
    (
        "the API keys",
        "SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL",
    ),
];

/// What somebody, their program and an app that they sign in to hold.
pub struct Held<'a> {
    pub other: OtherApp<'a>,
    pub party: RelyingParty,
    tokens: [String; 6],
    state: [i64; 4],
}

impl<'a> Held<'a> {
    pub async fn of(app: &'a TestApp) -> Self {
        let listening = RelyingParty::bind().await;
        let other = other_app_with(app, |said| {
            said.backchannel_logout_uri = Some(listening.address());
            said.post_logout_redirect_uris = Some(vec![BACK.to_owned()]);
        })
        .await;
        let mut party = listening.serve(&other);
        let browser = app.signed_up(EMAIL).await;
        let key = browser.key("profile:read").await;
        let scope = [("scope", "openid email offline_access")];
        let tokens = other.tokens(&browser, &scope).await;
        // Another session of theirs ends, and the app is told.
        let phone = app.browser();
        phone.sign_in(EMAIL, PASSWORD).await;
        let code = code_of(&phone.open(&other.link(&[])).await);
        assert_eq!(other.redeem(&code).await.status, 200);
        phone.call("sign_out", &[]).await;
        let logout = party.told().await;
        let session = browser.session().unwrap();
        let of = |name: &str| text(&tokens, name).to_owned();
        let tokens = [
            session,
            key,
            of("access_token"),
            of("id_token"),
            of("refresh_token"),
            logout,
        ];
        let mut held = Self {
            other,
            party,
            tokens,
            state: [0; 4],
        };
        held.state = held.state().await;
        assert!(held.what_changed().await.is_empty());
        held
    }

    pub fn token(&self, kind: Kind) -> &str {
        &self.tokens[kind as usize]
    }

    /// Their browser.
    pub fn signed_in(&self) -> Browser {
        let browser = self.other.app.browser();
        browser.plant(COOKIE, self.token(Session));
        browser
    }

    /// The app asks, and shows its secret.
    pub async fn ask(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut form = form.to_vec();
        form.extend(self.credentials());
        self.other.post(path, &form).await
    }

    /// How the app shows who it is.
    pub fn credentials(&self) -> [(&str, &str); 2] {
        [
            ("client_id", &self.other.id),
            ("client_secret", &self.other.secret),
        ]
    }

    async fn state(&self) -> [i64; 4] {
        let mut counts = [0; 4];
        for (count, (_, sql)) in counts.iter_mut().zip(STATE) {
            *count = self.other.app.count(sql).await;
        }
        counts
    }

    /// What is not as it was: rows, or a token that does not open its own door any more. Those
    /// that would use something up there are asked about.
    pub async fn what_changed(&self) -> Vec<&'static str> {
        let state = self.state().await;
        let rows = STATE.iter().zip(state).zip(self.state);
        let mut changed: Vec<&'static str> = rows
            .filter(|((_, now), before)| now != before)
            .map(|(((what, _), _), _)| *what)
            .collect();
        for kind in [Session, ApiKey, Access, Logout] {
            let answer = self.show(kind, self.token(kind), kind.place()).await;
            if answer.status != kind.opens().0 {
                changed.push(kind.name());
            }
        }
        let form = [("token", self.token(Refresh))];
        let said = self.ask("/oauth2/introspect", &form).await.json();
        if said["active"] != true {
            changed.push(Refresh.name());
        }
        if self.party.by_claims_alone(self.token(Id)).await != Some(Id) {
            changed.push(Id.name());
        }
        changed
    }
}
