//! What a rule asks of a value.
