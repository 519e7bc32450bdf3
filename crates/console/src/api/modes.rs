//! `/modes` and `/reload`: how far layers go, and what is in force.

use axum::Json;
use axum::extract::{ConnectInfo, State};

use super::{Console, aside};
use crate::refused::Refused;
use crate::serve::CallerUid;
use crate::wire::{Changed, ModeChange, Reloaded};

pub(super) async fn change(
    State(console): State<Console>,
    ConnectInfo(caller): ConnectInfo<CallerUid>,
    Json(change): Json<ModeChange>,
) -> Result<Json<Changed>, Refused> {
    let author = caller.author(&change.author);
    aside(move || console.instance.change_modes(&change, &author).map(Json)).await
}

pub(super) async fn reload(
    State(console): State<Console>,
    ConnectInfo(caller): ConnectInfo<CallerUid>,
) -> Result<Json<Reloaded>, Refused> {
    let author = caller.author("");
    aside(move || console.instance.reload(&author).map(Json)).await
}
