//! Deployments as operators have them: real processes, each beside a PostgreSQL of the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../app.rs"]
mod app;
mod harness;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../place.rs"]
mod place;
#[path = "../servers.rs"]
mod servers;
