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

/// Refusal that the client is told (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Code for the client's program.
    pub error: &'static str,
    /// Sentence for the client's developer.
    pub description: &'static str,
}

impl Refusal {
    /// Refusal with this code.
    pub const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }

    const fn invalid(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }
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
    /// Reads who asks and where the answer goes. A request in which either is in doubt is refused
    /// with the reason, which is for the log alone: it is answered to the user, and leads nowhere
    /// (RFC 6749, 4.1.2.1; RFC 9700, 2.1).
    ///
    /// # Errors
    /// If the database has to be asked and does not answer.
    pub async fn read(state: &State, query: &str) -> Result<Result<Self, &'static str>, Error> {
        // As it is when it comes back from the person: what could be asked can be answered.
        let is_long = query.len() > QUERY_MAX + DENIED.len()
            || rewritten(query, DECISION, &[]).len() > QUERY_MAX;
        if is_long {
            return Ok(Err("the request is longer than 1,900 octets"));
        }
        let Ok(form) = Form::parse(query.as_bytes()) else {
            return Ok(Err("a parameter is there twice, or there are too many"));
        };
        let client = match form.get("client_id") {
            Some(id) => clients::find(state, id).await?,
            None => None,
        };
        let Some(client) = client else {
            return Ok(Err("client_id names no client, or a disabled one"));
        };
        let Some(redirect_uri) = form.get("redirect_uri").map(str::to_owned) else {
            return Ok(Err("redirect_uri is missing"));
        };
        if !client.redirect_uris.contains(&redirect_uri) {
            return Ok(Err("redirect_uri is not one that the client registered"));
        }
        Ok(Ok(Self {
            client,
            redirect_uri,
            form,
            issuer: state.config.oidc.issuer.clone(),
        }))
    }

    /// What is asked for.
    ///
    /// # Errors
    /// What the client is told.
    pub fn wanted(&self) -> Result<Wanted, Refusal> {
        let form = &self.form;
        if form.get("request").is_some() {
            let why = "request objects are not supported";
            return Err(Refusal::new("request_not_supported", why));
        }
        if form.get("request_uri").is_some() {
            let why = "request_uri is not supported";
            return Err(Refusal::new("request_uri_not_supported", why));
        }
        match form.get("response_type") {
            Some("code") => {}
            Some(_) => {
                let why = "response_type has to be code";
                return Err(Refusal::new("unsupported_response_type", why));
            }
            None => return Err(Refusal::invalid("response_type is missing")),
        }
        if !self.client.may(GrantType::AuthorizationCode) {
            let why = "the client is not registered for authorization_code";
            return Err(Refusal::new("unauthorized_client", why));
        }
        if !matches!(form.get("response_mode"), None | Some("query")) {
            return Err(Refusal::invalid("response_mode has to be query"));
        }
        let scopes = Scopes::parse(form.get("scope").unwrap_or_default())
            .filter(|asked| asked.are_within(&self.client.scopes));
        let Some(scopes) = scopes else {
            let why = "scope names one that the client is not registered for";
            return Err(Refusal::new("invalid_scope", why));
        };
        let max_age_s = match form.get("max_age").map(str::parse::<u32>) {
            None => None,
            Some(Ok(max_age_s)) => Some(max_age_s.into()),
            Some(Err(_)) => return Err(Refusal::invalid("max_age has to be a number of seconds")),
        };
        let nonce = form.get("nonce");
        if nonce.is_some_and(|it| it.contains('\0')) {
            return Err(Refusal::invalid("nonce must not contain a NUL"));
        }
        Ok(Wanted {
            scopes,
            challenge: self.challenge()?.to_owned(),
            nonce: nonce.map(str::to_owned),
            prompts: prompts(form.get("prompt").unwrap_or_default())?,
            max_age_s,
        })
    }

    /// PKCE's challenge (RFC 7636). `plain` is no protection, and is meant where no method is named.
    fn challenge(&self) -> Result<&str, Refusal> {
        let Some(challenge) = self.form.get("code_challenge") else {
            return Err(Refusal::invalid(
                "code_challenge is missing: PKCE is required",
            ));
        };
        if self.form.get("code_challenge_method") != Some("S256") {
            return Err(Refusal::invalid("code_challenge_method has to be S256"));
        }
        if !is_challenge(challenge) {
            return Err(Refusal::invalid(
                "code_challenge has to be 43 letters of base64url",
            ));
        }
        Ok(challenge)
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

    /// Address that the browser takes a code to (RFC 6749, 4.1.2).
    pub fn answer_with_code(&self, code: &str) -> String {
        self.answer(&[("code", code)])
    }

    /// Address that the browser takes a refusal to (RFC 6749, 4.1.2.1).
    pub fn answer_with_refusal(&self, refusal: &Refusal) -> String {
        self.answer(&[
            ("error", refusal.error),
            ("error_description", refusal.description),
        ])
    }

    /// Each answer says whose it is (RFC 9207).
    fn answer(&self, said: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(said);
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

fn prompts(text: &str) -> Result<Vec<Prompt>, Refusal> {
    let prompts = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "none" => Ok(Prompt::None),
            // Which account is asked along with who they are.
            "login" | "select_account" => Ok(Prompt::Login),
            "consent" => Ok(Prompt::Consent),
            _ => Err(Refusal::invalid("prompt has an unknown value")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(Refusal::invalid("prompt=none allows no other value"));
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
