//! The gateway with nothing around it, for measurements: `plain_proxy LISTEN UPSTREAM_URL`.

use std::sync::Arc;

use gateway::{Gateway, Listener, Settings, Site, Sites, Upstream, bind};
use shield::{
    Engine,
    policy::{self, Flags, Sources},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (listen, upstream) = (args.next().ok_or("LISTEN")?, args.next().ok_or("UPSTREAM_URL")?);
    let flags = Flags { to: Some(upstream.clone()), ..Flags::default() };
    let sources = Sources { flags, ..Sources::default() };
    let (policy, _warnings) = policy::load(&sources).map_err(|_| "policy")?;
    let engine = Engine::new(shield::Settings {
        policy,
        key: traffic::HashKey::new([7; 16]),
        reads_redacted: false,
        table_bytes: 24 << 20,
        recorder: None,
    });
    let name = engine.policy().sites[0].name.clone();
    let upstream = Upstream::parse(&upstream, None)?;
    let site = Site::before(upstream);
    let sites = Sites::new([(name, site)].into());
    let settings =
        Settings { workers: 1, ..Settings::new(Arc::new(engine), Arc::new(drop), sites) };
    let socket = bind(listen.as_str())?;
    let _gateway = Gateway::start(vec![Listener::new(socket, None)], settings)?;
    loop {
        std::thread::park();
    }
}
