//! `token`: makes, lists and revokes what lets people and programs in over the network.
//!
//! Making one needs no running instance: the first one is needed before an address that other
//! machines reach may be opened at all.

use console::wire::{Token, TokenList, TokenMade, TokenOrder};
use http::Method;
use ledger::{Ledger, Options};

use super::{Desk, author, data_folder};
use crate::args::token::{TokenScope, Tokens};
use crate::args::{Global, Span};
use crate::client::escaped;
use crate::failure::Failure;
use crate::output::Paint;

/// Carries a command over tokens out.
pub(crate) fn token(global: &Global, desk: &mut Desk, command: &Tokens) -> Result<(), Failure> {
    match command {
        Tokens::Create { name, scope, span } => create(global, desk, name, *scope, *span),
        Tokens::List => list(desk),
        Tokens::Revoke { id } => {
            let revoked: Token = desk.client.delete(&format!("/tokens/{}", escaped(id)))?;
            desk.output.document(&revoked, |page| {
                page.line(&format!("revoked {} of {}", revoked.id, revoked.name));
            })
        }
    }
}

fn create(
    global: &Global,
    desk: &mut Desk,
    name: &str,
    scope: TokenScope,
    span: Span,
) -> Result<(), Failure> {
    let order = TokenOrder {
        name: name.to_owned(),
        scope: scope.word(),
        for_s: match span {
            Span::For(span) => Some(span.as_secs()),
            Span::Ever => {
                return Err(Failure::Usage("a token has an end, such as 365d".to_owned()));
            }
        },
        author: author(),
    };
    let made: TokenMade = match desk.client.send(Method::POST, "/tokens", &order) {
        Err(Failure::Unreachable(_)) if global.remote.server.is_none() => alone(global, &order)?,
        answered => answered?,
    };
    let secret = made.secret.as_deref().unwrap_or_default();
    desk.output.document(&made, |page| page.line(secret))?;
    let token = &made.token;
    let until = token.expires.as_deref().unwrap_or("it is revoked");
    desk.output.talk(&format!("{} may {} until {until}", token.name, token.scope));
    desk.output.talk("keep it in a file that only its owner can read; it is not shown again");
    desk.output.talk(&format!("undo: {}", desk.command(&format!("token revoke {}", token.id))));
    Ok(())
}

/// Nobody runs on the data folder, so it is ours for a moment.
fn alone(global: &Global, order: &TokenOrder) -> Result<TokenMade, Failure> {
    let (ledger, writer) = Ledger::open(&data_folder(global), Options::default())
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let now = crate::run::instance::now();
    let made = console::new_token(&ledger, order, &author(), now);
    writer.close();
    made.map(|(_, made)| made).map_err(|refused| Failure::Failed(refused.to_string()))
}

fn list(desk: &mut Desk) -> Result<(), Failure> {
    let list: TokenList = desk.client.get_all("/tokens")?;
    desk.output.list(&list, &list.tokens, |page| {
        let row = |token: &Token| {
            let (state, paint) = match (&token.revoked, token.valid) {
                (Some(_), _) => ("revoked", Paint::Faint),
                (None, true) => ("counts", Paint::Good),
                (None, false) => ("expired", Paint::Warn),
            };
            let expires = token.expires.as_deref().map(|at| page.clock().short(at));
            vec![
                (token.id.clone(), Paint::None),
                (token.name.clone(), Paint::Bold),
                (token.scope.clone(), Paint::None),
                (state.to_owned(), paint),
                (expires.unwrap_or_default(), Paint::Faint),
                (token.created_by.clone(), Paint::Faint),
            ]
        };
        let rows: Vec<_> = list.tokens.iter().map(row).collect();
        page.table(&["ID", "NAME", "SCOPE", "STATE", "UNTIL", "MADE BY"], &rows);
    })
}
