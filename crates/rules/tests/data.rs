//! The OWASP Core Rule Sets, unmodified: every line of them is understood.
//!
//! `CRS4_DIR` and `CRS3_DIR` name where they are; `scripts/fetch-crs.sh` gets them. Without them
//! these tests fail, so plain `cargo test` leaves them out; `make test-data` runs them.

mod data {
    pub(crate) mod disk;
    mod loading;
    pub(crate) mod sets;
}
