//! What somebody lets programs do: one file of the download.

mod apps;
mod consent;
mod keys;

crate::app::lazy::pages_of_one_file! {
    programs, __preload_programs:
    /// `/account/apps`
    Apps = apps::Apps,
    /// `/consent`
    Consent = consent::Consent,
    /// `/account/keys`
    Keys = keys::Keys,
}
