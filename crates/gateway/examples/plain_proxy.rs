//! A plain proxy for measurements: `plain_proxy LISTEN UPSTREAM_URL`.

use gateway::{Gateway, Listener, Settings, Upstream, bind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (listen, upstream) = (args.next().ok_or("LISTEN")?, args.next().ok_or("UPSTREAM_URL")?);
    let listener = Listener { socket: bind(listen.as_str())?, tls: None };
    let settings = Settings {
        workers: 1,
        head_limits: Default::default(),
        caller_deadlines: Default::default(),
        upstream_deadlines: Default::default(),
        upstream: Upstream::parse(&upstream, None)?,
        connections_max: 16_384,
        drain_timeout: std::time::Duration::from_secs(1),
        ja4: None,
    };
    let _gateway = Gateway::start(vec![listener], settings)?;
    loop {
        std::thread::park();
    }
}
