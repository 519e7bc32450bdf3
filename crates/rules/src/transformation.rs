//! How a value is normalised before an operator sees it.
