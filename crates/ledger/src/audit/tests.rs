//! Tests of the audit log: whatever somebody does to it with SQL shows.

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
