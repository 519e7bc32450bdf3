//! The kinds of words that SQL is read as, and a word with its kind.

/// How much of a word is kept: all known words are shorter.
pub(super) const TEXT_MAX: usize = 31;

/// What a word is to SQL. The number is the letter that stands for the kind in a fingerprint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    Backslash = b'\\',
    /// Any name, or a known word that means nothing special by itself.
    BareWord = b'n',
    Collate = b'A',
    Colon = b':',
    Comma = b',',
    Comment = b'c',
    Dot = b'.',
    /// What cannot be read the same way by all databases, and is written by attackers alone.
    Evil = b'X',
    /// `SELECT`, `INSERT` and the like.
    Expression = b'E',
    Function = b'f',
    /// `GROUP BY`, `LIMIT`, `HAVING` and the like.
    Group = b'B',
    Keyword = b'k',
    LeftBrace = b'{',
    LeftParenthesis = b'(',
    Logic = b'&',
    Number = b'1',
    Operator = b'o',
    RightBrace = b'}',
    RightParenthesis = b')',
    Semicolon = b';',
    String = b's',
    /// What begins a statement of Transact-SQL.
    Transact = b'T',
    Type = b't',
    Union = b'U',
    Unknown = b'?',
    Variable = b'v',
}

impl Kind {
    /// The kind that `letter` stands for in the list of words.
    pub(super) fn of_word(letter: &str) -> Option<Self> {
        Some(match letter {
            "&" => Self::Logic,
            "1" => Self::Number,
            "A" => Self::Collate,
            "B" => Self::Group,
            "E" => Self::Expression,
            "T" => Self::Transact,
            "U" => Self::Union,
            "f" => Self::Function,
            "k" => Self::Keyword,
            "n" => Self::BareWord,
            "o" => Self::Operator,
            "t" => Self::Type,
            "v" => Self::Variable,
            _ => return None,
        })
    }
}

/// A word of the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'v> {
    pub(super) kind: Kind,
    /// As it stands in the value, without quotes, and cut at [`TEXT_MAX`].
    pub(super) text: &'v [u8],
    /// The quote before a string, if there was a real one.
    pub(super) open: Option<u8>,
    /// The quote behind a string, if it ended before the value did.
    pub(super) close: Option<u8>,
    /// Does a phrase of several words begin with this text?
    pub(super) leads: bool,
}

impl<'v> Token<'v> {
    /// Stands where no token was read yet.
    pub(super) const NONE: Self = Self::new(Kind::Unknown, &[]);

    pub(super) const fn new(kind: Kind, text: &'v [u8]) -> Self {
        let text = match text.split_at_checked(TEXT_MAX) {
            Some((head, _)) => head,
            None => text,
        };
        Self { kind, text, open: None, close: None, leads: false }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word.as_bytes())
    }

    pub(super) fn begins(&self, word: &str) -> bool {
        let head = self.text.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// May it stand before an expression without changing what kind of thing that is?
    pub(super) fn is_unary(&self) -> bool {
        self.kind == Kind::Operator
            && (matches!(self.text, b"+" | b"-" | b"!" | b"~" | b"!!") || self.is("NOT"))
    }

    pub(super) fn is_arithmetic(&self) -> bool {
        self.kind == Kind::Operator && matches!(self.text, b"*" | b"/" | b"-" | b"+" | b"%")
    }
}
