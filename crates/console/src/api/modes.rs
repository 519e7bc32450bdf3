//! `/modes` and `/reload`: how far layers go, and what is in force.

use axum::Json;
use axum::extract::State;

use super::{Console, aside};
use crate::caller::Caller;
use crate::extract::{Asked, Meant, Ordered};
use crate::refused::Refused;
use crate::wire::{Changed, ModeChange, Reloaded};

pub(crate) async fn change(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Ordered(change): Ordered<ModeChange>,
) -> Result<Json<Changed>, Refused> {
    let author = caller.author(&change.author);
    aside(move || console.instance.change_modes(&change, &author, meant.dry_run).map(Json)).await
}

pub(crate) async fn reload(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
) -> Result<Json<Reloaded>, Refused> {
    let author = caller.author("");
    aside(move || console.instance.reload(&author, meant.dry_run).map(Json)).await
}
