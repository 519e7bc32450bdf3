//! `/tokens`: who may come in over the network.

use std::cmp::Reverse;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use ledger::{AuditLine, Change, Ledger, Write, WriteError};
use traffic::Timestamp;

use super::page::PageQuery;
use super::{Console, aside, lasting};
use crate::caller::Caller;
use crate::extract::{Asked, Meant, Named, Ordered};
use crate::refused::Refused;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::wire::{ScopeWord, Token, TokenList, TokenMade, TokenOrder};

/// How long a token counts when nobody says.
const COUNTS_FOR: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<TokenList>, Refused> {
    let now = console.instance.now();
    let place = |token: &ledger::Token| Reverse((token.created, token.id.clone()));
    let (tokens, next) = query.read()?.of(console.keyring.all(), place);
    let tokens = tokens.iter().map(|token| Token::of(token, now)).collect();
    Ok(Json(TokenList { schema: "palisade.v1.tokens".to_owned(), tokens, next }))
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(id): Named,
) -> Result<Json<Token>, Refused> {
    let token = console.keyring.one(&id);
    token
        .map(|token| Json(Token::of(&token, console.instance.now())))
        .ok_or_else(|| Refused::missing(format!("there is no token {id:?}")))
}

pub(crate) async fn make(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Ordered(order): Ordered<TokenOrder>,
) -> Result<Json<TokenMade>, Refused> {
    let author = caller.author(&order.author);
    aside(move || {
        let now = console.instance.now();
        if meant.dry_run {
            let token = planned(&order, &author, now)?;
            return Ok(Json(TokenMade::of(&token, None, now)));
        }
        let (token, made) = new_token(&console.ledger, &order, &author, now)?;
        console.keyring.put(token);
        Ok(Json(made))
    })
    .await
}

pub(crate) async fn revoke(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Named(id): Named,
) -> Result<Json<Token>, Refused> {
    let author = caller.author("");
    aside(move || {
        let now = console.instance.now();
        let missing = || Refused::missing(format!("there is no token {id:?} that counts"));
        let token = console.keyring.one(&id).filter(|token| token.revoked.is_none());
        let revoked = ledger::Token { revoked: Some(now), ..token.ok_or_else(missing)? };
        if !meant.dry_run {
            // Refused from now on, also when the disk does not take it.
            console.keyring.put(revoked.clone());
            let what = format!("revoked token {id} of {}", revoked.name);
            stored(&console.ledger, &revoked, &author, what, now)
                .map_err(|error| Refused::failed("in force, but a restart forgets it", error))?;
        }
        Ok(Json(Token::of(&revoked, now)))
    })
    .await
}

/// Makes a token and stores its hash; the token itself is in the answer and nowhere else.
pub fn new_token(
    ledger: &Ledger,
    order: &TokenOrder,
    author: &str,
    now: Timestamp,
) -> Result<(ledger::Token, TokenMade), Refused> {
    let mut token = planned(order, author, now)?;
    let unmade = |error| Refused::failed("no token was made", error);
    let secret = Secret::random().map_err(unmade)?;
    secret.id().clone_into(&mut token.id);
    token.hash = secret.hash().map_err(unmade)?;
    let lasts = token.expires.map_or_else(|| "ever".to_owned(), |end| end.to_string());
    let what = format!(
        "made token {} for {}, scope {}, counting until {lasts}",
        token.id, token.name, token.scope
    );
    match stored(ledger, &token, author, what, now) {
        Ok(()) => {}
        Err(WriteError::Refused(why)) => return Err(Refused::conflict(why)),
        Err(error) => return Err(Refused::failed("no token was made", error)),
    }
    let made = TokenMade::of(&token, Some(secret.reveal().to_owned()), now);
    Ok((token, made))
}

/// The token that is ordered, without what makes it one.
fn planned(order: &TokenOrder, author: &str, now: Timestamp) -> Result<ledger::Token, Refused> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if order.name.is_empty() || order.name.len() > 64 || !order.name.chars().all(is_plain) {
        let title = "a name has 1 to 64 letters, digits, and . _ @ -".to_owned();
        return Err(Refused::wrong(title));
    }
    let lasts = lasting("for_s", order.for_s)?.unwrap_or(COUNTS_FOR);
    let scope = match order.scope {
        ScopeWord::Read => Scope::Read,
        ScopeWord::Tune => Scope::Tune,
        ScopeWord::Enforce => Scope::Enforce,
        ScopeWord::Admin => Scope::Admin,
    };
    Ok(ledger::Token {
        id: String::new(),
        name: order.name.clone(),
        scope: scope.key().to_owned(),
        hash: String::new(),
        created: now,
        created_by: author.to_owned(),
        expires: Some(now.after(lasts)),
        revoked: None,
    })
}

fn stored(
    ledger: &Ledger,
    token: &ledger::Token,
    author: &str,
    what: String,
    now: Timestamp,
) -> Result<(), WriteError> {
    let audit = AuditLine { at: now, who: author.to_owned(), what, before: None, after: None };
    ledger.write(Write { changes: vec![Change::PutToken(token.clone())], audit: Some(audit) })
}

impl Token {
    fn of(token: &ledger::Token, now: Timestamp) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            scope: token.scope.clone(),
            created: token.created.to_string(),
            created_by: token.created_by.clone(),
            expires: token.expires.map(|at| at.to_string()),
            revoked: token.revoked.map(|at| at.to_string()),
            valid: token.is_valid(now),
        }
    }
}

impl TokenMade {
    fn of(token: &ledger::Token, secret: Option<String>, now: Timestamp) -> Self {
        let schema = "palisade.v1.token-made".to_owned();
        Self { schema, token: Token::of(token, now), secret }
    }
}
