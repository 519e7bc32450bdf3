//! A test of a rule with its chain of transformations, and the inputs made for it.

use std::net::{IpAddr, Ipv4Addr};

use rules::action::Disruption;
use rules::engine::{Context, Engine};
use rules::operator::Operator;
use rules::rule::{About, Jump, Link, Phase, Rule, Selector, Target, Targets, Test};
use rules::rule_set::{RuleSet, Step};
use rules::template::{Macro, Piece, Template};
use rules::variable::Variable;

use super::shape::{Shape, shapes};

/// Texts without a pattern to walk: what detectors of injection read as code, over and over.
const CODE: [&str; 22] = [
    "'",
    "\"",
    "(",
    "/*",
    "*/",
    "--\n",
    "a ",
    "1,",
    "'a'",
    "1e",
    "x'",
    "0x",
    "$a$",
    "`",
    "@@",
    "<",
    "<a ",
    "<!--",
    "a=",
    "&#x",
    "onload=a ",
    "style=&#x6a",
];

/// What one input costs.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// `942100/1 rx`.
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) single_us: f64,
    /// How many times as long twice as many bytes take; not a number where nobody asked.
    pub(crate) growth: f64,
}

/// Measures each input of each test of the set's rules at `bytes` and, where that takes longer
/// than `noise_us`, at twice as many.
pub(crate) fn costs(set: &RuleSet, bytes: usize, noise_us: f64) -> Vec<Cost> {
    let mut costs = Vec::new();
    for rule in set.rules() {
        let tests = rule.links.iter().enumerate();
        for (at, test) in tests.filter_map(|(at, link)| Some((at, link.test.as_ref()?))) {
            let engine = alone(set, rule, test);
            for shape in inputs(test) {
                let hidden = shape.hidden(&test.transformations);
                for (how, shape) in [("", &shape), ("hidden ", &hidden)] {
                    if how.is_empty() || !test.transformations.is_empty() {
                        let name = format!("{}/{at}", rule.id);
                        let input = format!("{how}{}", shape.shown());
                        costs.push(cost(&engine, name, input, shape, bytes, noise_us));
                    }
                }
            }
        }
    }
    costs
}

fn cost(
    engine: &Engine,
    name: String,
    input: String,
    shape: &Shape,
    bytes: usize,
    noise_us: f64,
) -> Cost {
    let few = shape.text(bytes);
    let single_us = spent_us(engine, &few);
    if single_us <= noise_us {
        return Cost { name, input, single_us, growth: f64::NAN };
    }
    let many = shape.text(2 * bytes);
    let (least_us, growth) = grown(|| spent_us(engine, &few), || spent_us(engine, &many));
    Cost { name, input, single_us: single_us.min(least_us), growth }
}

/// What grows by more than this is measured again.
pub(crate) const GROWTH_MAX: f64 = 2.2;
/// So often: time that is not linear in the bytes is never linear.
const TRIES: usize = 3;

/// The least that `few` took, and how many times as long `many` took.
pub(crate) fn grown(few: impl Fn() -> f64, many: impl Fn() -> f64) -> (f64, f64) {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..TRIES {
        let (few_us, growth) = neighbours(&few, &many);
        least = (least.0.min(few_us), least.1.min(growth));
        if least.1 <= GROWTH_MAX {
            break;
        }
    }
    least
}

/// The middle of three quotients of neighbouring runs, since a processor changes its pace between
/// distant ones.
fn neighbours(few: impl Fn() -> f64, many: impl Fn() -> f64) -> (f64, f64) {
    let mut runs = [(); 3].map(|()| {
        let few_us = few();
        (many() / few_us, few_us)
    });
    let least_us = runs.iter().fold(f64::INFINITY, |least, (_, few_us)| least.min(*few_us));
    runs.sort_by(|one, other| one.0.total_cmp(&other.0));
    (least_us, runs[1].0)
}

/// The inputs for a test: from its pattern, its phrases, or what its operator reads.
fn inputs(test: &Test) -> Vec<Shape> {
    let phrases = |list: &[Vec<u8>]| -> Vec<Shape> {
        let mut list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
        list.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        let longest = list.into_iter().take(6).filter(|phrase| phrase.len() > 1);
        longest.map(|phrase| Shape::repeated(&phrase[..phrase.len() - 1])).collect()
    };
    match &test.operator {
        Operator::Rx(pattern) => shapes(pattern.wider()),
        Operator::Phrases(list) => {
            let list: Vec<Vec<u8>> = list.list().iter().map(|it| it.to_vec()).collect();
            phrases(&list)
        }
        Operator::Text(text) => {
            text.fixed().map(|text| phrases(&[text.to_vec()])).unwrap_or_default()
        }
        Operator::Number(_) | Operator::Unconditional | Operator::Never => Vec::new(),
        _ => CODE.iter().map(|code| Shape::repeated(code.as_bytes())).collect(),
    }
}

/// The test as the head of a rule of its own, the only one of its set, which looks at the
/// arguments of the path: these are handed in as they are. It reads as many groups of what it
/// captures as the rule does.
fn alone(set: &RuleSet, rule: &Rule, test: &Test) -> Engine {
    let path = Target { variable: Variable::ArgsPath, selector: Selector::All, is_count: false };
    let targets = Targets { included: vec![path], excluded: Vec::new() };
    let test = Some(Test { targets, ..test.clone() });
    let groups = rule.groups().max(set.groups_of_others());
    let log_data = groups.checked_sub(1).map(|last| Template {
        pieces: vec![Piece::Macro(Macro {
            variable: Variable::Tx,
            key: Some(last.to_string().as_bytes().into()),
            slot: None,
        })],
    });
    let link = Link { test, effects: Vec::new(), message: None, log_data };
    let alone = Rule {
        phase: Phase::RequestBody,
        links: vec![link],
        disruption: Disruption::Pass,
        jump: Jump::Next,
        about: About { is_logged: true, ..About::default() },
        ..rule.clone()
    };
    let mut one = RuleSet { tx_names: set.tx_names.clone(), ..RuleSet::default() };
    one.phases[Phase::RequestBody as usize] = vec![Step::Rule(Box::new(alone))];
    Engine::new(one)
}

fn spent_us(engine: &Engine, value: &[u8]) -> f64 {
    let nowhere = (IpAddr::V4(Ipv4Addr::LOCALHOST), 443);
    engine.forget();
    let mut transaction = engine.begin(&Context {
        now_us: 1_790_000_000_000_000,
        remote: nowhere,
        server: nowhere,
        unique_id: "exchange-1",
        work_max: u64::MAX,
    });
    transaction.path_argument(b"x", value);
    let began = thread_cpu_us();
    transaction.run(Phase::RequestBody);
    thread_cpu_us() - began
}

/// What this thread has used of a processor, in microseconds: other work on the machine does not
/// count.
pub(crate) fn thread_cpu_us() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
