//! A new account: the form's way and the operator's.

use super::sign_in;
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        cookie_check,
        db::Conn,
        error::Error,
        fields::{Email, NewPassword},
        known_browsers,
        passwords::Asker,
        sessions::{self, Change, Started},
        state::State,
    },
    wire::{self, Problem, fields::local_path, users::GoOn},
};
use std::net::Ipv4Addr;

/// Makes an account, signs its owner in, and goes on to `next` if that is a path of this site. Where
/// the address has an account, its password signs in to it: a form that is sent twice makes the
/// account with its first request.
///
/// # Errors
/// Field errors for what cannot be taken; an address is taken if the password is another.
pub async fn sign_up(
    caller: &Caller,
    email: &str,
    password: String,
    next: &str,
) -> Result<GoOn, Error> {
    let state = &caller.state;
    let visitor = &caller.visitor;
    state.limits.sign_up(visitor)?;
    let asker = Asker::anonymous(visitor.address);
    let prepared = prepare(state, email, password.clone(), asker).await;
    if matches!(prepared, Err(Error::Theirs(wire::Error::Busy { .. }))) {
        state.limits.give_back_sign_up(visitor);
    }
    let (address, hash) = prepared?;
    let mut change = Change::begin(state).await?;
    let Some(user_id) = insert(state, &mut change, &address, &hash).await? else {
        drop(change);
        return sign_in_instead(caller, email, password, next).await;
    };
    let Started { id, cookie } = sessions::start(caller, &mut change, &user_id, false).await?;
    let next = local_path(next).unwrap_or("/account?done=signed_up");
    let next = cookie_check::on_the_way_to(next, caller, &id, &user_id)?;
    activity::record(&mut change, &user_id, Kind::SignedUp, None, 1, visitor).await?;
    let marks = known_browsers::renew(caller, &address, &user_id)?;
    cookie.commit(caller, change).await?;
    marks.send(caller);
    tracing::info!(event = "signed_up", user = user_id, address = %visitor.address);
    Ok(GoOn { next })
}

/// Signs in to the account that has this address. It is counted, limited and recorded as any sign-in,
/// so that no attacker guesses more passwords here than there.
async fn sign_in_instead(
    caller: &Caller,
    email: &str,
    password: String,
    next: &str,
) -> Result<GoOn, Error> {
    match sign_in(caller, email, password, false, next).await {
        Err(Error::Theirs(wire::Error::WrongEmailOrPassword)) => Err(taken()),
        answer => answer,
    }
}

fn taken() -> Error {
    wire::Error::fields([("email", Some(Problem::Taken))]).into()
}

/// Makes an account without a session: the operator's way.
///
/// # Errors
/// Field errors as in [`sign_up`].
pub async fn add(state: &State, email: &str, password: String) -> Result<String, Error> {
    let asker = Asker::known(Ipv4Addr::LOCALHOST.into());
    let (email, hash) = prepare(state, email, password, asker).await?;
    let mut tx = state.db.write().await?;
    let user_id = insert(state, &mut tx, &email, &hash)
        .await?
        .ok_or_else(taken)?;
    tx.commit().await?;
    Ok(user_id)
}

/// Reads both fields, so that both problems are told at once, and hashes the password.
async fn prepare(
    state: &State,
    email: &str,
    password: String,
    asker: Asker,
) -> Result<(Email, String), Error> {
    let min = state.config.passwords.min_length;
    let typed_email = Email::parse(email);
    // A password beside an unreadable address is judged without knowing the address.
    let known = typed_email
        .as_ref()
        .map_or_else(|_| String::new(), Email::shown);
    let read = move || NewPassword::parse(password, min, &known);
    match (typed_email, state.hasher.hash(read, asker).await?) {
        (Ok(email), Ok(hash)) => Ok((email, hash)),
        (email, hash) => {
            Err(wire::Error::fields([("email", email.err()), ("password", hash.err())]).into())
        }
    }
}

/// Id of the new account; none if the address has one.
async fn insert(
    state: &State,
    connection: &mut Conn,
    email: &Email,
    hash: &str,
) -> Result<Option<String>, Error> {
    let inserted: Option<(String,)> = sqlx::query_as(
        "INSERT INTO users (id, email, email_key, password_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email_key) DO NOTHING RETURNING id",
    )
    .bind(state.random.id()?)
    .bind(email.to_string())
    .bind(email.key())
    .bind(hash)
    .bind(state.clock.now_s())
    .fetch_optional(connection)
    .await?;
    Ok(inserted.map(|(id,)| id))
}
