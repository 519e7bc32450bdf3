//! SQL injection and cross-site scripting, told by how a value would be read as SQL or HTML.
