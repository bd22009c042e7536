//! A form that comes back: sealed in a cookie, on its way to the page that shows it.

use crate::{
    server::{
        answer::refuse,
        caller::Caller,
        cookie::{self, Found},
        error::Error,
        headers::{HEAD_MAX, USUAL_MAX},
        secret::{self, Secret},
        state::State,
    },
    wire::{fields::local_path, users::ReturnedForm},
};
use axum::{
    extract::Request,
    response::{IntoResponse, Redirect, Response},
};

/// Most octets of the line that sets a session's cookie in the same response.
const SESSION_LINE_MAX: usize = 420;
/// Most octets of the line of a form's cookie without its name and value.
const FORM_LINE_MAX: usize = 70;

/// Sends a browser to a page with a form that came back. Where both do not fit into the head of a
/// response, the page loses its query, and then the form the fields that have no room.
pub(super) fn send(caller: &Caller, page: &str, mut returned: ReturnedForm) -> Response {
    let mut taken = USUAL_MAX + FORM_LINE_MAX + caller.state.cookie_names.form.len();
    if caller.cookies.have_session() {
        taken += SESSION_LINE_MAX;
    }
    let room = |page: &str| HEAD_MAX.saturating_sub(taken + page.len());
    let typed = std::mem::take(&mut returned.typed);
    let page = if fits(&returned, room(page)) {
        page
    } else {
        page.split('?').next().unwrap_or("/")
    };
    for field in typed {
        returned.typed.push(field);
        if !fits(&returned, room(page)) {
            returned.typed.pop();
        }
    }
    match caller.state.seal.close(&returned) {
        Ok(sealed) => caller.cookies.send_form(&sealed),
        Err(error) => return refuse(error.into()),
    }
    Redirect::to(page).into_response()
}

/// Whether a form has room in so many octets, once it is sealed and in base64url.
fn fits(returned: &ReturnedForm, room: usize) -> bool {
    let json = serde_json::to_string(returned).map_or(usize::MAX / 4, |json| json.len());
    (json + secret::SEAL_OVERHEAD) * 4 / 3 + 2 <= room
}

/// Before a page is rendered: opens a form that came back, and takes its cookie away.
///
/// # Errors
/// A redirect to the same page without what a stranger's link would have it say.
pub fn take_returned(state: &State, mut request: Request) -> Result<Request, Box<Response>> {
    // The framework would show, as a form's error, what the link says here.
    let query = request.uri().query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "__err") {
        let path = local_path(request.uri().path()).unwrap_or("/");
        return Err(Box::new(Redirect::to(path).into_response()));
    }
    if let Found::One(sealed) = cookie::find(request.headers(), &state.cookie_names.form) {
        if let Some(caller) = request.extensions().get::<Caller>() {
            caller.cookies.clear_form();
        }
        if let Some(returned) = state.seal.open(&sealed) {
            request.extensions_mut().insert(returned);
        }
    }
    Ok(request)
}

/// Closes and opens forms on their way: an address that somebody typed is nobody else's to read,
/// and nobody else can make one.
pub struct Seal(secret::Seal);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        secret::Seal::new(secret, "returned form").map(Self)
    }

    fn close(&self, form: &ReturnedForm) -> Result<String, Error> {
        let text = serde_json::to_vec(form).map_err(|_| Error::Crypto("seal"))?;
        self.0.close(text, "")
    }

    fn open(&self, sealed: &str) -> Option<ReturnedForm> {
        serde_json::from_slice(&self.0.open(sealed, "")?).ok()
    }
}
