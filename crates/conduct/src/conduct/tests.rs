//! The whole memory: storage, sizes, determinism.
