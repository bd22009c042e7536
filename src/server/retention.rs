//! Deletion by age: sessions and activity after the days of `[retention]`, and API keys a year after they
//! expire.
//!
//! One node at a time deletes, in small transactions. A turn ends after some of them, so that `later.rs`
//! writes meanwhile.

use super::{api_keys::LONGEST_S, db::Tx, error::Error, state::State};

/// The lock of the node that deletes.
pub const LOCK: i64 = 0x636c_6f61_6b72_6574;
/// Rows of a table that one transaction deletes at most: a sign-in waits for no more than these.
const AT_ONCE: i64 = 200;
/// Transactions for one table in one turn; the rest waits for the next turn.
const BATCHES: usize = 50;
const DAY_S: i64 = 86_400;

/// Ends what hangs on sessions that are over without a request having ended them, and detaches consent,
/// which is remembered for longer. A revoked grant needs no session.
const DETACH_GRANTS: &str = "UPDATE grants SET session_id = NULL, \
        revoked_at = COALESCE(revoked_at, $3), \
        revoked_reason = COALESCE(revoked_reason, 'session_ended') \
    WHERE session_id IN (\
        SELECT id FROM sessions WHERE COALESCE(ended_at, ends_at) <= $1 \
        ORDER BY COALESCE(ended_at, ends_at), id LIMIT $2)";

const SESSIONS: &str = "DELETE FROM sessions WHERE id IN (\
        SELECT s.id FROM sessions s WHERE COALESCE(s.ended_at, s.ends_at) <= $1 \
            AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.session_id = s.id) \
        ORDER BY COALESCE(s.ended_at, s.ends_at), s.id LIMIT $2)";

const ACTIVITY: &str = "DELETE FROM activity WHERE id IN (\
        SELECT id FROM activity WHERE at_ms <= $1 ORDER BY at_ms LIMIT $2)";

/// A revoked key is refused by its row, until its owner's cutoff covers it: a clock that was ahead, and
/// is set right, must not let it in.
const API_KEYS: &str = "DELETE FROM api_keys WHERE id IN (\
        SELECT k.id FROM api_keys k JOIN users u ON u.id = k.user_id \
        WHERE k.expires_at <= $1 AND (k.revoked_at IS NULL OR k.number < u.keys_refused_below) \
        ORDER BY k.expires_at LIMIT $2)";

const DELETED_USERS: &str = "DELETE FROM deleted_users WHERE id IN (\
        SELECT id FROM deleted_users WHERE keys_refused_until <= $1 LIMIT $2)";

/// Rows that a turn deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions.
    pub sessions: u64,
    /// Entries of the activity.
    pub activity: u64,
    /// API keys.
    pub api_keys: u64,
    /// Whether rows are left for the next turn.
    pub is_more: bool,
}

#[derive(Clone, Copy)]
enum Table {
    Sessions,
    Activity,
    ApiKeys,
}

/// Deletes rows that are too old, as far as one turn goes; none while another node does.
///
/// # Errors
/// If the database does not answer; the next turn tries again.
pub async fn sweep(state: &State) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for table in [Table::Sessions, Table::Activity, Table::ApiKeys] {
        let mut deleted = 0;
        for batch in 1..=BATCHES {
            let rows = delete_batch(state, table).await?;
            deleted += rows;
            if i64::try_from(rows).unwrap_or(AT_ONCE) < AT_ONCE {
                break;
            }
            swept.is_more |= batch == BATCHES;
        }
        match table {
            Table::Sessions => swept.sessions = deleted,
            Table::Activity => swept.activity = deleted,
            Table::ApiKeys => swept.api_keys = deleted,
        }
    }
    if swept != Swept::default() {
        let Swept {
            sessions,
            activity,
            api_keys,
            ..
        } = swept;
        tracing::info!(
            event = "retention_deleted",
            sessions,
            activity,
            api_keys,
            "rows that are older than [retention] allows were deleted"
        );
    }
    Ok(swept)
}

/// Deletes one batch of a table. The number of rows.
async fn delete_batch(state: &State, table: Table) -> Result<u64, Error> {
    let now = state.clock.cautious_now_s();
    let kept = &state.config.retention;
    let days_ago = |days: u32| now - i64::from(days) * DAY_S;
    let mut tx = state.db.write().await?;
    if !state.db.try_lock(&mut tx, LOCK).await? {
        return Ok(0);
    }
    let deleted = match table {
        Table::Sessions => delete_sessions(&mut tx, days_ago(kept.sessions_days), now).await?,
        Table::Activity => {
            let until_ms = days_ago(kept.activity_days) * 1_000;
            delete(&mut tx, ACTIVITY, until_ms).await?
        }
        Table::ApiKeys => {
            delete(&mut tx, DELETED_USERS, now - LONGEST_S).await?;
            delete(&mut tx, API_KEYS, now - LONGEST_S).await?
        }
    };
    tx.commit().await?;
    Ok(deleted)
}

async fn delete_sessions(tx: &mut Tx, until: i64, now: i64) -> Result<u64, Error> {
    sqlx::query(DETACH_GRANTS)
        .bind(until)
        .bind(AT_ONCE)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    delete(tx, SESSIONS, until).await
}

async fn delete(tx: &mut Tx, sql: &'static str, until: i64) -> Result<u64, Error> {
    let deleted = sqlx::query(sql)
        .bind(until)
        .bind(AT_ONCE)
        .execute(&mut **tx)
        .await?;
    Ok(deleted.rows_affected())
}
