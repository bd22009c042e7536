//! A form with a password that is sent again: by a second click, or because its response was lost.
//!
//! The first request gave the session a new sid, so that the second one shows a cookie that signs no
//! browser in. It goes on in the session by the password alone, for a minute: a holder of a copied cookie
//! gets nothing that the sign-in page would not give for the same password.

use super::{VERIFICATIONS_MAX, keep_hash, password::verify_as, replaced_too_often};
use crate::{
    server::{
        activity::Kind,
        caller::Caller,
        error::Error,
        fields::{Email, TypedPassword},
        limits::Guesser,
        passwords::Asker,
        sessions::{self, Change, Proof},
    },
    wire::{self, users::PasswordChanged},
};

/// Later entries of the activity, in seconds, belong to another request.
const RECORDED_WITHIN_S: i64 = 5;

/// Goes on in the session whose sid the same form replaced. The password is the one that is right
/// since then. Answers as the first request did.
///
/// # Errors
/// [`wire::Error::SignInNeeded`] or [`wire::Error::PasswordChanged`] if there is no such session or the
/// password is wrong.
pub(super) async fn go_on(
    caller: &Caller,
    proof: Proof,
    password: String,
) -> Result<PasswordChanged, Error> {
    let state = &caller.state;
    let named = caller.named_session().ok_or(wire::Error::SignInNeeded)?;
    let now = state.clock.now_s();
    let replaced = sessions::find_replaced(state.db.pool(), named, proof, now).await?;
    let Some(replaced) = replaced else {
        return Err(over(caller).await);
    };
    let Some(session) = sessions::find(state, &replaced.now).await? else {
        return Err(over(caller).await);
    };
    let read = (TypedPassword::parse(password), Email::parse(&session.email));
    let (Ok(password), Ok(email)) = read else {
        return Err(over(caller).await);
    };
    // A holder of a copied cookie takes no try away from the signed-in owner.
    let guesser = Guesser::Anonymous { email: &email };
    let who = (guesser, Asker::anonymous(caller.visitor.address));
    for _ in 0..VERIFICATIONS_MAX {
        let (hash, kept) = match verify_as(caller, &session, who, "password", &password).await {
            Err(Error::Theirs(wire::Error::Fields { .. })) => return Err(over(caller).await),
            verified => verified?,
        };
        let mut change = Change::begin(state).await?;
        if !keep_hash(&mut change, &session.user_id, &hash, &kept).await? {
            continue;
        }
        // A third request may have gone on meanwhile.
        let replaced = sessions::find_replaced(&mut *change, named, proof, now).await?;
        let replaced = replaced.ok_or(wire::Error::SignInNeeded)?;
        let (id, cookie) = sessions::restart_again(state, &mut change, &replaced).await?;
        let done = done(&mut change, &session.user_id, &id, replaced.at).await?;
        cookie.commit(caller, change).await?;
        tracing::info!(
            event = "form_repeated",
            user = session.user_id,
            session = id
        );
        return Ok(done);
    }
    Err(replaced_too_often())
}

async fn over(caller: &Caller) -> Error {
    let why = sessions::why_over(caller).await;
    why.map_or_else(|error| error, Error::Theirs)
}

/// Reads what the change of the password did from the activity of this session.
async fn done(
    change: &mut Change,
    user_id: &str,
    session_id: &str,
    since: i64,
) -> Result<PasswordChanged, Error> {
    let entries: Vec<(String, i64)> = sqlx::query_as(
        "SELECT kind, how_many FROM activity WHERE user_id = $1 AND session_id = $2 \
            AND at_ms >= $3 AND at_ms < $4 ORDER BY at_ms, id",
    )
    .bind(user_id)
    .bind(session_id)
    .bind(since * 1000)
    .bind((since + RECORDED_WITHIN_S) * 1000)
    .fetch_all(&mut **change)
    .await?;
    let how_many = |kind: Kind| {
        let entry = entries.iter().find(|(code, _)| code == kind.code());
        entry.map_or(0, |(_, count)| u32::try_from(*count).unwrap_or(0))
    };
    Ok(PasswordChanged {
        count: how_many(Kind::PasswordChanged),
        keys: how_many(Kind::ApiKeyRevoked),
        apps: how_many(Kind::AppRevoked),
        next: "/account/security".to_owned(),
    })
}
