//! The bounds of what is remembered of answers.

use traffic::DataClasses;
use traffic::media::Media;

use super::*;
use crate::body::AnswerBody;

fn looks(status: u16, key_set: u64) -> Looks {
    let body = AnswerBody { key_set, ..AnswerBody::default() };
    let answer = AnswerLesson {
        status,
        issued: &[],
        body: Some(body),
        media: Media::Json,
        length: 0,
        redirect: None,
        classes: DataClasses::default(),
        took_us: 0,
    };
    Looks::of(&answer, Digest(1))
}

#[test]
fn clusters_are_bounded_and_proven_ones_stay() {
    let mut outcomes = Outcomes::default();
    let success = Looks { issues: true, ..looks(200, 1) };
    outcomes.learn(success);
    outcomes.prove(success.number(), true, true);
    for key_set in 2..10_000 {
        outcomes.learn(looks(200, key_set));
    }
    assert_eq!(outcomes.clusters.len(), CLUSTERS_MAX);
    assert_eq!(outcomes.judge(success, Role::Login), Outcome::Success);
    assert_eq!(outcomes.judge(looks(200, 77), Role::Login), Outcome::Failure);
}

#[test]
fn roles_that_hand_out_nothing_go_by_status_and_speech() {
    let outcomes = Outcomes::default();
    let error = Looks { speech: Speech::Error, ..looks(200, 1) };
    for role in [Role::Redeem, Role::ResetConfirm, Role::ObjectWrite, Role::Other] {
        assert_eq!(outcomes.judge(looks(200, 1), role), Outcome::Success);
        assert_eq!(outcomes.judge(looks(422, 1), role), Outcome::Failure);
        assert_eq!(outcomes.judge(error, role), Outcome::Failure);
        assert_eq!(outcomes.judge(looks(404, 1), role), Outcome::NotFound);
        assert_eq!(outcomes.judge(looks(502, 1), role), Outcome::Unknown);
    }
}
