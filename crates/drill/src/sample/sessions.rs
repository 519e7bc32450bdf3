//! Logging in and out, and knowing who is signed in.
//!
//! Two doors to the same accounts: JSON that answers with a bearer token and fails with 401, and an
//! old form that sets a cookie and fails with 200 and an error in the body.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{FromRequestParts, State, rejection::FormRejection, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, COOKIE, SET_COOKIE},
    request::Parts,
};
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    shop::{Shop, password_hash, token_hash},
};

const COOKIE_NAME: &str = "sid";
const SESSION_SECS: u32 = 3_600;

/// What a caller types to log in.
#[derive(Deserialize)]
pub(super) struct Login {
    email: String,
    password: String,
}

/// The account that a valid token or cookie stands for.
pub(super) struct SignedIn {
    pub(super) account_id: i64,
    token: String,
}

/// `POST /api/v1/login`
pub(super) async fn log_in(
    State(shop): State<Arc<Shop>>,
    login: Result<Json<Login>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(login) = login.map_err(|_| Refusal::BAD_REQUEST)?;
    let account_id = account_of(&shop, &login)?.ok_or(Refusal::WRONG_PASSWORD)?;
    let token = open_session(&shop, account_id)?;
    Ok(Json(json!({
        "token": token,
        "token_type": "Bearer",
        "expires_in": SESSION_SECS,
        "account_id": account_id,
    })))
}

/// `POST /login`, the old form: whatever happens, the status is 200.
pub(super) async fn log_in_by_form(
    State(shop): State<Arc<Shop>>,
    login: Result<Form<Login>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(login) = login.map_err(|_| Refusal::BAD_REQUEST)?;
    let Some(account_id) = account_of(&shop, &login)? else {
        return Ok(Json(json!({ "error": "Wrong e-mail or password" })).into_response());
    };
    let token = open_session(&shop, account_id)?;
    let cookie = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={SESSION_SECS}; HttpOnly");
    Ok(([(SET_COOKIE, cookie)], Json(json!({ "redirect": "/api/v1/profile" }))).into_response())
}

/// `POST /api/v1/logout`
pub(super) async fn log_out(
    State(shop): State<Arc<Shop>>,
    signed_in: SignedIn,
) -> Result<StatusCode, Refusal> {
    let hash = token_hash(&signed_in.token);
    shop.lock().execute("DELETE FROM sessions WHERE token_hash = ?1", params![hash])?;
    Ok(StatusCode::NO_CONTENT)
}

impl FromRequestParts<Arc<Shop>> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Refusal> {
        let token = presented_token(&parts.headers).ok_or(Refusal::SIGNED_OUT)?;
        let account_id = shop
            .lock()
            .prepare_cached("SELECT account_id FROM sessions WHERE token_hash = ?1")?
            .query_row(params![token_hash(&token)], |row| row.get(0))
            .optional()?
            .ok_or(Refusal::SIGNED_OUT)?;
        Ok(Self { account_id, token })
    }
}

fn account_of(shop: &Shop, login: &Login) -> Result<Option<i64>, Refusal> {
    let email = login.email.trim().to_lowercase();
    let hash = password_hash(&email, &login.password);
    let account = shop
        .lock()
        .prepare_cached("SELECT id FROM accounts WHERE email = ?1 AND password_hash = ?2")?
        .query_row(params![email, hash], |row| row.get(0))
        .optional()?;
    Ok(account)
}

/// A new session; SQLite's generator is seeded by the system and good enough for a sample.
fn open_session(shop: &Shop, account_id: i64) -> Result<String, Refusal> {
    let connection = shop.lock();
    let token: String =
        connection.query_row("SELECT lower(hex(randomblob(24)))", [], |row| row.get(0))?;
    connection
        .prepare_cached("INSERT INTO sessions VALUES (?1, ?2)")?
        .execute(params![token_hash(&token), account_id])?;
    Ok(token)
}

fn presented_token(headers: &HeaderMap) -> Option<String> {
    let bearer =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let cookie = || {
        let cookies = headers.get(COOKIE)?.to_str().ok()?;
        cookies.split(';').find_map(|pair| match pair.trim().split_once('=') {
            Some((COOKIE_NAME, value)) => Some(value),
            _ => None,
        })
    };
    bearer.or_else(cookie).map(str::to_owned)
}
