//! Tests of the audit log: whatever somebody does to it with SQL shows.

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;

fn log(lines: u64) -> Connection {
    let mut connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(SCHEMA).expect("tables");
    let transaction = connection.transaction().expect("begins");
    for number in 1..=lines {
        let line = AuditLine {
            at: Timestamp::from_micros(number),
            who: "ada".to_owned(),
            what: format!("block d-{number}"),
            before: None,
            after: Some(String::new()),
        };
        append(&transaction, &line).expect("appended");
    }
    transaction.commit().expect("committed");
    connection
}

fn after(tampering: &str) -> Result<AuditHead, AuditFault> {
    let connection = log(5);
    connection.execute_batch(tampering).expect("tampered");
    verify(&connection, &[]).expect("an answer")
}

#[test]
fn an_untouched_log_verifies_and_lists_newest_first() {
    assert_eq!(verify(&log(0), &[]).expect("an answer").expect("whole").seq, 0);
    let connection = log(5);
    assert_eq!(verify(&connection, &[]).expect("an answer").expect("whole").seq, 5);
    let numbers = |before, limit| -> Vec<u64> {
        let lines = lines(&connection, before, limit).expect("an answer");
        lines.iter().map(|entry| entry.seq).collect()
    };
    assert_eq!(numbers(None, 3), [5, 4, 3]);
    assert_eq!(numbers(Some(3), 9), [2, 1]);
}

#[test]
fn each_way_of_tampering_shows() {
    let changed = |seq| Err(AuditFault::Changed { seq });
    let cases = [
        ("UPDATE audit SET what = 'block d-99' WHERE seq = 3", changed(3)),
        ("UPDATE audit SET who = 'eve' WHERE seq = 5", changed(5)),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", changed(1)),
        ("UPDATE audit SET before = '' WHERE seq = 2", changed(2)),
        ("UPDATE audit SET after = NULL WHERE seq = 2", changed(2)),
        ("UPDATE audit SET who = 'adab', what = 'lock d-4' WHERE seq = 4", changed(4)),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 4", changed(4)),
        ("DELETE FROM audit WHERE seq = 3", Err(AuditFault::Missing { expected: 3 })),
        ("DELETE FROM audit WHERE seq = 1", Err(AuditFault::Missing { expected: 1 })),
        ("DELETE FROM audit WHERE seq = 5", Err(AuditFault::Cut { found: 4, expected: 5 })),
        ("DELETE FROM audit", Err(AuditFault::Cut { found: 0, expected: 5 })),
        (
            "UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
             UPDATE audit SET seq = 3 WHERE seq = 9",
            changed(2),
        ),
        ("DELETE FROM audit WHERE seq = 5; UPDATE audit_head SET seq = 4", changed(4)),
    ];
    for (tampering, expected) in cases {
        assert_eq!(after(tampering), expected, "{tampering}");
    }
}

#[test]
fn a_log_goes_on_after_its_end_was_cut_and_still_shows_it() {
    let mut connection = log(5);
    connection.execute_batch("DELETE FROM audit WHERE seq = 5").expect("cut");
    let transaction = connection.transaction().expect("begins");
    let line = AuditLine {
        at: Timestamp::EPOCH,
        who: "ada".to_owned(),
        what: "next".to_owned(),
        before: None,
        after: None,
    };
    append(&transaction, &line).expect("appended");
    transaction.commit().expect("committed");
    let fault = verify(&connection, &[]).expect("an answer").expect_err("a gap");
    assert_eq!(fault, AuditFault::Missing { expected: 5 });
}

/// Does what somebody does who knows how the chain is made: rewrites the log from a line on.
fn rewrite(connection: &mut Connection, from: u64, lines: &[(&str, &str)]) {
    let kept = from - 1;
    let script = format!(
        "DELETE FROM audit WHERE seq >= {from};
         UPDATE audit_head SET seq = {kept},
         hash = coalesce((SELECT hash FROM audit WHERE seq = {kept}), zeroblob(32))"
    );
    connection.execute_batch(&script).expect("cut");
    let transaction = connection.transaction().expect("begins");
    for (who, what) in lines {
        let (who, what) = ((*who).to_owned(), (*what).to_owned());
        let line = AuditLine { at: Timestamp::EPOCH, who, what, before: None, after: None };
        append(&transaction, &line).expect("appended");
    }
    transaction.commit().expect("committed");
}

#[test]
fn a_forged_chain_is_whole_and_does_not_pass_a_checkpoint() {
    let kept = verify(&log(3), &[]).expect("an answer").expect("whole");
    let forged = |from, lines: &[(&str, &str)]| {
        let mut connection = log(5);
        rewrite(&mut connection, from, lines);
        assert!(verify(&connection, &[]).expect("an answer").is_ok(), "only a checkpoint tells");
        verify(&connection, std::slice::from_ref(&kept)).expect("an answer")
    };
    let other = ("eve", "nothing");
    assert_eq!(forged(3, &[other, other]), Err(AuditFault::Rewritten { seq: 3 }));
    assert_eq!(forged(1, &[other, other, other, other]), Err(AuditFault::Rewritten { seq: 3 }));
    assert_eq!(forged(2, &[other]), Err(AuditFault::Cut { found: 2, expected: 3 }));
    assert_eq!(forged(1, &[]), Err(AuditFault::Cut { found: 0, expected: 3 }));
    assert!(forged(4, &[other]).is_ok(), "after the last checkpoint nothing is promised");
}

#[test]
fn a_checkpoint_reads_as_it_is_written() {
    let head = verify(&log(3), &[]).expect("an answer").expect("whole");
    assert_eq!(head.to_string().parse(), Ok(head.clone()));
    assert_eq!(format!("  {head}  2026-11-26 by cron").parse(), Ok(head));
    for wrong in ["", "3", "x y", "3 abc", "-1 00"] {
        assert!(wrong.parse::<AuditHead>().is_err(), "{wrong}");
    }
}

/// What somebody does to the lines of a log.
#[derive(Clone, Debug)]
enum Tampering {
    Edit(usize),
    Delete(usize),
    Swap(usize, usize),
    Insert(usize),
    Repeat(usize),
    Cut(usize),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let place = || 0_usize..12;
    prop_oneof![
        place().prop_map(Tampering::Edit),
        place().prop_map(Tampering::Delete),
        (place(), place()).prop_map(|(a, b)| Tampering::Swap(a, b)),
        place().prop_map(Tampering::Insert),
        place().prop_map(Tampering::Repeat),
        place().prop_map(Tampering::Cut),
    ]
}

impl Tampering {
    fn apply(&self, lines: &mut Vec<AuditLine>) {
        let last = lines.len().saturating_sub(1);
        match *self {
            _ if lines.is_empty() => {}
            Self::Edit(at) => lines[at.min(last)].what.push('!'),
            Self::Delete(at) => drop(lines.remove(at.min(last))),
            Self::Swap(a, b) => lines.swap(a.min(last), b.min(last)),
            Self::Insert(at) => {
                let line = AuditLine { who: "eve".to_owned(), ..lines[last].clone() };
                lines.insert(at.min(last), line);
            }
            Self::Repeat(at) => lines.insert(at.min(last), lines[at.min(last)].clone()),
            Self::Cut(at) => lines.truncate(at),
        }
    }
}

/// A log of these lines with a chain that is right: what somebody makes who knows how.
fn forged(lines: &[AuditLine]) -> Connection {
    let mut connection = log(0);
    let transaction = connection.transaction().expect("begins");
    lines.iter().for_each(|line| append(&transaction, line).expect("appended"));
    transaction.commit().expect("committed");
    connection
}

fn all_lines(connection: &Connection) -> Vec<AuditEntry> {
    let mut entries = lines(connection, None, 100).expect("read");
    entries.reverse();
    entries
}

proptest! {
    /// A forger passes exactly when nothing up to the checkpoint is another than it was.
    #[test]
    fn no_forgery_passes_the_last_checkpoint(
        written in 1_u64..12,
        checkpoint in 1_u64..12,
        tamperings in prop::collection::vec(tampering(), 0..4),
    ) {
        let checkpoint = checkpoint.min(written);
        let whole = all_lines(&log(written));
        let kept = verify(&log(checkpoint), &[]).expect("an answer").expect("whole");
        let before: Vec<AuditLine> = whole.into_iter().map(|entry| entry.line).collect();
        let mut after = before.clone();
        tamperings.iter().for_each(|it| it.apply(&mut after));
        let connection = forged(&after);
        prop_assert!(verify(&connection, &[]).expect("an answer").is_ok());
        let upto = usize::try_from(checkpoint).expect("small");
        let is_same = after.get(..upto) == before.get(..upto);
        let passes = verify(&connection, std::slice::from_ref(&kept)).expect("an answer").is_ok();
        prop_assert_eq!(passes, is_same, "{:?}", tamperings);
    }

    /// Whoever changes the lines and cannot make the chain anew is found out without a checkpoint.
    #[test]
    fn no_change_of_the_lines_alone_passes(
        written in 1_u64..12,
        tamperings in prop::collection::vec(tampering(), 1..4),
    ) {
        let connection = log(written);
        let before = all_lines(&connection);
        let mut after: Vec<AuditLine> = before.iter().map(|it| it.line.clone()).collect();
        tamperings.iter().for_each(|it| it.apply(&mut after));
        // The new lines stand in the old places, under the old hashes as far as there are any.
        connection.execute_batch("DELETE FROM audit").expect("emptied");
        let hash_of = |hash: &str| -> Vec<u8> {
            let digits = |at: usize| u8::from_str_radix(&hash[at..at + 2], 16).expect("hexadecimal");
            (0..hash.len()).step_by(2).map(digits).collect()
        };
        for (number, line) in after.iter().enumerate() {
            let old = before.get(number).unwrap_or(&before[before.len() - 1]);
            let seq = i64::try_from(number + 1).expect("small");
            connection.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    seq, stored(line.at.as_micros()), line.who, line.what, line.before,
                    line.after, hash_of(&old.hash)
                ],
            ).expect("inserted");
        }
        let is_same = after.len() == before.len()
            && after.iter().zip(&before).all(|(new, old)| *new == old.line);
        let passes = verify(&connection, &[]).expect("an answer").is_ok();
        prop_assert_eq!(passes, is_same, "{:?}", tamperings);
    }
}
