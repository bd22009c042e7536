//! Keys of stored addresses, brought up to the rules of today at start.
//!
//! Two accounts can have addresses that are one by today's rules. None of them is merged, lost or
//! locked out: one gets the key, the others keep the key that they had, under which a user signs in
//! by typing the address as at sign-up. The operator is told of each at every start, and gives it
//! another address with `cloakroom user rename`.

use crate::server::{
    db::{Db, Tx},
    error::Error,
    fields::Email,
};

/// Row of `deployment` that says that all keys have been looked at.
const MARK: &str = "keys_of_addresses";
/// Rows read at once.
const BATCH: i64 = 1_000;

/// Id, address, key, when the account was made.
type Row = (String, String, String, i64);

/// Looks at the keys of all accounts once, and at every start at those that kept an older one.
///
/// # Errors
/// If the database does not answer; then no key has changed.
pub async fn rekey(db: &Db) -> Result<(), Error> {
    let mut tx = db.write().await?;
    // The first node to start looks at all; the others wait for it.
    let marked = sqlx::query(
        "INSERT INTO deployment (name, value) VALUES ($1, '1') ON CONFLICT (name) DO NOTHING",
    )
    .bind(MARK)
    .execute(&mut *tx)
    .await?;
    let mut rows = if marked.rows_affected() == 1 {
        older(&mut tx).await?
    } else {
        sqlx::query_as(
            "SELECT id, email, email_key, created_at FROM users WHERE has_old_key = 1 ORDER BY id",
        )
        .fetch_all(&mut *tx)
        .await?
    };
    // The account that was there first gets the key, unless another one has it already.
    rows.sort_by(|one, other| (one.3, &one.0).cmp(&(other.3, &other.0)));
    for row in rows {
        give_key(&mut tx, row).await?;
    }
    Ok(tx.commit().await?)
}

/// Accounts whose address or key is another by today's rules.
async fn older(tx: &mut Tx) -> Result<Vec<Row>, Error> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let batch: Vec<Row> = sqlx::query_as(
            "SELECT id, email, email_key, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(&after)
        .bind(BATCH)
        .fetch_all(&mut **tx)
        .await?;
        let Some((last, ..)) = batch.last() else {
            return Ok(found);
        };
        after.clone_from(last);
        found.extend(batch.into_iter().filter(|(_, address, key, _)| {
            !Email::parse(address)
                .is_ok_and(|email| email.key() == *key && email.to_string() == *address)
        }));
    }
}

async fn give_key(tx: &mut Tx, (id, address, key_before, _): Row) -> Result<(), Error> {
    let Ok(email) = Email::parse(&address) else {
        tracing::warn!(
            event = "address_refused",
            user = id,
            "the address of an account can no longer be typed: give it another one with \
             `cloakroom user rename`"
        );
        return keep_old_key(tx, &id).await;
    };
    let key = email.key();
    let holder: Option<(String,)> = sqlx::query_as("SELECT id FROM users WHERE email_key = $1")
        .bind(&key)
        .fetch_optional(&mut **tx)
        .await?;
    if let Some((holder,)) = holder.filter(|(holder,)| *holder != id) {
        tracing::warn!(
            event = "address_shared",
            user = id,
            other = holder,
            "two accounts have one address: tell their users apart by their ids in `cloakroom user \
             list`, and give one of them another address with `cloakroom user rename`"
        );
        return keep_old_key(tx, &id).await;
    }
    sqlx::query("UPDATE users SET email = $1, email_key = $2, has_old_key = 0 WHERE id = $3")
        .bind(email.to_string())
        .bind(&key)
        .bind(&id)
        .execute(&mut **tx)
        .await?;
    if key != key_before {
        tracing::info!(event = "address_key_changed", user = id);
    }
    Ok(())
}

async fn keep_old_key(tx: &mut Tx, id: &str) -> Result<(), Error> {
    sqlx::query("UPDATE users SET has_old_key = 1 WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
