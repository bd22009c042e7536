//! What the tabs of a browser tell each other about its session, and the files that keep what a user
//! has typed when the session ends.

use crate::wire::page_account::PageAccount;
use leptos::{nonce::Nonce, prelude::*};

/// Script of every page, in the page itself: it tells the browser's other tabs which account it is
/// of, or that the browser is signed in to none.
///
/// A page with a session reloads when another tab is of another account, and when the browser brings
/// it back from memory, so that nothing private stays in sight. `public/session.js` takes the first
/// over as soon as it is there: it keeps what the user has typed.
pub fn script(account: Option<&PageAccount>) -> String {
    let Some(PageAccount { tag, number, .. }) = account else {
        return r#"new BroadcastChannel("cloakroom").postMessage(0)"#.to_owned();
    };
    format!(
        "const tabs=new BroadcastChannel(\"cloakroom\");\
         tabs.postMessage([\"{tag}\",{number},Date.now()]);\
         tabs.onmessage=e=>{{if(e.data?.[0]!==\"{tag}\")location.reload()}};\
         addEventListener(\"pageshow\",e=>{{if(e.persisted)location.reload()}})"
    )
}

/// Script and style sheet of pages with a session. The script warns before the session ends, asks for
/// the password in place when it has, and names the account in every call.
pub fn files(account: PageAccount, nonce: Option<Nonce>) -> impl IntoView {
    view! {
        <link rel="stylesheet" href="/session.css" />
        <link rel="modulepreload" href="/session-dialog.js" nonce=nonce.clone() />
        <script
            type="module"
            src="/session.js"
            nonce=nonce
            data-account=account.tag
            data-email=account.email
            data-number=account.number.to_string()
            data-idle-timeout-s=account.idle_timeout_s.to_string()
            data-left-s=account.left_s.to_string()
        ></script>
    }
}
