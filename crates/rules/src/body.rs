//! Request bodies taken apart into the variables that rules name.
