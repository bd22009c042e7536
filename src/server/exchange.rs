//! The exchange of the signing secret, one step at each call.
//!
//! A new secret is first the older one of every node, so that all verify it; then the newest, so that all
//! sign with it; then the secret before is dropped. The nodes are started anew between two steps. The
//! database knows which secrets each node has and which have signed, so that no step is taken too early.

use super::{
    api_keys, deployment,
    error::Error,
    nodes::{self, Node},
    secret::Secret,
    sessions::{self, Change},
    signing_keys,
    state::State,
};
use std::path::Path;

/// Cookies that were made this long after the last sign of life of their secret's last node may be of
/// that secret, in seconds.
const MARGIN_S: i64 = 60;

/// Where this process has its secret from.
pub enum Source<'a> {
    /// A file, which the exchange edits.
    File(&'a Path),
    /// A setting, which the operator edits: the name of its variable, or its file.
    Setting(String),
}

/// What the last step may end.
#[derive(Clone, Copy)]
pub struct MayEnd {
    /// Sessions whose browser has a cookie of the old secret alone.
    pub sessions: bool,
    /// API keys of the old secret, which may be known to an attacker.
    pub api_keys: bool,
}

/// What is to be done next.
enum Step {
    /// No exchange is under way.
    Add,
    /// Every node verifies the new secret, which is at this place.
    Sign(usize),
    /// Every node signs with the new secret.
    Drop,
}

/// Takes the next step; the lines to print.
///
/// # Errors
/// Says what to do if the step before is not complete, and what the last step would end.
pub async fn rotate(
    state: &State,
    secret: &Secret,
    source: Source<'_>,
    may_end: MayEnd,
) -> Result<Vec<String>, Error> {
    let mut change = Change::begin(state).await?;
    deployment::take_turn(&mut change).await?;
    let others = nodes::others(state, &mut change).await?;
    let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM secrets ORDER BY id")
        .fetch_all(&mut *change)
        .await?;
    let signed: Vec<String> = rows.into_iter().map(|(id,)| id).collect();
    let step = next_step(&state.secrets, &signed, &others)?;
    if may_end.api_keys && !matches!(step, Step::Drop) {
        let lines = end_api_keys_of_dropped(state, &mut change, &signed, step).await?;
        change.commit().await?;
        return Ok(lines);
    }
    let (next, mut lines) = match step {
        Step::Add => {
            let next = secret.with_new(&state.random)?;
            (next, step_lines(&source, 1))
        }
        Step::Sign(index) => (secret.with_first(index), step_lines(&source, 2)),
        Step::Drop => {
            let kept = drop_older(state, &mut change, may_end).await?;
            let mut lines = step_lines(&source, 3);
            lines.extend(kept);
            (secret.newest_alone(), lines)
        }
    };
    change.commit().await?;
    match source {
        Source::File(file) => next.write_over(file, &state.random)?,
        Source::Setting(_) if matches!(step, Step::Add) => lines.push(next.reveal_last()),
        Source::Setting(_) => {}
    }
    Ok(lines)
}

fn refused(why: &str) -> Error {
    Error::Config(format!("Nothing was changed: {why}."))
}

/// Finds the step that comes next, by the secrets of this process, those that have signed, and the nodes
/// that serve.
fn next_step(own: &[String], signed: &[String], others: &[Node]) -> Result<Step, Error> {
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let has_signed = |secret: &String| signed.contains(secret);
    if others
        .iter()
        .any(|node| node.secrets.iter().any(|secret| !own.contains(secret)))
    {
        return Err(refused(
            "a running server has a signing secret that this command does not have; run it with the \
             same secrets, or start that server anew with those of this command",
        ));
    }
    if !has_signed(newest) {
        return Err(refused(
            "no server has been started with the newest secret yet; start every server anew, one \
             after the other",
        ));
    }
    let behind = |is_ready: &dyn Fn(&Node) -> bool| {
        let count = others.iter().filter(|node| !is_ready(node)).count();
        (count > 0).then(|| format!("{count} of {}", others.len()))
    };
    let all_have_all = |node: &Node| own.iter().all(|secret| node.has(secret));
    if let Some(count) = behind(&all_have_all) {
        return Err(refused(&format!(
            "running servers that do not have all secrets of this command: {count}; start them anew \
             with these"
        )));
    }
    if let Some(index) = own.iter().position(|secret| !has_signed(secret)) {
        return Ok(Step::Sign(index));
    }
    if own.len() == 1 {
        return Ok(Step::Add);
    }
    match behind(&|node| node.signs_with(newest)) {
        Some(count) => Err(refused(&format!(
            "running servers that still sign with the older secret: {count}; start them anew"
        ))),
        None => Ok(Step::Drop),
    }
}

/// Makes sure that dropping the older secrets ends no more than it may; the lines that say what stays.
async fn drop_older(
    state: &State,
    change: &mut Change,
    may_end: MayEnd,
) -> Result<Vec<String>, Error> {
    let older = state.secrets.get(1..).unwrap_or_default();
    let until = last_cookie_of(change, older).await?;
    let (sessions, ends_at) = with_old_cookie(change, until).await?;
    if sessions > 0 && !may_end.sessions {
        let days = (ends_at - change.now_s()).div_euclid(86_400) + 1;
        return Err(refused(&format!(
            "{} of the old secret alone and would be signed out; wait until their users have come \
             back, {days} {} at most, or add --sign-out",
            counted(sessions, "session has a cookie", "sessions have cookies"),
            if days == 1 { "day" } else { "days" }
        )));
    }
    signing_keys::close_anew(state, change).await?;
    state.api_keys.close_anew(change).await?;
    let mut lines = Vec::new();
    if may_end.api_keys {
        lines.push(end_api_keys(change, older, until).await?);
    } else {
        let live = api_keys::count_live(change, until).await?;
        lines.push(format!(
            "{} made with the old secret and {} good. If an attacker may have that secret, API keys \
             can be forged: `cloakroom secret rotate --end-api-keys` ends them.",
            counted(live, "API key was", "API keys were"),
            if live == 1 { "stays" } else { "stay" }
        ));
    }
    for id in older {
        sqlx::query("UPDATE secrets SET dropped_at = $1 WHERE id = $2")
            .bind(change.now_s())
            .bind(id)
            .execute(&mut **change)
            .await?;
    }
    if sessions > 0 {
        let ended = sessions::end_with_cookie_until(change, until).await?;
        lines.push(counted(i64::from(ended), "session ended", "sessions ended") + ".");
    }
    Ok(lines)
}

/// The time until which cookies and API keys may be of these secrets, in Unix seconds.
async fn last_cookie_of(change: &mut Change, secrets: &[String]) -> Result<i64, Error> {
    let mut last_signed_at = i64::MIN;
    for id in secrets {
        let (at,): (i64,) = sqlx::query_as("SELECT last_signed_at FROM secrets WHERE id = $1")
            .bind(id)
            .fetch_one(&mut **change)
            .await?;
        last_signed_at = last_signed_at.max(at);
    }
    Ok(last_signed_at.saturating_add(MARGIN_S))
}

/// Ends the API keys of these secrets, those that an attacker may forge included; the line that says so.
async fn end_api_keys(
    change: &mut Change,
    secrets: &[String],
    until: i64,
) -> Result<String, Error> {
    let now = change.now_s();
    let ended = api_keys::revoke_made_until(change, until).await?;
    api_keys::end_secrets(change, secrets, now).await?;
    Ok(counted(i64::from(ended), "API key ended", "API keys ended") + ".")
}

/// Ends the API keys of secrets that earlier exchanges dropped.
async fn end_api_keys_of_dropped(
    state: &State,
    change: &mut Change,
    signed: &[String],
    step: Step,
) -> Result<Vec<String>, Error> {
    let dropped: Vec<String> = signed
        .iter()
        .filter(|id| !state.secrets.contains(id))
        .cloned()
        .collect();
    if dropped.is_empty() || !matches!(step, Step::Add) {
        return Err(refused(
            "--end-api-keys goes with the last step, which drops the old secret, or follows it",
        ));
    }
    let until = last_cookie_of(change, &dropped).await?;
    Ok(vec![
        end_api_keys(change, &dropped, until).await?,
        "Start each server anew, so that none takes forged ones.".to_owned(),
    ])
}

/// Counts the live sessions whose browser has only cookies made until this time, in Unix seconds, and says
/// when the last of them is over.
async fn with_old_cookie(change: &mut Change, until: i64) -> Result<(i64, i64), Error> {
    let counted = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(MAX(CASE WHEN ends_at < last_seen_at + idle_timeout_s \
            THEN ends_at ELSE last_seen_at + idle_timeout_s END), 0) \
         FROM sessions WHERE ended_at IS NULL AND ends_at > $1 \
           AND last_seen_at + idle_timeout_s > $1 \
           AND (renewed_at <= $2 OR (successor_seen_at IS NULL AND created_at <= $2))",
    )
    .bind(change.now_s())
    .bind(until)
    .fetch_one(&mut **change)
    .await?;
    Ok(counted)
}

fn counted(count: i64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// The lines about a step: what it did, or what the operator is to do, and what comes next.
fn step_lines(source: &Source<'_>, step: u8) -> Vec<String> {
    let done = match (source, step) {
        (Source::File(file), 1) => format!(
            "Step 1 of 3: added a new secret to {} as the older one. It verifies, and signs nothing yet.",
            file.display()
        ),
        (Source::File(file), 2) => {
            format!(
                "Step 2 of 3: put the new secret first in {}. It signs.",
                file.display()
            )
        }
        (Source::File(file), _) => {
            format!(
                "Step 3 of 3: took the old secret out of {}.",
                file.display()
            )
        }
        (Source::Setting(place), 1) => format!(
            "Step 1 of 3: on every server, add a comma and the new secret below at the end of \
             {place}. It verifies, and signs nothing yet."
        ),
        (Source::Setting(place), 2) => format!(
            "Step 2 of 3: on every server, put the new secret first in {place}, and the old one \
             after the comma. It signs."
        ),
        (Source::Setting(place), _) => {
            format!("Step 3 of 3: on every server, take the old secret out of {place}.")
        }
    };
    let with_file = match source {
        Source::File(_) => "Copy that file to every other server and start",
        Source::Setting(_) => "Then start",
    };
    let next = if step == 3 {
        format!("{with_file} each server anew, one after the other. The exchange is complete.")
    } else {
        format!(
            "{with_file} each server anew, one after the other. Then run `cloakroom secret rotate` again."
        )
    };
    vec![done, next]
}
