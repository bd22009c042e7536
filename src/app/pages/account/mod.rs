//! The account itself: one file of the download.

mod activity;
mod overview;
mod revocable;
mod security;
mod sessions;

crate::app::lazy::pages_of_one_file! {
    account, __preload_account:
    /// `/account`
    Account = overview::Account,
    /// `/account/activity`
    Activity = activity::Activity,
    /// `/account/security`
    Security = security::Security,
    /// `/account/sessions`
    Sessions = sessions::Sessions,
}
