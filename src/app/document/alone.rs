//! The pages of HTML alone, where no page of the app is.

use super::{Files, developers::Developers, html_alone};
use crate::{
    app::parts::layout::{Foot, Stray, Top},
    wire::documents::{Document, NotKept},
};
use leptos::prelude::*;

/// A whole page that the server answers with where no page of the app is.
pub fn document(files: &Files, document: &Document) -> String {
    match document.clone() {
        Document::GoingOn { to, host } => {
            let refresh = format!("0; url={to}");
            let more = view! { <meta http-equiv="refresh" content=refresh /> };
            html_alone(files, "Going on · Cloakroom", more, move || {
                view! { <GoingOn to=to host=host /> }
            })
        }
        Document::ConfirmSignOut { fields } => {
            html_alone(files, "Sign out · Cloakroom", (), move || {
                view! { <ConfirmSignOut fields=fields /> }
            })
        }
        Document::SignedOut => html_alone(files, "Cloakroom", (), || {
            let then = "Apps that you signed in to from here may have a sign-out of their own.";
            view! { <Stray what="You are signed out." then=then /> }
        }),
        Document::Developers(reference) => {
            html_alone(files, "For developers · Cloakroom", (), move || {
                let reference = (*reference).clone();
                view! { <Developers reference=reference /> }
            })
        }
        Document::CookieNotKept { why, site, sign_in } => {
            html_alone(files, "You are not signed in · Cloakroom", (), move || {
                view! { <CookieNotKept why=why site=site sign_in=sign_in /> }
            })
        }
        Document::UnknownApp => html_alone(files, "Cloakroom", (), || {
            let what = "This link to sign in does not work.";
            let then = "The app that sent you here is not known here, or not at the address it \
                        wants you back at. Whoever runs it can put that right.";
            view! { <Stray what=what then=then /> }
        }),
    }
}

/// Another site's link asks whether somebody wants to sign out here.
#[component]
pub fn ConfirmSignOut(
    /// What the form sends along.
    fields: Vec<(String, String)>,
) -> impl IntoView {
    let fields = fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    view! {
        <Top />
        <main id="main" class="wrap stray" tabindex="-1">
            <h1>"Do you want to sign out?"</h1>
            <p class="quiet">"This signs you out of your account on this device."</p>
            <form method="post" action="/oauth2/logout/confirmed" class="row">
                {fields}
                <button class="btn primary" type="submit">
                    "Sign out"
                </button>
                <a class="btn" href="/account">
                    "Stay signed in"
                </a>
            </form>
        </main>
        <Foot />
    }
}

/// Says why a right password signed no user in, and what to do.
#[component]
pub fn CookieNotKept(
    /// Why the browser did not keep the cookie.
    why: NotKept,
    /// Configured origin to sign in at instead.
    site: Option<String>,
    /// Address of the sign-in page.
    sign_in: String,
) -> impl IntoView {
    let (reason, what_to_do) = match (why, site.is_some()) {
        (NotKept::PlainHttp, true) => (
            "This address begins with http, so what you send can be read on the way, and your \
             browser does not keep you signed in.",
            "Open the encrypted address and sign in there.",
        ),
        (NotKept::PlainHttp, false) => (
            "This address begins with http, so what you send can be read on the way, and your \
             browser does not keep you signed in.",
            "Ask the people who run this server for an address that begins with https.",
        ),
        (NotKept::OtherAddress, _) => (
            "Your browser did not keep the cookie that signs you in.",
            "Open this server's usual address and sign in there, or allow cookies for this site in \
             your browser's settings.",
        ),
        (NotKept::Blocked, _) => (
            "Your browser blocks cookies for this site, and a cookie is what signs you in.",
            "Allow cookies for this site in your browser's settings, then sign in again.",
        ),
    };
    let go_on = site.map_or("Sign in again".to_owned(), |site| format!("Open {site}"));
    view! {
        <Top />
        <main id="main" class="wrap stray" tabindex="-1">
            <h1>"You are not signed in"</h1>
            <p>"Nothing is wrong with your password. " {reason}</p>
            <p>{what_to_do}</p>
            <a class="btn primary" href=sign_in>
                {go_on}
            </a>
        </main>
        <Foot />
    }
}

/// On the way to another site, where the browser does not go by itself.
#[component]
pub fn GoingOn(
    /// The whole address.
    to: String,
    /// Its host.
    host: String,
) -> impl IntoView {
    view! {
        <Top />
        <main id="main" class="wrap stray" tabindex="-1">
            <h1>"Going on to " {host}</h1>
            <p class="quiet">"If nothing happens in a moment, go on by yourself."</p>
            <a class="btn primary" href=to>
                "Go on"
            </a>
        </main>
        <Foot />
    }
}
