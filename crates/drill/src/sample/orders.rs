//! One's own orders: list, detail, place a new one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use http::StatusCode;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{refusal::Refusal, sessions::SignedIn, shop::Shop};

const LISTED_MAX: u32 = 20;
const LINES_MAX: usize = 50;
const QUANTITY_MAX: u32 = 99;

/// What is to be ordered.
#[derive(Deserialize)]
pub(super) struct Basket {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    product_id: i64,
    quantity: u32,
}

/// `GET /api/v1/orders`: the latest of the caller's own.
pub(super) async fn list(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
) -> Result<Json<Value>, Refusal> {
    let connection = shop.lock();
    let mut latest = connection.prepare_cached(
        "SELECT id, placed_at, status FROM orders WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = latest.query_map(params![signed_in.account_id, LISTED_MAX], |row| {
        Ok(json!({
            "id": row.get::<_, i64>(0)?,
            "placed_at": row.get::<_, String>(1)?,
            "status": row.get::<_, String>(2)?,
        }))
    })?;
    let orders: Vec<Value> = rows.collect::<Result<_, _>>()?;
    Ok(Json(json!({ "orders": orders })))
}

/// `GET /api/v1/orders/{id}`: 404 for an order of somebody else.
pub(super) async fn detail(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Refusal> {
    order_of(&shop.lock(), signed_in.account_id, id)?.map(Json).ok_or(Refusal::NOT_FOUND)
}

/// `POST /api/v1/orders`
pub(super) async fn place(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
    basket: Result<Json<Basket>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Json(basket) = basket.map_err(|_| Refusal::BAD_REQUEST)?;
    let sensible = (1..=LINES_MAX).contains(&basket.items.len())
        && basket.items.iter().all(|item| (1..=QUANTITY_MAX).contains(&item.quantity));
    if !sensible {
        return Err(Refusal::BAD_REQUEST);
    }
    let mut connection = shop.lock();
    let placing = connection.transaction()?;
    placing.execute(
        "INSERT INTO orders (account_id, placed_at, status)
         VALUES (?1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), 'placed')",
        params![signed_in.account_id],
    )?;
    let id = placing.last_insert_rowid();
    for item in &basket.items {
        let added = placing.execute(
            "INSERT INTO order_lines SELECT ?1, id, ?3 FROM products WHERE id = ?2
             ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
            params![id, item.product_id, item.quantity],
        )?;
        if added == 0 {
            return Err(Refusal::BAD_REQUEST);
        }
    }
    let order = order_of(&placing, signed_in.account_id, id)?.ok_or(Refusal::NOT_FOUND)?;
    placing.commit()?;
    Ok((StatusCode::CREATED, Json(order)))
}

fn order_of(shop: &Connection, account_id: i64, id: i64) -> rusqlite::Result<Option<Value>> {
    let head = shop
        .prepare_cached("SELECT placed_at, status FROM orders WHERE id = ?1 AND account_id = ?2")?
        .query_row(params![id, account_id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((placed_at, status)) = head else {
        return Ok(None);
    };
    let mut lines = shop.prepare_cached(
        "SELECT p.id, p.slug, p.price_cents, l.quantity
         FROM order_lines l JOIN products p ON p.id = l.product_id WHERE l.order_id = ?1",
    )?;
    let rows = lines.query_map(params![id], |row| {
        let (price_cents, quantity): (i64, i64) = (row.get(2)?, row.get(3)?);
        let item = json!({
            "product_id": row.get::<_, i64>(0)?,
            "slug": row.get::<_, String>(1)?,
            "price_cents": price_cents,
            "quantity": quantity,
        });
        Ok((item, price_cents * quantity))
    })?;
    let priced: Vec<(Value, i64)> = rows.collect::<Result<_, _>>()?;
    let total_cents: i64 = priced.iter().map(|(_, cents)| cents).sum();
    let items: Vec<Value> = priced.into_iter().map(|(item, _)| item).collect();
    Ok(Some(json!({
        "id": id,
        "account_id": account_id,
        "placed_at": placed_at,
        "status": status,
        "items": items,
        "total_cents": total_cents,
    })))
}
