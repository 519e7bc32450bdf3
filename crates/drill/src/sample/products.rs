//! What is sold: list, detail, search, and images, some of which are gone.
//!
//! Open to everybody. A product names its image whether or not the file still exists, as shops do.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::IntoResponse,
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use rusqlite::{OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{refusal::Refusal, shop::Shop};

const PAGE: u32 = 12;
const COLUMNS: &str = "id, slug, name, category, price_cents";

/// `?category=…&page=…`
#[derive(Deserialize)]
pub(super) struct Listing {
    category: Option<String>,
    #[serde(default)]
    page: u32,
}

/// `?q=…`
#[derive(Deserialize)]
pub(super) struct Wanted {
    q: String,
}

/// `GET /api/v1/products`
pub(super) async fn list(
    State(shop): State<Arc<Shop>>,
    Query(listing): Query<Listing>,
) -> Result<Json<Value>, Refusal> {
    let connection = shop.lock();
    let mut page = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM products WHERE ?1 IS NULL OR category = ?1
         ORDER BY id LIMIT ?2 OFFSET ?3"
    ))?;
    let offset = listing.page.saturating_mul(PAGE);
    let rows = page.query_map(params![listing.category, PAGE, offset], product_of)?;
    let products: Vec<Value> = rows.collect::<Result<_, _>>()?;
    Ok(Json(json!({ "products": products, "page": listing.page })))
}

/// `GET /api/v1/products/{slug}`
pub(super) async fn detail(
    State(shop): State<Arc<Shop>>,
    Path(slug): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let product = shop
        .lock()
        .prepare_cached(&format!("SELECT {COLUMNS} FROM products WHERE slug = ?1"))?
        .query_row(params![slug], product_of)
        .optional()?;
    product.map(Json).ok_or(Refusal::NOT_FOUND)
}

/// `GET /api/v1/search`
pub(super) async fn search(
    State(shop): State<Arc<Shop>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let connection = shop.lock();
    let mut found = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM products WHERE instr(lower(name), lower(?1)) > 0 LIMIT ?2"
    ))?;
    let rows = found.query_map(params![wanted.q, PAGE], product_of)?;
    let products: Vec<Value> = rows.collect::<Result<_, _>>()?;
    Ok(Json(json!({ "q": wanted.q, "products": products })))
}

/// `GET /images/{slug}.svg`
pub(super) async fn image(
    State(shop): State<Arc<Shop>>,
    Path(file): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let slug = file.strip_suffix(".svg").ok_or(Refusal::NOT_FOUND)?;
    let id: i64 = shop
        .lock()
        .prepare_cached("SELECT id FROM products WHERE slug = ?1 AND image_exists")?
        .query_row(params![slug], |row| row.get(0))
        .optional()?
        .ok_or(Refusal::NOT_FOUND)?;
    let drawing = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\">\
         <rect width=\"64\" height=\"64\" fill=\"hsl({} 40% 70%)\"/></svg>",
        id * 47 % 360
    );
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "max-age=3600")];
    Ok((headers, drawing))
}

fn product_of(row: &Row<'_>) -> rusqlite::Result<Value> {
    let slug: String = row.get(1)?;
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
        "slug": slug,
        "name": row.get::<_, String>(2)?,
        "category": row.get::<_, String>(3)?,
        "price_cents": row.get::<_, i64>(4)?,
        "image": format!("/images/{slug}.svg"),
    }))
}
