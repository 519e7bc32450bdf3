//! Names and passwords in the head: which of them are tried, and which only sent along.

use base64::Engine as _;

use super::*;

fn basic<'a>(call: Call<'a>, pair: &str) -> Call<'a> {
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    call.with("authorization", &format!("Basic {pair}"))
}

impl World {
    fn tries(&self, call: &Call<'_>) -> bool {
        self.callers.tries_basic(&Self::sight(call), call.role)
    }
}

#[test]
fn what_opened_a_closed_door_is_no_try_any_more() {
    let mut world = World::with_closed_door();
    let machine = basic(Call::get().closed(), "robot:right");
    assert!(world.tries(&machine));
    world.call(machine.clone());
    assert!(!world.tries(&machine));
    // Nor when it has been changed since.
    world.call(machine.clone().status(401));
    assert!(!world.tries(&machine));
    assert!(world.tries(&basic(Call::get().closed(), "robot:guessed")));
    assert!(!world.tries(&Call::get().closed().bearer(&token(1))));
}

#[test]
fn what_passed_where_everybody_does_is_a_try_where_not_everybody_does() {
    let mut world = World::with_closed_door();
    let call = |call: Call<'static>| basic(call, "ada:guessed");
    world.call(call(Call::get()));
    assert!(!world.tries(&call(Call::get())), "nobody is told anything there");
    assert!(world.tries(&call(Call::get().closed())));
    // A session beside it may be what opened the door.
    let session = token(7);
    world.call(Call::login("ada", &session));
    world.call(call(Call::get().closed().with("x-session-token", &session)));
    assert!(world.tries(&call(Call::get().closed())));
}
