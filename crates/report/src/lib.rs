//! The state of an API's security, as a report: figures that say how they are counted, and a page
//! that can be printed.
//!
//! [`Material`] is what there is to report on: counts, findings, endpoints, from a gateway's ledger
//! or from a scan. [`Report::of`] makes figures of it, each with its definition, numerator and
//! denominator. [`html`] writes a [`Report`] as one page that needs nothing else.
//!
//! Invariant: the same material gives the same bytes. No clock, no randomness, no hash map's order.
//! Invariant: whatever came out of traffic is text on the page, never mark-up.
//! Invariant: a share whose base is below [`figure::BASE_MIN`] is told as "n/a".
//!
//! Deliberately not here: reading ledgers and logs, and deciding anything.

pub mod figure;
pub mod html;
mod make;
pub mod material;
pub mod outcome;
mod time;

pub use figure::{Earlier, Figure, Unit};
pub use material::{Before, Endpoint, Incident, Layer, Material, Method, Origin, Period};
pub use outcome::{
    Action, Change, EndpointList, EndpointRow, Moment, Probe, Report, Section, Series, Span,
};
