//! What the tabs of a browser tell each other about its session.

use crate::wire::page_account::PageAccount;

/// Script of every page, in the page itself: it tells the browser's other tabs which account it is
/// of, or that the browser is signed in to none.
///
/// A page with a session reloads when another tab is of another account, and when the browser brings
/// it back from memory, so that nothing private stays in sight.
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
