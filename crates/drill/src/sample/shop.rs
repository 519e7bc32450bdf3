//! The shop's store: one SQLite file, one connection, short statements.
//!
//! Every statement is a look-up by key or a handful of rows, well under the half millisecond that
//! async code may block for, so the store needs no threads of its own.

use std::{
    fs,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};

use super::seed;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS accounts (
        id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        iban TEXT NOT NULL, password_hash BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS sessions (
        token_hash BLOB PRIMARY KEY, account_id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS products (
        id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        category TEXT NOT NULL, price_cents INTEGER NOT NULL, image_exists INTEGER NOT NULL
        ) STRICT;
    CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL, placed_at TEXT NOT NULL,
        status TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS orders_by_account ON orders (account_id);
    CREATE TABLE IF NOT EXISTS order_lines (
        order_id INTEGER NOT NULL, product_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
        PRIMARY KEY (order_id, product_id)) STRICT, WITHOUT ROWID;
";

/// Rounds of the password hash: a log-in shall cost something, and not slow the drill down.
const PASSWORD_ROUNDS: u32 = 200;

/// Orders in a fresh shop begin here, as if it had been open for a while.
const FIRST_ORDER: u32 = 10_001;

/// The store of the sample API.
pub(super) struct Shop {
    connection: Mutex<Connection>,
}

impl Shop {
    pub(super) fn open(data_dir: &Path) -> Result<Self> {
        fs::create_dir_all(data_dir)?;
        let mut connection = Connection::open(data_dir.join("sample.db"))?;
        connection.execute_batch(SCHEMA)?;
        let accounts: i64 =
            connection.query_row("SELECT count(*) FROM accounts", [], |row| row.get(0))?;
        if accounts == 0 {
            let filling = connection.transaction()?;
            fill(&filling)?;
            filling.commit()?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// The connection; a panic elsewhere leaves SQLite consistent, so poison is no reason to stop.
    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash that the store keeps of a password; the e-mail address is its salt.
pub(super) fn password_hash(email: &str, password: &str) -> Vec<u8> {
    let first = Sha256::new().chain_update(email).chain_update(password);
    let mut hash = first.finalize();
    for _ in 0..PASSWORD_ROUNDS {
        hash = Sha256::new().chain_update(hash).chain_update(password).finalize();
    }
    hash.to_vec()
}

/// The hash that the store keeps of a session token.
pub(super) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

fn fill(shop: &Transaction<'_>) -> Result<()> {
    let mut add_account = shop.prepare("INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut add_order =
        shop.prepare("INSERT INTO orders VALUES (?1, ?2, '2026-09-01T10:00:00Z', 'delivered')")?;
    let mut add_line = shop.prepare("INSERT OR IGNORE INTO order_lines VALUES (?1, ?2, ?3)")?;
    for number in 0..seed::PEOPLE {
        let person = seed::person(number);
        let hash = password_hash(&person.email, &person.password);
        let id = number + 1;
        add_account.execute(params![id, person.email, person.name, person.iban, hash])?;
        for nth in 0..=number % 3 {
            let order = FIRST_ORDER + number * 3 + nth;
            add_order.execute(params![order, id])?;
            add_line.execute(params![order, 1 + order % seed::PRODUCTS, 1 + nth])?;
        }
    }
    let mut add_product = shop.prepare("INSERT INTO products VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for number in 0..seed::PRODUCTS {
        let p = seed::product(number);
        add_product.execute(params![
            number + 1,
            p.slug,
            p.name,
            p.category,
            p.price_cents,
            p.image_exists
        ])?;
    }
    Ok(())
}
