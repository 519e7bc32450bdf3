//! The gateway over real sockets: raw callers on one side, scripted origins on the other.

mod balancers;
mod callers;
mod events;
mod faults;
mod framing;
mod headers;
mod http1;
mod http2;
mod http2_faults;
mod http2_flow;
mod inspection;
mod origins;
mod overload;
mod shares;
mod streaming;
mod support;
mod tls;
mod upstreams;
