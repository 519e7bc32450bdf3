//! Several upstreams of one site, of which one is stopped, hung, slow, or answers with garbage.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod moody;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread::sleep,
    time::{Duration, Instant},
};

use gateway::{Care, Site, Sites, Upstream, UpstreamDeadlines, UpstreamStanding};

use crate::support::{Message, PATIENCE, Proxy, only_site, settings};
use moody::{Mood, Moody};

const SECOND: Duration = Duration::from_secs(1);

/// Some upstreams, and a gateway before all of them.
struct Balanced {
    upstreams: Vec<Moody>,
    sites: Sites,
    proxy: Proxy,
    /// Requests of its loads so far: each has a number of its own.
    sent: AtomicUsize,
}

impl Balanced {
    fn start(count: usize, care: Care) -> Self {
        Self::with(count, care, UpstreamDeadlines::default())
    }

    fn with(count: usize, care: Care, deadlines: UpstreamDeadlines) -> Self {
        let upstreams: Vec<Moody> = (0..count).map(|_| Moody::start()).collect();
        let mut settings = settings(&upstreams[0].url());
        let parsed = upstreams.iter().map(|one| Upstream::parse(&one.url(), None).unwrap());
        let site = Site { upstreams: parsed.collect(), deadlines, care };
        settings.sites = Sites::new([(only_site(&settings.engine), site)].into());
        let sites = settings.sites.clone();
        Self { upstreams, sites, proxy: Proxy::with(settings), sent: AtomicUsize::new(0) }
    }

    fn standings(&self) -> Vec<UpstreamStanding> {
        self.sites.standings().into_values().next().unwrap()
    }

    fn serves(&self, number: usize) -> bool {
        self.standings()[number].serves
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < until, "never: {what}; {:?}", self.standings());
            sleep(Duration::from_millis(20));
        }
    }

    fn get(&self) -> Message {
        let mut caller = self.proxy.connect();
        caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        caller.answer()
    }

    /// Callers that send GET and POST in turns for a while; what each of these got.
    fn load(&self, lasting: Duration) -> Load {
        let got: Vec<_> = std::thread::scope(|scope| {
            let callers = (0..6).map(|_| scope.spawn(|| self.calls(lasting)));
            let callers: Vec<_> = callers.collect();
            callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
        });
        Load { got }
    }

    fn calls(&self, lasting: Duration) -> Vec<Got> {
        let until = Instant::now() + lasting;
        let mut got = Vec::new();
        while Instant::now() < until {
            let number = self.sent.fetch_add(1, SeqCst);
            let post = number.is_multiple_of(2);
            let body = format!("{number:06}");
            let mut caller = self.proxy.connect();
            caller.write(match post {
                true => {
                    format!("POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n{body}")
                }
                false => format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"),
            });
            let began = Instant::now();
            let status = caller.try_answer().map_or(0, |answer| answer.status());
            got.push(Got { post, status, took: began.elapsed() });
            sleep(Duration::from_millis(4));
        }
        got
    }
}

struct Got {
    post: bool,
    status: u16,
    took: Duration,
}

struct Load {
    got: Vec<Got>,
}

impl Load {
    fn failed(&self, post: bool) -> usize {
        self.got.iter().filter(|got| got.post == post && got.status != 200).count()
    }

    fn slowest_get(&self) -> Duration {
        let gets = self.got.iter().filter(|got| !got.post);
        gets.map(|got| got.took).max().unwrap()
    }
}

fn no_post_came_twice(balanced: &Balanced) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for post in balanced.upstreams.iter().flat_map(Moody::posts) {
        *seen.entry(post).or_default() += 1;
    }
    let twice: Vec<_> = seen.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "sent again: {twice:?}");
}

#[test]
fn the_load_goes_to_all_and_less_of_it_to_the_slow_one() {
    let balanced = Balanced::start(3, Care::default());
    balanced.load(SECOND);
    let shares: Vec<usize> = balanced.upstreams.iter().map(Moody::seen).collect();
    let all: usize = shares.iter().sum();
    assert!(shares.iter().all(|share| share * 6 > all), "{shares:?}");
    balanced.upstreams[1].turn(Mood::Slow);
    let load = balanced.load(SECOND);
    assert_eq!(load.failed(false) + load.failed(true), 0);
    let slow = balanced.upstreams[1].seen() - shares[1];
    assert!(slow * 8 < load.got.len(), "{slow} of {}", load.got.len());
    assert!(balanced.serves(1), "slow is not gone");
}

#[test]
fn one_that_is_stopped_costs_no_request_that_was_not_with_it() {
    let mut balanced = Balanced::start(3, Care { eject_for: SECOND, ..Care::default() });
    balanced.load(SECOND / 4);
    let load = std::thread::scope(|scope| {
        let upstream = &balanced.upstreams[0];
        scope.spawn(|| {
            sleep(SECOND / 2);
            upstream.turn(Mood::Stopped);
        });
        balanced.load(SECOND * 2)
    });
    assert_eq!(load.failed(false), 0, "a GET is tried elsewhere");
    // What it had taken and not answered may have acted.
    assert!(load.failed(true) <= 3, "{}", load.failed(true));
    no_post_came_twice(&balanced);
    assert!(!balanced.serves(0));
    balanced.upstreams[0].restart();
    balanced.wait_until("it is back", |balanced| balanced.serves(0));
    balanced.load(SECOND / 2);
    assert!(balanced.upstreams[0].seen() > 0, "it gets requests again");
}

#[test]
fn one_that_hangs_is_found_out_in_two_seconds() {
    let deadlines = UpstreamDeadlines { first_byte: SECOND * 4, ..UpstreamDeadlines::default() };
    let balanced = Balanced::with(3, Care::default(), deadlines);
    balanced.load(SECOND / 4);
    balanced.upstreams[2].turn(Mood::Hung);
    let load = balanced.load(SECOND * 3);
    assert_eq!(load.failed(false), 0);
    assert!(load.slowest_get() < Duration::from_millis(2600), "{:?}", load.slowest_get());
    assert!(load.failed(true) <= 4, "{}", load.failed(true));
    no_post_came_twice(&balanced);
    assert!(!balanced.serves(2), "{:?}", balanced.standings());
    let later = balanced.load(SECOND / 2);
    assert_eq!(later.failed(false) + later.failed(true), 0);
}

#[test]
fn one_that_answers_garbage_is_out_after_a_few_requests() {
    for mood in [Mood::Garbage, Mood::Short] {
        let balanced = Balanced::start(3, Care::default());
        balanced.load(SECOND / 4);
        balanced.upstreams[1].turn(mood);
        let load = balanced.load(SECOND);
        let failed = load.failed(true);
        assert!(failed <= 12, "{mood:?}: {failed}");
        if mood == Mood::Garbage {
            assert_eq!(load.failed(false), 0, "a GET is tried elsewhere");
        }
        no_post_came_twice(&balanced);
        assert!(!balanced.serves(1), "{:?}", balanced.standings());
    }
}

#[test]
fn statuses_put_nobody_out() {
    let balanced = Balanced::start(2, Care::default());
    balanced.upstreams[0].turn(Mood::Failing);
    let load = balanced.load(SECOND / 2);
    assert!(load.failed(false) > 10, "they are passed on");
    assert!(balanced.standings().iter().all(|one| one.serves && one.faults == 0));
}

#[test]
fn callers_that_hang_up_leave_no_trace() {
    let balanced = Balanced::start(3, Care { eject_after: 1, ..Care::default() });
    for mood in [Mood::Well, Mood::Slow] {
        balanced.upstreams.iter().for_each(|one| one.turn(mood));
        for number in 0..500 {
            let mut caller = balanced.proxy.connect();
            caller.write(match number % 3 {
                0 => "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                1 => "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 400\r\n\r\nhalf",
                _ => "GET /half HTTP/1.1\r\nHo",
            });
        }
    }
    sleep(SECOND);
    for one in balanced.standings() {
        assert!(one.serves, "{one:?}");
        assert_eq!((one.faults, one.ejections), (0, 0), "{one:?}");
    }
    assert_eq!(balanced.get().status(), 200);
}

#[test]
fn a_share_stays_in_and_when_all_are_out_all_are_used() {
    let balanced = Balanced::start(4, Care::default());
    balanced.upstreams.iter().for_each(|one| one.turn(Mood::Garbage));
    balanced.load(SECOND / 2);
    let out = balanced.standings().iter().filter(|one| !one.serves).count();
    assert_eq!(out, 2, "half of them: {:?}", balanced.standings());
    let care = Care {
        path: Some("/healthz".to_owned()),
        interval: SECOND / 4,
        unhealthy_after: 1,
        ..Care::default()
    };
    let checked = Balanced::start(2, care);
    checked.upstreams.iter().for_each(|one| one.turn(Mood::Failing));
    checked.wait_until("both fail", |checked| !checked.serves(0) && !checked.serves(1));
    assert_eq!(checked.get().status(), 500, "the upstream's own answer");
}

#[test]
fn checks_put_an_upstream_out_and_bring_it_back() {
    let care = Care {
        path: Some("/healthz".to_owned()),
        interval: SECOND / 4,
        timeout: SECOND,
        unhealthy_after: 2,
        healthy_after: 2,
        ..Care::default()
    };
    let balanced = Balanced::start(2, care);
    balanced.upstreams[0].turn(Mood::Failing);
    balanced.wait_until("the checks fail", |balanced| !balanced.serves(0));
    let before = balanced.upstreams[0].seen();
    let load = balanced.load(SECOND / 2);
    assert_eq!((load.failed(false) + load.failed(true), balanced.upstreams[0].seen()), (0, before));
    balanced.upstreams[0].turn(Mood::Well);
    balanced.wait_until("the checks pass", |balanced| balanced.serves(0));
    balanced.upstreams[1].turn(Mood::Hung);
    balanced.wait_until("the other is found out", |balanced| !balanced.serves(1));
}

#[test]
fn a_reload_keeps_what_is_known_of_an_upstream() {
    let balanced = Balanced::start(2, Care::default());
    balanced.upstreams[0].turn(Mood::Garbage);
    balanced.wait_until("it is out", |balanced| {
        balanced.get();
        !balanced.serves(0)
    });
    let parsed = balanced.upstreams.iter().map(|one| Upstream::parse(&one.url(), None).unwrap());
    let care = Care { retries: 3, ..Care::default() };
    let deadlines = UpstreamDeadlines::default();
    let site = Site { upstreams: parsed.collect(), deadlines, care };
    let name = balanced.sites.standings().into_keys().next().unwrap();
    balanced.sites.replace([(name, site)].into());
    assert!(!balanced.serves(0), "{:?}", balanced.standings());
    assert_eq!(balanced.get().status(), 200);
}

#[test]
fn one_slow_request_does_not_make_an_upstream_silent() {
    let balanced = Balanced::start(2, Care { eject_after: 1, ..Care::default() });
    // One caller waits for an answer that takes its time, while others are answered at once.
    balanced.upstreams[0].turn(Mood::Hung);
    let mut caller = balanced.proxy.connect();
    while balanced.upstreams[0].seen() == 0 {
        caller = balanced.proxy.connect();
        caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        sleep(SECOND / 20);
    }
    balanced.upstreams[0].turn(Mood::Well);
    let load = balanced.load(SECOND * 2);
    drop(caller);
    assert_eq!(load.failed(false) + load.failed(true), 0);
    assert!(balanced.upstreams.iter().all(|one| one.pings() < 8), "pings are rare");
    assert!(balanced.standings().iter().all(|one| one.serves && one.ejections == 0));
}
