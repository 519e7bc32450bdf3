//! The words of a value, folded until at most five are left.
//!
//! What an expression is does not change when `1 + 2` is taken for `1`, or `union all` for `union`.
//! So neighbours are folded into one as long as a rule says so, more words are read in their place,
//! and what is left in the end is what the value looks like to SQL.
//!
//! The rules and the order in which they are tried are libinjection's, and with them the places in
//! its array that it goes back to: which words are dropped depends on both.

use super::lexer::Lexer;
use super::token::{Kind, Token};
use super::words;

/// How many words a fingerprint has at most.
pub(super) const WORDS_MAX: usize = 5;

/// Names that are functions when a parenthesis follows, and columns otherwise.
const FUNCTIONS_IN_CALLS: [&str; 11] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATABASE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "PASSWORD",
    "USER",
    "USER_ID",
    "USER_NAME",
];

/// The words that are being folded.
pub(super) struct Fold<'v> {
    /// One more than are kept is read, since it may fold with the one before; two are spare, so
    /// that any index of three bits is one.
    tokens: [Token<'v>; 8],
    /// How many of them there are.
    read: usize,
    /// How many of them are settled.
    left: usize,
    /// A comment behind the last word read.
    comment: Option<Token<'v>>,
    /// Is there more to read?
    more: bool,
}

/// What two neighbours or three have become.
enum Outcome {
    /// Nothing: they stay as they are.
    Kept,
    /// Something else: all that was settled may be open again.
    Changed,
    /// An attack, whatever else is there.
    Evil,
}

impl<'v> Fold<'v> {
    /// Reads the words of `lexer` and folds them.
    pub(super) fn of(lexer: &mut Lexer<'v>) -> Self {
        let mut fold =
            Self { tokens: [Token::NONE; 8], read: 0, left: 0, comment: None, more: true };
        if fold.begin(lexer) {
            fold.run(lexer);
        }
        if let Some(comment) = fold.comment.filter(|_| fold.left < WORDS_MAX) {
            fold.set(fold.left, comment);
            fold.left += 1;
        }
        fold
    }

    /// The words that are left, at most [`WORDS_MAX`].
    pub(super) fn words(&self) -> &[Token<'v>] {
        self.tokens.get(..self.left.min(WORDS_MAX)).unwrap_or_default()
    }

    fn token(&self, at: usize) -> Token<'v> {
        self.tokens[at & 7]
    }

    fn set(&mut self, at: usize, token: Token<'v>) {
        self.tokens[at & 7] = token;
    }

    fn set_kind(&mut self, at: usize, kind: Kind) {
        self.tokens[at & 7].kind = kind;
    }

    /// Passes over what may stand before any expression, and reads the first word behind it.
    fn begin(&mut self, lexer: &mut Lexer<'v>) -> bool {
        while let Some(token) = lexer.next() {
            let is_prelude =
                matches!(token.kind, Kind::Comment | Kind::LeftParenthesis | Kind::Type)
                    || token.is_unary();
            if !is_prelude {
                self.set(0, token);
                self.read = 1;
                return true;
            }
        }
        false
    }

    fn run(&mut self, lexer: &mut Lexer<'v>) {
        loop {
            self.fold_five();
            if !self.more || self.left >= WORDS_MAX {
                self.left = self.read;
                return;
            }
            self.read_ahead(lexer, 2);
            if self.read < self.left + 2 {
                self.left = self.read;
                continue;
            }
            match self.fold_two() {
                Outcome::Changed => continue,
                Outcome::Evil => {
                    // It is all that counts.
                    self.set_kind(0, Kind::Evil);
                    self.left = 1;
                    self.comment = None;
                    return;
                }
                Outcome::Kept => {}
            }
            self.read_ahead(lexer, 3);
            if self.read < self.left + 3 {
                self.left = self.read;
                continue;
            }
            if !self.fold_three() {
                self.left += 1;
            }
        }
    }

    /// Reads until `wanted` words are open, or one more than are kept is there.
    fn read_ahead(&mut self, lexer: &mut Lexer<'v>, wanted: usize) {
        while self.more && self.read <= WORDS_MAX && self.read < self.left + wanted {
            match lexer.next() {
                None => self.more = false,
                Some(token) if token.kind == Kind::Comment => self.comment = Some(token),
                Some(token) => {
                    self.comment = None;
                    self.set(self.read, token);
                    self.read += 1;
                }
            }
        }
    }

    /// Takes back the last `count` words and opens all others again.
    fn drop_last(&mut self, count: usize) {
        self.read = self.read.saturating_sub(count);
        self.left = 0;
    }

    /// When five words are one expression in parentheses behind another, only the first counts.
    fn fold_five(&mut self) {
        use Kind::{
            BareWord, Comma, LeftParenthesis as Open, Number, Operator, RightParenthesis as Close,
        };
        if self.read < WORDS_MAX {
            return;
        }
        let [a, b, c, d, e, sixth, ..] = self.tokens;
        if !matches!(
            (a.kind, b.kind, c.kind, d.kind, e.kind),
            (Number, Operator | Comma, Open, Number, Close)
                | (BareWord, Operator, Open, BareWord | Number, Close)
                | (Number, Close, Comma, Open, Number)
                | (BareWord, Close, Operator, Open, BareWord)
        ) {
            return;
        }
        if self.read > WORDS_MAX {
            self.set(1, sixth);
            self.read = 2;
        } else {
            self.read = 1;
        }
        self.left = 0;
    }

    /// The first two open words.
    fn fold_two(&mut self) -> Outcome {
        let (at, next) = (self.left, self.left + 1);
        let (a, b) = (self.token(at), self.token(next));
        match (a.kind, b.kind) {
            (Kind::String, Kind::String) | (Kind::Semicolon, Kind::Semicolon) => self.read -= 1,
            (Kind::Operator | Kind::Logic, _) if b.is_unary() || b.kind == Kind::Type => {
                self.drop_last(1);
            }
            (Kind::LeftParenthesis, _) if b.is_unary() => {
                self.read -= 1;
                self.left = self.left.saturating_sub(1);
            }
            _ if self.merge(a, b) => {}
            (Kind::Semicolon, Kind::Function) if b.begins("IF") => {
                // Transact-SQL begins statements with it.
                self.set_kind(next, Kind::Transact);
            }
            (Kind::BareWord | Kind::Variable, Kind::LeftParenthesis)
                if FUNCTIONS_IN_CALLS.iter().any(|name| a.is(name)) =>
            {
                self.set_kind(at, Kind::Function);
            }
            (Kind::Keyword, _) if a.is("IN") || a.is("NOT IN") => {
                let is_list = b.kind == Kind::LeftParenthesis;
                self.set_kind(at, if is_list { Kind::Operator } else { Kind::BareWord });
            }
            (Kind::Operator, _) if a.is("LIKE") || a.is("NOT LIKE") => {
                if b.kind == Kind::LeftParenthesis {
                    self.set_kind(at, Kind::Function);
                }
                return Outcome::Kept;
            }
            (
                Kind::Type,
                Kind::BareWord
                | Kind::Number
                | Kind::Type
                | Kind::LeftParenthesis
                | Kind::Function
                | Kind::Variable
                | Kind::String,
            ) => {
                self.set(at, b);
                self.drop_last(1);
            }
            (Kind::Collate, Kind::BareWord) => {
                self.fold_collation(next, b);
                return Outcome::Kept;
            }
            (Kind::Backslash, _) => self.fold_backslash(at, b),
            (Kind::LeftParenthesis, Kind::LeftParenthesis)
            | (Kind::RightParenthesis, Kind::RightParenthesis) => self.drop_last(1),
            (Kind::LeftBrace, Kind::BareWord) => {
                if b.text.is_empty() {
                    // MySQL reads {``.``.a} as a column; nobody but attackers writes it.
                    return Outcome::Evil;
                }
                // ODBC's {name expression}.
                self.drop_last(2);
            }
            (_, Kind::RightBrace) => self.drop_last(1),
            _ => return Outcome::Kept,
        }
        Outcome::Changed
    }

    /// There are too many collations for a list; their names have underscores.
    fn fold_collation(&mut self, at: usize, name: Token<'v>) {
        if name.text.iter().take_while(|byte| **byte != 0).any(|byte| *byte == b'_') {
            self.set_kind(at, Kind::Type);
            self.left = 0;
        }
    }

    /// To Transact-SQL `\%1` is 0 % 1, and `\1` is 1.
    fn fold_backslash(&mut self, at: usize, behind: Token<'v>) {
        if behind.is_arithmetic() {
            self.set_kind(at, Kind::Number);
            self.left = 0;
        } else {
            self.set(at, behind);
            self.drop_last(1);
        }
    }

    /// Makes `a` and `b`, the first two open words, one, if they are a phrase.
    fn merge(&mut self, a: Token<'v>, b: Token<'v>) -> bool {
        let may_begin = a.leads
            && matches!(
                a.kind,
                Kind::Keyword
                    | Kind::BareWord
                    | Kind::Operator
                    | Kind::Union
                    | Kind::Function
                    | Kind::Expression
                    | Kind::Transact
                    | Kind::Type
            );
        let may_follow = matches!(
            b.kind,
            Kind::Keyword
                | Kind::BareWord
                | Kind::Operator
                | Kind::Union
                | Kind::Function
                | Kind::Expression
                | Kind::Transact
                | Kind::Type
                | Kind::Logic
        );
        if !may_begin || !may_follow {
            return false;
        }
        let Some(phrase) = words::find_phrase(a.text, b.text) else { return false };
        let kind = phrase.kind.unwrap_or(Kind::BareWord);
        self.set(self.left, Token { kind, text: phrase.text, leads: phrase.leads, ..a });
        self.read -= 1;
        self.left = self.left.saturating_sub(1);
        true
    }

    /// The first three open words; were they folded?
    fn fold_three(&mut self) -> bool {
        use Kind::{
            BareWord, Comma, Dot, Expression, Function, Group, Keyword, LeftParenthesis, Logic,
            Number, Operator, RightParenthesis, String, Type, Variable,
        };
        let (at, next) = (self.left, self.left + 1);
        let (a, b, c) = (self.token(at), self.token(next), self.token(self.left + 2));
        match (a.kind, b.kind, c.kind) {
            (Operator, middle, Operator) if middle != LeftParenthesis => self.drop_last(2),
            (Logic, _, Logic)
            | (Variable, Operator, Variable | Number | BareWord)
            | (BareWord | Number, Operator, Number | BareWord)
            | (
                BareWord | Number | String | Variable,
                Comma,
                Number | BareWord | String | Variable,
            )
            | (BareWord, Dot, BareWord) => self.drop_last(2),
            (BareWord | Number | Variable | String, Operator, Type) if b.text == b"::" => {
                self.drop_last(2);
            }
            (Expression | Group | Comma, _, LeftParenthesis) if b.is_unary() => {
                self.set(next, c);
                self.drop_last(1);
            }
            (Keyword | Expression | Group, _, Number | BareWord | Variable | String | Function)
                if b.is_unary() =>
            {
                self.set(next, c);
                self.drop_last(1);
            }
            (Comma, _, Number | BareWord | Variable | String) if b.is_unary() => {
                self.set(next, c);
                self.drop_last(3);
            }
            (Comma, _, Function) if b.is_unary() => {
                self.set(next, c);
                self.drop_last(1);
            }
            (Expression, Dot, BareWord) => {
                self.set(next, c);
                self.drop_last(1);
            }
            (Function, LeftParenthesis, last) if last != RightParenthesis && a.is("USER") => {
                // The function takes no argument: it was a name, after all.
                self.set_kind(at, BareWord);
                return false;
            }
            _ => return false,
        }
        true
    }
}
