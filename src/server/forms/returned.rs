//! A form that comes back: sealed in a cookie, on its way to the page that shows it.

use crate::{
    server::{
        answer::refuse,
        caller::Caller,
        error::Error,
        headers::{HEAD_MAX, USUAL_MAX},
        secret::{self, Secret},
    },
    wire::{fields::local_path, users::ReturnedForm},
};
use axum::{
    extract::Request,
    response::{IntoResponse, Redirect, Response},
};
use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};
use serde::{Deserialize, Serialize};

/// Most octets of the line that sets a session's cookie in the same response.
const SESSION_LINE_MAX: usize = 435;
/// Most octets of the line of a form's cookie without its name and value.
const FORM_LINE_MAX: usize = 70;

/// Compression level, 0 to 10. 6 is the usual one.
const DEFLATE_LEVEL: u8 = 6;
/// Most octets of a cookie's content before it is deflated. To deflate a larger one takes the server too
/// long for an anonymous visitor's form.
const UNPACKED_MAX: usize = 16 << 10;

/// A form that has not reached the page that shows it is dropped after this time, in seconds.
const RETURNS_WITHIN_S: i64 = 60;
/// A form whose user has not signed in again is dropped after this time, in seconds.
const WAITS_FOR_S: i64 = 900;

/// Content of the cookie.
#[derive(Default, Serialize, Deserialize)]
struct Parcel {
    /// Shown by the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown: Option<ReturnedForm>,
    /// Shown by its page, once its user has signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<Waiting>,
}

impl Parcel {
    /// The content as it is sealed: deflated (RFC 1951), because a text of four octets a character
    /// has no room otherwise. It holds no secret, whose length an attacker could guess at by a text.
    fn pack(&self) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_vec(self).map_err(|_| Error::Crypto("seal"))?;
        if json.len() > UNPACKED_MAX {
            return Err(Error::Crypto("seal"));
        }
        Ok(compress_to_vec(&json, DEFLATE_LEVEL))
    }

    fn unpack(packed: &[u8]) -> Option<Self> {
        let json = decompress_to_vec_with_limit(packed, UNPACKED_MAX).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// A form whose session had ended when it was sent.
#[derive(Serialize, Deserialize)]
struct Waiting {
    /// The user of that session. Another account that signs in does not get the form.
    user_id: String,
    /// Path of the page that shows it.
    page: String,
    /// It is dropped after this time, in Unix seconds.
    until: i64,
    form: ReturnedForm,
}

/// Sends a browser to a page with a form that came back.
pub(super) fn send(caller: &Caller, page: &str, returned: ReturnedForm) -> Response {
    let parcel = Parcel {
        shown: Some(returned),
        waiting: caller
            .form
            .as_deref()
            .and_then(|it| open(caller, it).waiting),
    };
    send_parcel(caller, page, parcel)
}

/// Sends a browser to the sign-in page, which says why, with a form that waits for its page.
pub(super) fn send_waiting(
    caller: &Caller,
    sign_in: &str,
    told: ReturnedForm,
    page: &str,
    form: ReturnedForm,
) -> Response {
    let waiting = caller.named_user().map(|user_id| Waiting {
        user_id: user_id.to_owned(),
        page: path_of(page).to_owned(),
        until: caller.state.clock.now_s() + WAITS_FOR_S,
        form,
    });
    let shown = Some(told);
    send_parcel(caller, sign_in, Parcel { shown, waiting })
}

/// Sends a browser to a page with what the cookie has room for. Where it does not fit into the head
/// of a response, the form that waits stays behind if it does not fit without its fields; then the
/// page loses its query, and the forms the fields that have no room.
fn send_parcel(caller: &Caller, page: &str, mut parcel: Parcel) -> Response {
    let mut taken = USUAL_MAX + FORM_LINE_MAX + caller.state.cookie_names.form.len();
    if caller.cookies.have_session() {
        taken += SESSION_LINE_MAX;
    }
    let room = |page: &str| HEAD_MAX.saturating_sub(taken + page.len());
    let [waiting, shown] = FORMS.map(|form| {
        let form = form(&mut parcel);
        form.map(|form| std::mem::take(&mut form.typed))
            .unwrap_or_default()
    });
    if !fits(&parcel, room(page)) {
        parcel.waiting = None;
    }
    let page = if fits(&parcel, room(page)) {
        page
    } else {
        path_of(page)
    };
    for (form, typed) in FORMS.into_iter().zip([waiting, shown]) {
        for field in typed {
            if let Some(form) = form(&mut parcel) {
                form.typed.push(field);
            }
            if !fits(&parcel, room(page))
                && let Some(form) = form(&mut parcel)
            {
                form.typed.pop();
            }
        }
    }
    match caller.state.seal.close(&parcel) {
        Ok(sealed) => keep(caller, &sealed, &parcel),
        Err(error) => return refuse(error.into()),
    }
    Redirect::to(page).into_response()
}

/// The forms of a parcel, in the order in which their fields get the room.
const FORMS: [fn(&mut Parcel) -> Option<&mut ReturnedForm>; 2] = [
    |parcel| parcel.waiting.as_mut().map(|it| &mut it.form),
    |parcel| parcel.shown.as_mut(),
];

/// Sets the cookie, for as long as something in it is good.
fn keep(caller: &Caller, sealed: &str, parcel: &Parcel) {
    let now = caller.state.clock.now_s();
    let left = parcel.waiting.as_ref().map_or(0, |it| it.until - now);
    caller.cookies.send_form(sealed, left.max(RETURNS_WITHIN_S));
}

/// Whether a cookie has room in so many octets, once it is sealed and in base64url.
fn fits(parcel: &Parcel, room: usize) -> bool {
    let packed = parcel.pack().map_or(usize::MAX / 8, |packed| packed.len());
    (packed + secret::SEAL_OVERHEAD) * 4 / 3 + 2 <= room
}

fn path_of(page: &str) -> &str {
    page.split('?').next().unwrap_or("/")
}

/// Opens the cookie, without what is for another user or over.
fn open(caller: &Caller, sealed: &str) -> Parcel {
    let Parcel { shown, waiting } = caller.state.seal.open(sealed).unwrap_or_default();
    let now = caller.state.clock.now_s();
    let is_theirs = |it: &Waiting| {
        let session = caller.session.as_ref();
        session.is_none_or(|session| session.user_id == it.user_id)
    };
    Parcel {
        shown,
        waiting: waiting.filter(|it| now < it.until && is_theirs(it)),
    }
}

/// Before a page is rendered: opens a form that came back, and takes its cookie away. A form that
/// waits keeps the cookie until its user has signed in and is on its page.
///
/// # Errors
/// A redirect to the same page without what a stranger's link would have it say.
pub fn take_returned(mut request: Request) -> Result<Request, Box<Response>> {
    // The framework would show, as a form's error, what the link says here.
    let query = request.uri().query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "__err") {
        let path = local_path(request.uri().path()).unwrap_or("/");
        return Err(Box::new(Redirect::to(path).into_response()));
    }
    let Some(caller) = request.extensions().get::<Caller>() else {
        return Ok(request);
    };
    let Some(sealed) = &caller.form else {
        return Ok(request);
    };
    let Parcel { mut shown, waiting } = open(caller, sealed);
    let path = request.uri().path();
    let is_due = |it: &Waiting| caller.session.is_some() && it.page == path;
    // A sign-in that failed before one that worked has nothing to say any more.
    let is_past = |form: &ReturnedForm| form.function == "sign_in";
    match waiting {
        Some(it) if shown.as_ref().is_none_or(is_past) && is_due(&it) => {
            shown = Some(it.form);
            caller.cookies.clear_form();
        }
        Some(it) if shown.is_some() => {
            let parcel = Parcel {
                shown: None,
                waiting: Some(it),
            };
            match caller.state.seal.close(&parcel) {
                Ok(sealed) => keep(caller, &sealed, &parcel),
                Err(_) => caller.cookies.clear_form(),
            }
        }
        Some(_) => {}
        None => caller.cookies.clear_form(),
    }
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown);
    }
    Ok(request)
}

/// Seals and opens forms on their way: they hold what a user typed, and no attacker can make one.
pub struct Seal(secret::Seal);

impl Seal {
    /// Keys for this purpose alone, from the deployment's secret.
    ///
    /// # Errors
    /// If no key can be derived.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        secret::Seal::new(secret, "returned form").map(Self)
    }

    fn close(&self, parcel: &Parcel) -> Result<String, Error> {
        self.0.close(parcel.pack()?, "")
    }

    fn open(&self, sealed: &str) -> Option<Parcel> {
        Parcel::unpack(&self.0.open(sealed, "")?)
    }
}
