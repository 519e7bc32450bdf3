//! The Core Rule Sets and the tests of version 4, from the folders `CRS4_DIR` and `CRS3_DIR`
//! (`scripts/fetch-crs.sh` gets them).

// The corpus, which is shared with the crate `rules`, is read with it.
use toml as _;

#[path = "../../rules/tests/builtin/corpus.rs"]
mod corpus;
#[path = "../../rules/tests/builtin/place.rs"]
mod place;
#[path = "../../rules/tests/builtin/request.rs"]
mod request;

#[path = "../../rules/tests/agreement"]
mod agreement {
    pub(crate) mod compare;
    pub(crate) mod mutant;
    pub(crate) mod requests;
    pub(crate) mod told;
}

mod data {
    mod agreement;
    mod sets;
    mod suite;
}
