//! The processes that serve this database, and the signing secrets that each has.
//!
//! A node signs with its newest secret, and every other node has to verify that. So a node does not begin
//! to serve while another one lacks its newest secret, or signs with one that it lacks itself.

use super::{
    db::{Conn, Tx},
    deployment,
    error::Error,
    sessions, signing_keys,
    state::State,
    tasks::supervise,
};
use std::time::Duration;

/// A node on PostgreSQL writes this often that it is alive.
const SEEN_EVERY: Duration = Duration::from_secs(5);
/// A node that was not seen for longer has ended, in seconds.
const GONE_AFTER_S: i64 = 30;
/// The row of a node that was killed is deleted when another node starts so much later, in seconds.
const FORGOTTEN_AFTER_S: i64 = 3_600;

/// The task that says that this node is alive.
const TASK: &str = "nodes";

/// A process that serves.
pub struct Node {
    /// Fingerprints of its secrets, the newest first.
    pub secrets: Vec<String>,
}

impl Node {
    /// Whether it verifies what this secret signs.
    pub fn has(&self, secret: &str) -> bool {
        self.secrets.iter().any(|own| own == secret)
    }

    /// Whether it signs with this secret.
    pub fn signs_with(&self, secret: &str) -> bool {
        self.secrets.first().is_some_and(|newest| newest == secret)
    }
}

/// Reads the nodes that serve, this process not among them. On SQLite that is one at most, and its lock
/// says whether it lives.
///
/// # Errors
/// If the database does not answer.
pub async fn others(state: &State, tx: &mut Conn) -> Result<Vec<Node>, Error> {
    if let Some(file) = state.db.file()
        && !sessions::is_served(file)?
    {
        return Ok(Vec::new());
    }
    let seen_after = match state.db.file() {
        Some(_) => i64::MIN,
        None => database_now_s(state, tx).await? - GONE_AFTER_S,
    };
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT secrets FROM nodes WHERE id <> $1 AND seen_at > $2 ORDER BY id")
            .bind(&state.node)
            .bind(seen_after)
            .fetch_all(tx)
            .await?;
    let node = |(secrets,): (String,)| Node {
        secrets: secrets.split(' ').map(str::to_owned).collect(),
    };
    Ok(rows.into_iter().map(node).collect())
}

/// The time by which nodes are alive, in Unix seconds: their own clocks may differ.
async fn database_now_s(state: &State, tx: &mut Conn) -> Result<i64, Error> {
    if state.db.file().is_some() {
        return Ok(state.clock.now_s());
    }
    let (now,): (i64,) =
        sqlx::query_as("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)")
            .fetch_one(tx)
            .await?;
    Ok(now)
}

/// Begins to serve as one of the nodes: its newest secret becomes the deployment's, and what older secrets
/// closed in the database is closed with it. On SQLite this process holds the lock of the one server.
///
/// # Errors
/// Says what to do if a node that serves would refuse what this one signs, or the other way round.
pub async fn join(state: &State) -> Result<(), Error> {
    let own = &state.secrets;
    let newest = own.first().ok_or(Error::Crypto("no key"))?;
    let mut tx = state.db.write().await?;
    deployment::take_turn(&mut tx).await?;
    let named = deployment::require_named(&mut tx, own).await?;
    require_not_dropped(&mut tx, newest).await?;
    if state.db.file().is_some() {
        // Those of processes that were killed.
        sqlx::query("DELETE FROM nodes").execute(&mut *tx).await?;
    } else {
        require_agreement(state, &mut tx, newest).await?;
    }
    let seen_at = database_now_s(state, &mut tx).await?;
    sqlx::query("DELETE FROM nodes WHERE seen_at < $1")
        .bind(seen_at - FORGOTTEN_AFTER_S)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO nodes (id, secrets, seen_at) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
    )
    .bind(&state.node)
    .bind(own.join(" "))
    .bind(seen_at)
    .execute(&mut *tx)
    .await?;
    let (known,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM secrets")
        .fetch_one(&mut *tx)
        .await?;
    // A database of a release that did not note them: any of them may have signed.
    let signed = if known == 0 { own.as_slice() } else { &[] };
    for secret in signed.iter().chain([newest, &named]) {
        note_signed(state, &mut tx, secret).await?;
    }
    deployment::name(&mut tx, newest).await?;
    signing_keys::close_anew(state, &mut tx).await?;
    state.api_keys.close_anew(&mut tx).await?;
    Ok(tx.commit().await?)
}

async fn require_agreement(state: &State, tx: &mut Tx, newest: &str) -> Result<(), Error> {
    for node in others(state, tx).await? {
        let theirs = node.secrets.first();
        if !node.has(newest) {
            return Err(Error::Config(
                "A node that serves this database does not have this node's newest signing secret, \
                 and would sign its users out. Give every node the new secret after the old one \
                 first, as `cloakroom secret rotate` does step by step; a node that has just been \
                 killed counts for 30 seconds."
                    .to_owned(),
            ));
        }
        if theirs.is_some_and(|theirs| !state.secrets.contains(theirs)) {
            return Err(Error::Config(
                "A node that serves this database signs with a secret that this node does not \
                 have. Give this node all secrets of the others; a node that has just been killed \
                 counts for 30 seconds."
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

/// Refuses to sign with a secret that an exchange has dropped: the nodes that are started without it would
/// refuse what is signed, and the deployment as one of another secret.
async fn require_not_dropped(tx: &mut Conn, newest: &str) -> Result<(), Error> {
    let dropped: Option<(String,)> =
        sqlx::query_as("SELECT id FROM secrets WHERE id = $1 AND dropped_at IS NOT NULL")
            .bind(newest)
            .fetch_optional(tx)
            .await?;
    if dropped.is_some() {
        return Err(Error::Config(
            "This node's newest signing secret was dropped by `cloakroom secret rotate`. Give this node the \
             secrets that the others have."
                .to_owned(),
        ));
    }
    Ok(())
}

/// Notes that a node may have signed with this secret until now.
async fn note_signed(state: &State, tx: &mut Conn, secret: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO secrets (id, last_signed_at) VALUES ($1, $2) \
         ON CONFLICT (id) DO UPDATE SET last_signed_at = excluded.last_signed_at \
         WHERE secrets.last_signed_at < excluded.last_signed_at",
    )
    .bind(secret)
    .bind(state.clock.now_s())
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes now and then that this node is alive, until it stops. Embedded databases have a lock for that.
pub fn stay(state: &State) {
    if state.db.file().is_some() {
        return;
    }
    supervise(state, TASK, |state| async move {
        let mut is_logged = false;
        while !state.db.is_closed() {
            tokio::time::sleep(SEEN_EVERY).await;
            match is_known(&state).await {
                Ok(true) | Err(Error::Database(_)) => {}
                // A command has taken the row away, and with it perhaps the secret; or the node was silent
                // for too long.
                Ok(false) | Err(_) => match join(&state).await {
                    Err(error @ Error::Config(_)) => {
                        state.tasks.stop(TASK);
                        if !is_logged {
                            is_logged = true;
                            tracing::error!(
                                event = "node_not_of_this_deployment",
                                %error,
                                "this node may serve no longer and is not ready: start it anew"
                            );
                        }
                    }
                    Err(_) => {}
                    Ok(()) => {
                        is_logged = false;
                        state.tasks.go_on(TASK);
                    }
                },
            }
        }
    });
}

/// Writes that this node is alive and signs. Whether the database knows it, and other nodes did not take it
/// for one that has ended: they may have gone on with an exchange of the secret.
async fn is_known(state: &State) -> Result<bool, Error> {
    let mut connection = state.db.for_tasks().acquire().await?;
    let seen_at = database_now_s(state, &mut connection).await?;
    let seen = sqlx::query("UPDATE nodes SET seen_at = $1 WHERE id = $2 AND seen_at > $3")
        .bind(seen_at)
        .bind(&state.node)
        .bind(seen_at - GONE_AFTER_S)
        .execute(&mut connection)
        .await?;
    if let Some(newest) = state.secrets.first() {
        sqlx::query("UPDATE secrets SET last_signed_at = $1 WHERE id = $2 AND last_signed_at < $1")
            .bind(state.clock.now_s())
            .bind(newest)
            .execute(&mut connection)
            .await?;
    }
    Ok(seen.rows_affected() > 0)
}

/// Ends to serve as one of the nodes. A database that is away forgets the node by itself.
pub async fn leave(state: &State) {
    let left = async {
        is_known(state).await?;
        let mut tx = state.db.write().await?;
        sqlx::query("DELETE FROM nodes WHERE id = $1")
            .bind(&state.node)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    if let Err(error) = left.await {
        tracing::warn!(
            event = "node_not_left",
            %error,
            "the node could not be removed from the database; it counts as running for 30 seconds"
        );
    }
}
