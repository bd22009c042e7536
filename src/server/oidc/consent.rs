//! What the page asks a person, and what they say.

use super::{
    authorize,
    request::{Addressed, once_allowed, once_confirmed, once_denied},
};
use crate::{
    server::{
        activity::{self, Kind},
        caller::Caller,
        error::Error,
        fields::shown,
        grants,
        sessions::{Change, Session},
    },
    wire::{self, grants::AppRequest, users::GoOn},
};

/// Page that asks for consent. Its query is the client's request.
pub const PATH: &str = "/consent";

/// What is asked for, in what the page needs to say it.
///
/// # Errors
/// [`wire::Error::BadRequest`] if it is no request that can be answered.
pub async fn describe(
    caller: &Caller,
    session: &Session,
    query: &str,
) -> Result<AppRequest, Error> {
    let state = &caller.state;
    let addressed = Addressed::read(state, query).await?;
    let addressed = addressed.map_err(|_| wire::Error::BadRequest)?;
    let wanted = addressed.wanted().map_err(|_| wire::Error::BadRequest)?;
    let is_stale = wanted.is_stale(session, state.clock.now_s());
    Ok(AppRequest {
        name: addressed.client.name.clone(),
        host: addressed.host(),
        scopes: wanted.scopes.iter().map(str::to_owned).collect(),
        email: shown(&session.email),
        confirm_first: is_stale.then(|| authorize::again(&once_confirmed(query))),
    })
}

/// Takes the person's word. Where they go on to hands out the code, or says no.
///
/// # Errors
/// [`wire::Error::BadRequest`] if it is no request that can be answered;
/// [`wire::Error::RecentSignInNeeded`] if they are to show first who they are.
pub async fn decide(
    caller: &Caller,
    session: &Session,
    query: &str,
    is_allowed: bool,
) -> Result<GoOn, Error> {
    let state = &caller.state;
    let addressed = Addressed::read(state, query).await?;
    let addressed = addressed.map_err(|_| wire::Error::BadRequest)?;
    if !is_allowed {
        let next = authorize::again(&once_denied(query));
        return Ok(GoOn { next });
    }
    let wanted = addressed.wanted().map_err(|_| wire::Error::BadRequest)?;
    if wanted.is_stale(session, state.clock.now_s()) {
        return Err(wire::Error::RecentSignInNeeded.into());
    }
    let mut change = Change::begin(state).await?;
    grants::hold(&mut change, session).await?;
    let client = &addressed.client;
    grants::open(&mut change, session, client, &wanted.scopes, true).await?;
    let (id, visitor) = (Some(session.id.as_str()), &caller.visitor);
    activity::record(
        &mut change,
        &session.user_id,
        Kind::AppAllowed,
        id,
        1,
        visitor,
    )
    .await?;
    change.commit().await?;
    tracing::info!(
        event = "app_allowed",
        client = client.id,
        user = session.user_id
    );
    Ok(GoOn {
        next: authorize::again(&once_allowed(query)),
    })
}
