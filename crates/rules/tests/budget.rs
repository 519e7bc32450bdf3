//! An exchange costs no more than it may, whatever its rules and its values are, is marked when
//! rules were left out for it, and costs the same whatever came before it.
//!
//! A unit of work is to be a nanosecond. Time is that of the thread's own clock, as the kernel has
//! it, so that a busy machine changes little; tests are not built for speed, so that a factor is
//! allowed.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use rules::engine::{Context, Engine, Transaction};
use rules::rule::Phase;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;
use rustix::time::{ClockId, clock_gettime};

const WORK_MAX: u64 = 20_000_000;
const NS_MAX: u64 = 4 * WORK_MAX;

/// Rules that each have to look at all of what they are shown, and of which some need more states
/// than there is room for. There are too many of them for the budget.
fn costly() -> RuleSet {
    let rule = |number: u32| {
        let (least, most) = (number % 7 + 2, number % 11 + 9);
        let pattern = if number.is_multiple_of(3) {
            format!("[a-f][a-z0-9 ]{{{}}}[^a-z0-9 ]$", 20 + least)
        } else {
            format!("(?:[a-z]+[0-9a-f]{{{least},{most}}}){{2}}[^a-z0-9]$")
        };
        let id = 1 + number;
        format!("SecRule ARGS \"@rx {pattern}\" \"id:{id},phase:2,t:lowercase,pass,log\"\n")
    };
    let text: String = (0..900).map(rule).collect();
    let files: Texts = [("costly.conf", text)].into_iter().collect();
    RuleSet::load(&["costly.conf"], &files).unwrap_or_else(|error| panic!("{error}"))
}

fn run(engine: &Engine, body: &str) -> (Transaction, u64) {
    let nowhere = (IpAddr::V4(Ipv4Addr::LOCALHOST), 443);
    let mut transaction = engine.begin(&Context {
        now_us: 1_790_000_000_000_000,
        remote: nowhere,
        server: nowhere,
        unique_id: "exchange-1",
        work_max: WORK_MAX,
    });
    transaction.request_header(b"Content-Type", b"application/x-www-form-urlencoded");
    transaction.request_body(Bytes::copy_from_slice(body.as_bytes()), false);
    let began = thread_ns();
    transaction.run(Phase::RequestBody);
    (transaction, thread_ns() - began)
}

fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("a time")
}

#[test]
fn an_exchange_stops_at_its_budget_and_is_marked() {
    let set = costly();
    let random = std::iter::successors(Some(1_u32), |n| {
        Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    let letters: String =
        random.take(50_000).map(|n| char::from(b"abcdef01"[(n >> 29) as usize])).collect();
    let words = "abc123 ".repeat(14_000);
    let many: String = (0..3_000).map(|n| format!("a{n}=abc123+{n:08x}~&")).collect();
    for (what, body) in [
        ("one long value", format!("a={words}")),
        ("a value that needs many states", format!("a={letters}!{letters}")),
        ("many values", many),
    ] {
        let engine = Engine::new(set.clone());
        let (first, _) = run(&engine, &body);
        // What is made once and kept is not counted.
        let (second, took) = run(&engine, &body);
        println!("{what}: {took} ns, {} of {WORK_MAX}", second.work());
        assert!(second.is_over_budget(), "{what}: {}", second.work());
        assert!(took <= NS_MAX, "{what}: {took} ns of {WORK_MAX}");
        assert_eq!(first.work(), second.work(), "{what} costs what it costs");
    }
}
