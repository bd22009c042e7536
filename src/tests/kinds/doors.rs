//! The doors: where each kind of token is taken, and what is said there to every other.

use super::{
    Access, ApiKey, Id, Kind, Logout, Refresh, Session,
    held::{BACK, Held},
    with_query,
};
use crate::app::{Answer, Browser, COOKIE, EMAIL, with_form};
use reqwest::{Method, header};

/// Where a token is put in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Cookie,
    Bearer,
    Form,
    Query,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Cookie, Self::Bearer, Self::Form, Self::Query];

    pub fn name(self) -> &'static str {
        match self {
            Self::Cookie => "in the cookie",
            Self::Bearer => "as a bearer",
            Self::Form => "in a form",
            Self::Query => "in the address",
        }
    }
}

impl Kind {
    /// The name of its door.
    pub fn door(self) -> &'static str {
        match self {
            Session => "the door of sessions",
            ApiKey => "the door of API keys",
            Access => "the door of access tokens",
            Id => "the door of id tokens",
            Refresh => "the door of refresh tokens",
            Logout => "the door of logout tokens",
        }
    }

    /// Where it is, and what the token is called there in a form or an address.
    ///
    /// Cloakroom takes an id token as a hint of whom to sign out. It takes no logout token: that
    /// door is a client's, here the one of `relying_party.rs`, which looks at what the standard
    /// has it look at. (`examples/relying-party` has no such address.)
    fn address(self) -> (&'static str, &'static str) {
        match self {
            Session => ("/api/list_sessions", "session"),
            ApiKey => ("/v1/me", "access_token"),
            Access => ("/oauth2/userinfo", "access_token"),
            Id => ("/oauth2/logout", "id_token_hint"),
            Refresh => ("/oauth2/token", "refresh_token"),
            Logout => ("/logged-out", "logout_token"),
        }
    }

    /// Where in a request its own door looks.
    pub fn place(self) -> Place {
        match self {
            Session => Place::Cookie,
            ApiKey | Access => Place::Bearer,
            Id => Place::Query,
            Refresh | Logout => Place::Form,
        }
    }

    /// The status and a word of the answer, once its door is open.
    pub fn opens(self) -> (u16, &'static str) {
        match self {
            Session => (200, "\"sessions\""),
            ApiKey => (200, "\"scopes\":[\"profile:read\"]"),
            Access => (200, EMAIL),
            Id => (303, BACK),
            Refresh => (200, "\"access_token\""),
            Logout => (200, "signed out"),
        }
    }

    /// The same for whatever else is shown at its door.
    pub fn refuses(self) -> (u16, &'static str) {
        match self {
            Session => (401, "sign_in_needed"),
            ApiKey | Access => (401, "error=\"invalid_token\""),
            // The person is asked: a link alone signs nobody out.
            Id => (200, "Do you want to sign out?"),
            Refresh => (400, "{\"error\":\"invalid_grant\","),
            Logout => (400, "no logout token"),
        }
    }

    /// The same for whatever is put elsewhere than there, be it the right kind or not.
    pub fn refuses_from(self, place: Place) -> (u16, &'static str) {
        match (self, place) {
            (Session | ApiKey, Place::Form) => (405, "method_not_allowed"),
            (Session, _) => (401, "sign_in_needed"),
            (ApiKey, Place::Cookie) => (401, "key_needed"),
            (ApiKey | Refresh, _) => (400, "invalid_request"),
            (Access, _) => (401, "Bearer realm=\"userinfo\""),
            // A form is asked once more by GET; with another cookie than the session's, nobody is
            // there.
            (Id, Place::Form) => (303, "/oauth2/logout?id_token_hint="),
            (Id, _) => (200, "sign"),
            (Logout, _) => (400, "no logout token"),
        }
    }
}

impl Held<'_> {
    /// Shows a text at the door of this kind, as if it belonged there.
    pub async fn show(&self, door: Kind, token: &str, place: Place) -> Answer {
        let (path, field) = door.address();
        let visitor = match door {
            // For whoever is signed in.
            Id if place != Place::Cookie => self.signed_in(),
            Logout => Browser::at(self.party.url().to_owned()),
            _ => self.other.app.browser(),
        };
        let (mut form, mut query) = (Vec::new(), Vec::new());
        match door {
            Id => query.push(("post_logout_redirect_uri", BACK)),
            Refresh => {
                form.push(("grant_type", "refresh_token"));
                form.extend(self.credentials());
            }
            _ => {}
        }
        match place {
            Place::Cookie => visitor.plant(COOKIE, token),
            Place::Bearer => {}
            Place::Form => form.push((field, token)),
            Place::Query => query.push((field, token)),
        }
        let is_post = place == Place::Form || [Refresh, Logout].contains(&door);
        let method = if is_post { Method::POST } else { Method::GET };
        let mut request = visitor.request(method, &with_query(path, &query));
        if place == Place::Bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if is_post {
            request = with_form(request, &form);
        }
        visitor.send(request).await
    }
}
