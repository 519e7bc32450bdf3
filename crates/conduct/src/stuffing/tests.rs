//! Stuffing, its evasions, and the offices that look like it.
