//! The Rust suite. Every test enters by the public door: the real router over real HTTP, with a
//! database of its own. On SQLite, or on PostgreSQL where `CLOAKROOM_TEST_POSTGRES` names one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod addresses;
mod addresses_of_before;
mod api_keys;
mod app;
mod asvs;
mod browser_copies;
mod build;
mod clock;
mod commands;
mod config;
mod cookie_check;
mod copies;
mod cross_site;
mod delete_account;
mod doctor;
mod doors;
mod failed_sign_ins;
mod fields;
mod flags;
mod floods;
mod forms;
mod forward_auth;
mod forwarded;
mod grants;
mod guide;
mod health;
mod histories;
mod hostile;
mod interleavings;
mod kinds;
mod known_browsers;
mod late_answers;
mod limits;
mod log_faults;
mod log_lines;
mod oidc;
mod opening;
mod page_account;
mod passwords;
mod place;
mod process;
mod providers;
mod proxies;
mod proxy;
mod rehash;
mod retention;
mod return_addresses;
mod revocable;
mod secret_exchange;
mod sent_twice;
mod session_token;
mod sessions;
mod set_password;
mod shape;
mod shorter_times;
mod signals;
mod site;
mod statements;
mod supervision;
mod terminal;
mod two_holders;
mod unknown_addresses;
mod users;
mod v1;
#[cfg(not(feature = "lab"))]
mod without_lab;
mod wrong_settings;
