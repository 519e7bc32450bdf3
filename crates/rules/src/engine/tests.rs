//! What engines get wrong.
