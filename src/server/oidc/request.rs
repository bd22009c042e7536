//! A client's request for authorization, read.

use super::{form::Form, scopes::Scopes};
use crate::server::{
    clients::{self, Client, GrantType},
    error::Error,
    sessions::Session,
    state::State,
};
use std::sync::Arc;

/// Names the person's answer where the consent page brings it back; no client may say it.
const DECISION: &str = "decision";
/// What the consent page adds when they have said no.
const DENIED: &str = "&decision=deny";
/// The longest request, in octets as a form is encoded: the pages that stand in between carry it
/// along in their own addresses, encoded once more.
pub const QUERY_MAX: usize = 1_900;
/// A SHA-256 in base64url.
const CHALLENGE_LEN: usize = 43;

/// A request that can be answered: its client is registered, and so is where the answer goes.
pub struct Addressed {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes: one of the client's, to the letter.
    pub redirect_uri: String,
    /// All that was asked.
    pub form: Form,
    issuer: String,
}

/// What the page is to ask whatever is known (OpenID Connect Core, 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing at all.
    None,
    /// Who they are.
    Login,
    /// Whether they allow it.
    Consent,
}

/// What is asked for, where nothing is wrong with it.
pub struct Wanted {
    /// What the tokens are to allow.
    pub scopes: Scopes,
    /// SHA-256 of what the buyer of the code will show.
    pub challenge: String,
    /// Comes back in the id token.
    pub nonce: Option<String>,
    /// What is to be asked.
    pub prompts: Vec<Prompt>,
    /// The sign-in is to be no older, in seconds.
    max_age_s: Option<i64>,
}

impl Addressed {
    /// Who asks and where the answer goes. `None` if either is in doubt: then nobody is sent
    /// anywhere (RFC 6749, 4.1.2.1; RFC 9700, 2.1).
    ///
    /// # Errors
    /// If the database has to be asked and does not answer.
    pub async fn read(state: &State, query: &str) -> Result<Option<Self>, Error> {
        // As it is when it comes back from the person: what could be asked can be answered.
        let is_long = query.len() > QUERY_MAX + DENIED.len()
            || rewritten(query, DECISION, &[]).len() > QUERY_MAX;
        if is_long {
            return Ok(None);
        }
        let Ok(form) = Form::parse(query.as_bytes()) else {
            return Ok(None);
        };
        let client = match form.get("client_id") {
            Some(id) => clients::find(state, id).await?,
            None => None,
        };
        let redirect_uri = form.get("redirect_uri").map(str::to_owned);
        let (Some(client), Some(redirect_uri)) = (client, redirect_uri) else {
            return Ok(None);
        };
        let is_registered = client.redirect_uris.contains(&redirect_uri);
        Ok(is_registered.then(|| Self {
            client,
            redirect_uri,
            form,
            issuer: state.config.oidc.issuer.clone(),
        }))
    }

    /// What is asked for.
    ///
    /// # Errors
    /// The code that the client is told.
    pub fn wanted(&self) -> Result<Wanted, &'static str> {
        let form = &self.form;
        if form.get("request").is_some() {
            return Err("request_not_supported");
        }
        if form.get("request_uri").is_some() {
            return Err("request_uri_not_supported");
        }
        match form.get("response_type") {
            Some("code") => {}
            Some(_) => return Err("unsupported_response_type"),
            None => return Err("invalid_request"),
        }
        if !self.client.may(GrantType::AuthorizationCode) {
            return Err("unauthorized_client");
        }
        if !matches!(form.get("response_mode"), None | Some("query")) {
            return Err("invalid_request");
        }
        // RFC 7636; `plain` is no protection, and is what is meant where no method is named.
        let challenge = form.get("code_challenge").filter(|it| is_challenge(it));
        let (Some(challenge), Some("S256")) = (challenge, form.get("code_challenge_method")) else {
            return Err("invalid_request");
        };
        let scopes = Scopes::parse(form.get("scope").unwrap_or_default())
            .filter(|asked| asked.are_within(&self.client.scopes))
            .ok_or("invalid_scope")?;
        let max_age_s = match form.get("max_age") {
            None => None,
            Some(text) => Some(text.parse().map(u32::into).map_err(|_| "invalid_request")?),
        };
        Ok(Wanted {
            scopes,
            challenge: challenge.to_owned(),
            nonce: form.get("nonce").map(str::to_owned),
            prompts: prompts(form.get("prompt").unwrap_or_default())?,
            max_age_s,
        })
    }

    /// Nothing may be asked, and no page be shown (`prompt=none`).
    pub fn is_silent(&self) -> bool {
        let prompt = self.form.get("prompt");
        prompt.is_some_and(|it| it.trim_matches(' ') == "none")
    }

    /// The person has said no, on the page that asked them.
    pub fn is_denied(&self) -> bool {
        self.form.get(DECISION) == Some("deny")
    }

    /// Where the browser takes an answer (RFC 6749, 4.1.2), which says whose it is (RFC 9207).
    pub fn answer(&self, name: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, value);
        if let Some(state) = self.form.get("state") {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let separator = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        format!("{}{separator}{}", self.redirect_uri, query.finish())
    }

    /// The host that the answer goes to; the scheme, where a program of the same device takes it.
    pub fn host(&self) -> String {
        let (scheme, rest) = self.redirect_uri.split_once(':').unwrap_or_default();
        let web = matches!(scheme, "https" | "http").then(|| rest.trim_start_matches('/'));
        let host = web.and_then(|rest| rest.split(['/', '?']).next());
        host.unwrap_or(scheme).to_owned()
    }
}

fn is_challenge(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() == CHALLENGE_LEN && text.bytes().all(is_letter)
}

fn prompts(text: &str) -> Result<Vec<Prompt>, &'static str> {
    let prompts = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "none" => Ok(Prompt::None),
            // Which account is asked along with who they are.
            "login" | "select_account" => Ok(Prompt::Login),
            "consent" => Ok(Prompt::Consent),
            _ => Err("invalid_request"),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err("invalid_request");
    }
    Ok(prompts)
}

impl Wanted {
    /// Whether they are to show once more who they are.
    pub fn is_stale(&self, session: &Session, now: i64) -> bool {
        let is_old = |max_age_s| max_age_s == 0 || now > session.authenticated_at + max_age_s;
        self.prompts.contains(&Prompt::Login) || self.max_age_s.is_some_and(is_old)
    }
}

/// The same request, once they have shown who they are: it does not ask for that again.
pub fn once_confirmed(query: &str) -> String {
    rewritten(query, "max_age", &["login", "select_account"])
}

/// The same request, once they have said yes: it does not ask for that again.
pub fn once_allowed(query: &str) -> String {
    rewritten(query, DECISION, &["consent"])
}

/// The same request, once they have said no.
pub fn once_denied(query: &str) -> String {
    format!("{}{DENIED}", rewritten(query, DECISION, &[]))
}

/// Without this parameter, and without these words of `prompt`.
fn rewritten(query: &str, without: &str, prompts: &[&str]) -> String {
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == without {
            continue;
        }
        if name == "prompt" {
            let words = value.split(' ').filter(|word| !prompts.contains(word));
            let words: Vec<&str> = words.collect();
            rest.append_pair(&name, &words.join(" "));
        } else {
            rest.append_pair(&name, &value);
        }
    }
    rest.finish()
}
