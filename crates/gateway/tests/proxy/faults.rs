//! A layer that panics, in the middle of real traffic: only its own word is missing.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::sync::Arc;

use shield::{Engine, LayerFaults, policy, policy::Sources};
use traffic::{Layer, Timestamp};

use crate::{
    events::{find, watched},
    support::{Origin, Proxy, settings},
};

const LAYERS: [Layer; 3] = [Layer::Rate, Layer::Recon, Layer::Takeover];

/// A gateway that enforces, with a route that faults closed and one that is limited.
fn before(origin: &Origin) -> (Proxy, Arc<Engine>, crate::events::Events) {
    let settings = settings(&origin.url());
    let text = format!(
        "version = 1\n[[site]]\nhosts = [\"*\"]\nupstream = \"{}\"\nmode = \"enforce\"\n\
         [[site.route]]\nmatch = \"/strict\"\non_error = \"closed\"\n\
         [[site.route]]\nmatch = \"/limited\"\nrate = [{{ per = \"source\", limit = \"2/h\" }}]\n",
        origin.url()
    );
    let sources = Sources { file: Some(("palisade.toml", &text)), ..Sources::default() };
    settings.engine.set_policy(policy::load(&sources).unwrap().0);
    let engine = Arc::clone(&settings.engine);
    let (proxy, events) = watched(None, settings);
    (proxy, engine, events)
}

fn faults(engine: &Engine, layer: Layer) -> LayerFaults {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap());
    *engine.layer_faults(now).iter().find(|seen| seen.layer == layer).unwrap()
}

fn status(proxy: &Proxy, path: &str) -> u16 {
    let mut caller = proxy.connect();
    caller.write(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    caller.answer().status()
}

#[test]
fn a_panic_in_any_layer_opens_that_layer_alone() {
    for layer in LAYERS {
        let origin = Origin::echo();
        let (proxy, engine, _) = before(&origin);
        engine.fail_layer(layer, true);
        assert_eq!(status(&proxy, "/open"), 200, "{layer}");
        assert!(faults(&engine, layer).faults >= 2, "it failed at deciding and at learning");
        for other in LAYERS.into_iter().filter(|other| *other != layer) {
            assert_eq!(faults(&engine, other).faults, 0, "{layer} took {other} with it");
        }
        // The others go on.
        if layer != Layer::Rate {
            let limited: Vec<u16> = (0..3).map(|_| status(&proxy, "/limited")).collect();
            assert_eq!(limited, [200, 200, 429], "{layer}");
        }
        // After five faults it is left alone: requests do not even try it.
        (0..6).for_each(|_| assert_eq!(status(&proxy, "/open"), 200, "{layer}"));
        let seen = faults(&engine, layer);
        assert!(seen.is_quarantined && seen.faults == 5, "{seen:?}");
    }
}

#[test]
fn a_route_that_faults_closed_is_refused_with_an_event() {
    let origin = Origin::echo();
    let (proxy, engine, events) = before(&origin);
    assert_eq!(status(&proxy, "/strict"), 200);
    engine.fail_layer(Layer::Recon, true);
    let mut caller = proxy.connect();
    caller.write("GET /strict HTTP/1.1\r\nHost: h\r\n\r\n");
    let answer = caller.answer();
    assert_eq!(answer.status(), 503);
    let event = find(&events, answer.header("palisade-event").unwrap());
    assert_eq!((event.status, event.layer), (503, Some(Layer::Recon)));
    assert_eq!(origin.seen(), 1);
    // The same connection serves on.
    engine.fail_layer(Layer::Recon, false);
    caller.write("GET /strict HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(caller.answer().status(), 200);
}
