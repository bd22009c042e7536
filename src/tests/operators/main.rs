//! Deployments as operators have them: real processes, each beside a PostgreSQL of the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says where"
)]

mod addresses;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../app.rs"]
mod app;
mod faults;
mod harness;
mod line;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../place.rs"]
mod place;
mod poolers;
mod refused;
#[path = "../servers.rs"]
mod servers;
mod storm;
mod tls;

/// The command that makes the tables of a new database.
const ADD: [&str; 4] = ["user", "add", "--email", app::EMAIL];

/// A folder to run in. All of a test that share a database share its signing secret.
fn place(database: &str) -> place::Place {
    place::Place::new().with("DATABASE_URL", database).with(
        "CLOAKROOM_SECRET_KEY",
        "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4",
    )
}
