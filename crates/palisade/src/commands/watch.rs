//! `watch`: follows access logs and prints findings as they come.
