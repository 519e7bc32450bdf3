//! The sample API: a small shop with accounts, orders and a log-in, over real HTTP and SQLite.
//!
//! It is what the demo, the live tests and the measurements put behind the gateway, so it behaves
//! as shops do, warts included: one log-in answers failures with 401, the other (an old form) with
//! 200 and an error in the body; some product images are gone. It knows nothing of Palisade, and it
//! is no model of how to store passwords.

mod accounts;
mod orders;
mod products;
mod refusal;
pub mod seed;
mod sessions;
mod shop;

use std::{future::Future, path::Path, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::{refusal::Refusal, shop::Shop};

/// The sample API, ready to serve.
pub struct SampleApi {
    routes: Router,
}

impl SampleApi {
    /// Opens the shop in `data_dir` and fills it on the first run.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let shop = Shop::open(data_dir)
            .with_context(|| format!("cannot open the sample shop in {}", data_dir.display()))?;
        Ok(Self { routes: routes(Arc::new(shop)) })
    }

    /// Serves until `stop` resolves, and then finishes what is under way.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let serve = axum::serve(listener, self.routes).with_graceful_shutdown(stop);
        serve.await.context("the sample API stopped")
    }
}

fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/login", post(sessions::log_in_by_form))
        .route("/api/v1/login", post(sessions::log_in))
        .route("/api/v1/logout", post(sessions::log_out))
        .route("/api/v1/profile", get(accounts::profile))
        .route("/api/v1/accounts/{id}", get(accounts::account))
        .route("/api/v1/orders", get(orders::list).post(orders::place))
        .route("/api/v1/orders/{id}", get(orders::detail))
        .route("/api/v1/products", get(products::list))
        .route("/api/v1/products/{slug}", get(products::detail))
        .route("/api/v1/search", get(products::search))
        .route("/images/{file}", get(products::image))
        .fallback(|| async { Refusal::NOT_FOUND })
        .with_state(shop)
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

#[cfg(test)]
mod tests;
