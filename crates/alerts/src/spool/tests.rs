//! Nothing is lost under the cap, nothing is out of order, and a crash costs a repetition at most.

use proptest::prelude::*;

use super::*;

const CAP: u64 = 4 << 20;

fn line(number: u64) -> Vec<u8> {
    format!("{{\"n\":{number}}}").into_bytes()
}

fn texts(waiting: &[Waiting]) -> Vec<String> {
    waiting.iter().map(|it| String::from_utf8_lossy(&it.line).into_owned()).collect()
}

fn tell(spool: &mut Spool, most: usize) -> Vec<String> {
    let waiting = spool.first(most).expect("lines");
    if let Some(last) = waiting.last() {
        spool.sent(last.end, waiting.len() as u64);
    }
    texts(&waiting)
}

#[test]
fn lines_come_out_in_the_order_in_which_they_went_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    assert_eq!(spool.append(&[line(1), line(2), line(3)]).expect("taken"), 3);
    assert_eq!(tell(&mut spool, 2), ["{\"n\":1}", "{\"n\":2}"]);
    spool.append(&[line(4)]).expect("taken");
    assert_eq!(spool.waiting(), 2);
    assert_eq!(tell(&mut spool, 9), ["{\"n\":3}", "{\"n\":4}"]);
    assert_eq!((spool.waiting(), spool.bytes()), (0, 0));
    assert_eq!(tell(&mut spool, 9), Vec::<String>::new());
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "what was sent is gone");
}

#[test]
fn what_waits_survives_and_what_was_sent_does_not_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    spool.append(&[line(1), line(2)]).expect("taken");
    tell(&mut spool, 1);
    drop(spool);
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    assert_eq!(spool.waiting(), 1);
    assert_eq!(tell(&mut spool, 9), ["{\"n\":2}"]);
    spool.append(&[line(3)]).expect("taken");
    drop(spool);
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    assert_eq!(tell(&mut spool, 9), ["{\"n\":3}"]);
}

#[test]
fn a_torn_line_is_left_out_and_hurts_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    spool.append(&[line(1)]).expect("taken");
    drop(spool);
    let path = folder.path().join("00000001.jsonl");
    let mut file = OpenOptions::new().append(true).open(path).expect("the segment");
    file.write_all(b"{\"n\":").expect("torn");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    assert_eq!(spool.waiting(), 1);
    spool.append(&[line(2)]).expect("taken");
    assert_eq!(tell(&mut spool, 9), ["{\"n\":1}", "{\"n\":2}"]);
}

#[test]
fn without_knowing_how_far_it_was_everything_is_told_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    spool.append(&[line(1), line(2)]).expect("taken");
    tell(&mut spool, 1);
    fs::write(folder.path().join(SENT), b"").expect("a file without its content");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    assert_eq!(tell(&mut spool, 9), ["{\"n\":1}", "{\"n\":2}"]);
}

#[test]
fn there_is_a_cap_and_room_again_when_something_was_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), 20).expect("a spool");
    assert_eq!(spool.append(&[line(1), line(2), line(3)]).expect("some"), 2, "two fit");
    assert!(matches!(spool.append(&[line(3)]), Err(NotTaken::Full)));
    tell(&mut spool, 1);
    assert_eq!(spool.append(&[line(3)]).expect("room"), 1);
    assert_eq!(tell(&mut spool, 9), ["{\"n\":2}", "{\"n\":3}"]);
    let long = vec![b'x'; LINE_BYTES_MAX + 1];
    assert!(matches!(spool.append(&[long]), Err(NotTaken::Full)));
}

#[test]
fn many_segments_are_one_spool() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    let long = |number: u8| vec![b'a' + number; 200_000];
    for number in 0..16 {
        spool.append(&[long(number)]).expect("taken");
    }
    assert!(spool.segments.len() > 2, "{:?}", spool.segments);
    drop(spool);
    let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
    let mut first = String::new();
    while spool.waiting() > 0 {
        first.extend(tell(&mut spool, 99).iter().filter_map(|line| line.chars().next()));
    }
    assert_eq!(first, ('a'..='p').collect::<String>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever the order of adding, sending and starting again: each line once, in order.
    #[test]
    fn each_line_is_told_once_in_order(steps in proptest::collection::vec(0..4_u8, 1..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::open(folder.path(), CAP).expect("a spool");
        let (mut added, mut told) = (0, Vec::new());
        for step in steps {
            match step {
                0 => {
                    spool.append(&[line(added), line(added + 1)]).expect("taken");
                    added += 2;
                }
                1 => told.extend(tell(&mut spool, 1)),
                2 => told.extend(tell(&mut spool, 5)),
                _ => spool = Spool::open(folder.path(), CAP).expect("a spool"),
            }
            prop_assert_eq!(spool.waiting(), added - told.len() as u64);
        }
        told.extend(tell(&mut spool, 999));
        let expected: Vec<String> =
            (0..added).map(|number| String::from_utf8_lossy(&line(number)).into_owned()).collect();
        prop_assert_eq!(told, expected);
    }
}
