//! SQL of requests that can be repeated.

use widget_core::id::OrganizationId;

use super::Transaction;
use crate::storage::{
    driver::micros,
    error::StoreError,
    idempotency::{RepeatError, RepeatableRequest},
};

/// Remembers a request, or returns the answer to the same one before.
///
/// Of two at once the second waits here, at the constraint, until the first has written all or
/// nothing.
pub(super) async fn seen_before(
    transaction: &mut Transaction,
    organization: &OrganizationId,
    request: &RepeatableRequest,
) -> Result<Option<String>, RepeatError> {
    let organization = organization.as_str();
    sqlx::query("DELETE FROM idempotency_keys WHERE organization_id = $1 AND created_at < $2")
        .bind(organization)
        .bind(micros(request.forget_before))
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
    let done = sqlx::query(
        "INSERT INTO idempotency_keys (organization_id, key, request_hash, answer, created_at)
         VALUES ($1, $2, $3, '', $4) ON CONFLICT (organization_id, key) DO NOTHING",
    )
    .bind(organization)
    .bind(&request.key)
    .bind(request.hash.as_slice())
    .bind(micros(request.now))
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() > 0 {
        return Ok(None);
    }
    let (hash, answer): (Vec<u8>, String) = sqlx::query_as(
        "SELECT request_hash, answer FROM idempotency_keys WHERE organization_id = $1 AND key = $2",
    )
    .bind(organization)
    .bind(&request.key)
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    if hash == request.hash {
        Ok(Some(answer))
    } else {
        Err(RepeatError::KeyReused)
    }
}

/// Stores the answer that a repetition of the request gets.
pub(super) async fn keep_answer(
    transaction: &mut Transaction,
    organization: &OrganizationId,
    key: &str,
    answer: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE organization_id = $1 AND key = $2")
        .bind(organization.as_str())
        .bind(key)
        .bind(answer)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}
