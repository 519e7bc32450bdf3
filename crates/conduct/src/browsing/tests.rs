//! Scans, their evasions, and the broken pages that look like them.
