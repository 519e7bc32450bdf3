//! The document keeps the rules of OpenAPI 3.1, whatever was learnt.
