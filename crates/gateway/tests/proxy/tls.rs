//! TLS on either side.
