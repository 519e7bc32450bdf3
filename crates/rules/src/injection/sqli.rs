//! SQL injection: the value is read as SQL, as it is and inside of quotes, and what it looks like
//! then is compared with what attacks look like.

mod fingerprints;
mod fold;
mod lexer;
mod token;
mod words;

use std::fmt;

use memchr::memchr;

use crate::byte_set::ByteSet;
use fold::{Fold, WORDS_MAX};
use lexer::{Dialect, Lexer};
use token::{Kind, Token};

/// What an attack looks like: a letter for each of its first words, at most five.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Fingerprint {
    letters: [u8; WORDS_MAX],
    length: u8,
}

impl Fingerprint {
    fn of(letters: impl Iterator<Item = u8>) -> Self {
        let mut fingerprint = Self { letters: [0; WORDS_MAX], length: 0 };
        for (place, letter) in fingerprint.letters.iter_mut().zip(letters) {
            *place = letter;
            fingerprint.length += 1;
        }
        fingerprint
    }

    /// The letters, which are ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.letters.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Fingerprint({})", self.as_bytes().escape_ascii())
    }
}

/// Letters, digits, underscores and whatever is beyond ASCII, but for the space of Latin-1.
const PLAIN: ByteSet = ByteSet::of(b"_")
    .union(ByteSet::range(b'a', b'z'))
    .union(ByteSet::range(b'A', b'Z'))
    .union(ByteSet::range(b'0', b'9'))
    .union(ByteSet::range(0x80, 0x9f))
    .union(ByteSet::range(0xa1, 0xff));
/// What numbers, versions and addresses are made of.
const NUMERIC: ByteSet = ByteSet::of(b"0123456789.");

/// What [`sqli`] finds has a byte of each.
pub(crate) const SQLI_NEEDS: [ByteSet; 2] = [PLAIN.complement(), NUMERIC.complement()];

/// May [`sqli`] find anything in a value that has these bytes? A name, a number or an identifier
/// of letters, digits and underscores is at most three words (`0b1`, `2`, `or`), and no fingerprint
/// consists of the words that it can be.
#[must_use]
pub const fn sqli_is_possible(bytes: ByteSet) -> bool {
    let [wording, figures] = SQLI_NEEDS;
    bytes.meets(wording) && bytes.meets(figures)
}

/// Is it SQL injection, and what does it look like?
#[must_use]
pub fn sqli(value: &[u8]) -> Option<Fingerprint> {
    let as_is = || judge_dialects(value, None);
    let in_quotes = || {
        memchr(b'\'', value)?;
        judge_dialects(value, Some(b'\''))
    };
    let in_double_quotes = || {
        memchr(b'"', value)?;
        judge(value, Some(b'"'), Dialect::MySql).attack
    };
    as_is().or_else(in_quotes).or_else(in_double_quotes)
}

/// What one way to read a value says.
struct Judgement {
    attack: Option<Fingerprint>,
    /// Would another dialect read it otherwise?
    depends: bool,
}

fn judge_dialects(value: &[u8], inside: Option<u8>) -> Option<Fingerprint> {
    let ansi = judge(value, inside, Dialect::Ansi);
    if ansi.attack.is_none() && ansi.depends {
        return judge(value, inside, Dialect::MySql).attack;
    }
    ansi.attack
}

fn judge(value: &[u8], inside: Option<u8>, dialect: Dialect) -> Judgement {
    let mut lexer = Lexer::new(value, inside, dialect);
    let fold = Fold::of(&mut lexer);
    let words = fold.words();
    let fingerprint = fingerprint(words);
    let is_attack = fingerprints::is_known(&fingerprint)
        && !is_innocent(value, words, &fingerprint, lexer.count);
    Judgement { attack: is_attack.then_some(fingerprint), depends: lexer.depends }
}

fn fingerprint(words: &[Token<'_>]) -> Fingerprint {
    if words.iter().any(|word| word.kind == Kind::Evil) {
        return Fingerprint::of(std::iter::once(Kind::Evil as u8));
    }
    // To PHP's MySQL a back quote that is never closed begins a comment.
    let last_is_comment = words.len() > 2
        && words.last().is_some_and(|last| {
            last.kind == Kind::BareWord
                && last.open == Some(b'`')
                && last.close.is_none()
                && last.text.is_empty()
        });
    let last = words.len().saturating_sub(1);
    Fingerprint::of(words.iter().enumerate().map(|(at, word)| {
        if at == last && last_is_comment { Kind::Comment as u8 } else { word.kind as u8 }
    }))
}

/// Looks an honest value of few words like an attack by chance? `read` is how many words it had
/// before they were folded.
fn is_innocent(value: &[u8], words: &[Token<'_>], fingerprint: &Fingerprint, read: u32) -> bool {
    if words.iter().any(|word| word.kind == Kind::Evil) {
        return false;
    }
    // SQL Server does not log statements that name this procedure.
    if words.len() > 1
        && fingerprint.as_bytes().last() == Some(&(Kind::Comment as u8))
        && memchr::memmem::find(value, b"sp_password").is_some()
    {
        return false;
    }
    match words {
        [first, second] => is_innocent_pair(value, first, second, read),
        [first, middle, last] => is_innocent_triple(fingerprint, first, middle, last, read),
        _ => false,
    }
}

fn is_innocent_pair(value: &[u8], first: &Token<'_>, second: &Token<'_>, read: u32) -> bool {
    if second.kind == Kind::Union {
        return read == 2;
    }
    let begin = second.text.first().copied().unwrap_or_default();
    match (first.kind, second.kind) {
        _ if begin == b'#' => true,
        (Kind::BareWord, Kind::Comment) if begin != b'/' => true,
        (Kind::Number, Kind::Comment) if begin == b'/' || read > 2 => false,
        (Kind::Number, Kind::Comment) => {
            // `1234-abcd--` may be an identifier; `1234--` and `1234 --` are none.
            let behind = value.get(first.text.len()..).unwrap_or_default();
            let is_space = behind.first().is_none_or(|byte| *byte <= b' ' || *byte >= 0x80);
            !is_space && !behind.starts_with(b"/*") && !behind.starts_with(b"--")
        }
        // People write dashes; attackers end with them.
        _ => second.text.len() > 2 && begin == b'-',
    }
}

fn is_innocent_triple(
    fingerprint: &Fingerprint,
    first: &Token<'_>,
    middle: &Token<'_>,
    last: &Token<'_>,
    read: u32,
) -> bool {
    match fingerprint.as_bytes() {
        // …a' + 'b… stands in the string of somebody else's statement; 'a' + 'b' does not.
        b"sos" | b"s&s" => first.open.is_some() || last.close.is_some() || first.close != last.open,
        // "sexy and 17" is no attack, "sexy and 17<18" is.
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => read == 3,
        _ => middle.kind == Kind::Keyword && !(middle.text.len() > 4 && middle.begins("INTO")),
    }
}
