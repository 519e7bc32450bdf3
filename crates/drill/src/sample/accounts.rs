//! One's own account, and nobody else's.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use rusqlite::params;
use serde_json::{Value, json};

use super::{refusal::Refusal, sessions::SignedIn, shop::Shop};

/// `GET /api/v1/profile`
pub(super) async fn profile(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
) -> Result<Json<Value>, Refusal> {
    of_account(&shop, signed_in.account_id)
}

/// `GET /api/v1/accounts/{id}`: 403 for everybody but its owner, whether it exists or not.
pub(super) async fn account(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Refusal> {
    if id != signed_in.account_id {
        return Err(Refusal::FORBIDDEN);
    }
    of_account(&shop, id)
}

fn of_account(shop: &Shop, id: i64) -> Result<Json<Value>, Refusal> {
    let account = shop
        .lock()
        .prepare_cached("SELECT email, name, iban FROM accounts WHERE id = ?1")?
        .query_row(params![id], |row| {
            Ok(json!({
                "id": id,
                "email": row.get::<_, String>(0)?,
                "name": row.get::<_, String>(1)?,
                "refund_account": row.get::<_, String>(2)?,
            }))
        })?;
    Ok(Json(account))
}
