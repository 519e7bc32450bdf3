//! Who is put out, for how long, and who must not be.

use super::*;

fn row(count: usize, care: Care) -> Row {
    let member = |number| {
        let url = format!("http://10.0.0.{number}:80");
        Arc::new(Health::new(Upstream::parse(&url, None).expect("an upstream")))
    };
    Row::new("shop", care, (1..=count).map(member).collect())
}

fn out(row: &Row) -> usize {
    row.members.iter().filter(|member| !member.serves()).count()
}

#[test]
fn a_share_is_put_out_and_never_all() {
    for (count, percent, most) in [
        (1, 100, 0),
        (2, 50, 1),
        (2, 100, 1),
        (3, 50, 2),
        (3, 34, 2),
        (3, 33, 1),
        (4, 50, 2),
        (5, 10, 1),
    ] {
        let row = row(count, Care { eject_percent_max: percent, ..Care::default() });
        for _ in 0..20 {
            for member in &row.members {
                row.note_fault(member, Fault::Unreachable);
            }
        }
        assert_eq!(out(&row), most, "{percent} % of {count}");
    }
}

#[test]
fn faults_count_in_a_row() {
    let row = row(2, Care::default());
    for _ in 0..20 {
        for _ in 0..4 {
            row.note_fault(&row.members[0], Fault::Broken);
        }
        row.members[0].note_answer();
    }
    assert_eq!(out(&row), 0);
    let never = row_that_ejects_never();
    for _ in 0..100 {
        never.note_fault(&never.members[0], Fault::TimedOut);
        never.note_silence(&never.members[0]);
    }
    assert_eq!(out(&never), 0);
}

fn row_that_ejects_never() -> Row {
    row(3, Care { eject_after: 0, ..Care::default() })
}

#[test]
fn each_failed_return_doubles_the_time_out() {
    let row = row(2, Care { eject_for: Duration::from_millis(40), ..Care::default() });
    let one = &row.members[0];
    row.note_silence(one);
    assert!(one.is_silent() && !one.may_return());
    let left = |one: &Health| one.ejected_until_ms.load(Relaxed).saturating_sub(one.now_ms());
    let mut before = left(one);
    for _ in 0..DOUBLED_MAX {
        row.note_return(one, false);
        assert!(left(one) > before + before / 2, "{} after {before}", left(one));
        before = left(one);
    }
    row.note_return(one, false);
    assert!(left(one) <= 40 << DOUBLED_MAX);
    row.note_return(one, true);
    assert!(one.serves() && !one.is_silent());
}

#[test]
fn who_has_just_come_back_takes_less() {
    let row = row(2, Care::default());
    let one = &row.members[0];
    assert!(!row.lets_go_by(one, 7), "it was never out");
    one.comes_back();
    let taken = (0..10_000).filter(|drawn| !row.lets_go_by(one, *drawn)).count();
    assert!((900..2_000).contains(&taken), "a tenth at first, not {taken}");
}

#[test]
fn checks_count_in_a_row_and_do_not_bring_back_who_failed_otherwise() {
    let row = row(2, Care { path: Some("/healthz".to_owned()), ..Care::default() });
    let one = &row.members[0];
    row.note_checks(one, false, 2, "");
    assert!(one.serves());
    row.note_checks(one, false, 3, "the answer was 503");
    assert!(!one.serves());
    row.note_silence(one);
    row.note_checks(one, true, 2, "");
    assert!(!one.serves(), "it is still out for its silence");
}
