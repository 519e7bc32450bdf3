//! Places are few, given back, and not taken from those who belong.
