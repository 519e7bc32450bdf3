//! `[…]`.

use super::{Writer, escape, literal};
use crate::pattern::error::PatternError;

/// A member of a class.
enum Member {
    Byte(u8),
    /// Several, written out; they cannot be the end of a range.
    Several(String),
    /// Nothing: `\E` without `\Q`.
    Nothing,
}

/// Names that both sides know between `[:` and `:]`, with the same bytes.
const POSIX: [&[u8]; 14] = [
    b"alnum", b"alpha", b"ascii", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print",
    b"punct", b"space", b"upper", b"word", b"xdigit",
];

impl Writer<'_> {
    pub(super) fn class(&mut self) -> Result<(), PatternError> {
        self.skip(1);
        self.out.push('[');
        if self.peek() == Some(b'^') {
            self.out.push('^');
            self.skip(1);
        }
        let mut is_first = true;
        loop {
            match self.peek() {
                None => return Err(PatternError::new("a class is not closed")),
                Some(b']') if !is_first => break,
                _ => self.members()?,
            }
            is_first = false;
        }
        self.skip(1);
        self.out.push(']');
        self.is_repeatable = true;
        Ok(())
    }

    /// A member, or a range of them.
    fn members(&mut self) -> Result<(), PatternError> {
        let first = match self.member()? {
            Member::Byte(byte) => byte,
            Member::Several(text) => {
                self.out.push_str(&text);
                return Ok(());
            }
            Member::Nothing => return Ok(()),
        };
        literal(&mut self.out, first);
        if self.peek() != Some(b'-') || matches!(self.rest, [b'-', b']', ..] | [b'-']) {
            return Ok(());
        }
        self.skip(1);
        match self.member()? {
            Member::Byte(last) if last < first => {
                Err(PatternError::new("a range in a class ends before it begins"))
            }
            Member::Byte(last) => {
                self.out.push('-');
                literal(&mut self.out, last);
                Ok(())
            }
            Member::Several(text) => {
                self.out.push_str(r"\-");
                self.out.push_str(&text);
                Ok(())
            }
            Member::Nothing => Err(PatternError::new("a range in a class has no end")),
        }
    }

    fn member(&mut self) -> Result<Member, PatternError> {
        let Some(byte) = self.peek() else {
            return Err(PatternError::new("a class is not closed"));
        };
        if byte == b'['
            && let Some(posix) = self.posix()?
        {
            return Ok(posix);
        }
        self.skip(1);
        if byte != b'\\' {
            return Ok(Member::Byte(byte));
        }
        let several = match self.peek() {
            Some(kind @ (b'd' | b'D' | b'w' | b'W' | b's' | b'S')) => {
                format!("\\{}", char::from(kind))
            }
            Some(b'h') => escape::HORIZONTAL.to_owned(),
            Some(b'H') => format!("[^{}]", escape::HORIZONTAL),
            Some(b'v') => escape::VERTICAL.to_owned(),
            Some(b'V') => format!("[^{}]", escape::VERTICAL),
            Some(b'b') => {
                self.skip(1);
                return Ok(Member::Byte(0x08));
            }
            Some(digit @ b'1'..=b'7') => {
                self.skip(1);
                return Ok(Member::Byte(self.octal(digit - b'0')));
            }
            Some(b'Q') => return self.quoted(),
            Some(b'E') => {
                self.skip(1);
                return Ok(Member::Nothing);
            }
            _ => return Ok(Member::Byte(self.code()?)),
        };
        self.skip(1);
        Ok(Member::Several(several))
    }

    /// `\Q…\E`: as it stands.
    fn quoted(&mut self) -> Result<Member, PatternError> {
        self.skip(1);
        let mut several = String::new();
        while !self.rest.starts_with(br"\E") {
            let Some(byte) = self.peek() else {
                return Err(PatternError::new("a class is not closed"));
            };
            literal(&mut several, byte);
            self.skip(1);
        }
        self.skip(2);
        Ok(if several.is_empty() { Member::Nothing } else { Member::Several(several) })
    }

    fn posix(&mut self) -> Result<Option<Member>, PatternError> {
        let Some(inner) = self.rest.strip_prefix(b"[:") else { return Ok(None) };
        let letters = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'^';
        let len = inner.iter().take_while(letters).count();
        let (name, after) = inner.split_at_checked(len).unwrap_or_default();
        if !after.starts_with(b":]") {
            return Ok(None);
        }
        let (not, name) = match name.strip_prefix(b"^") {
            Some(name) => ("^", name),
            None => ("", name),
        };
        if !POSIX.contains(&name) {
            let name = name.escape_ascii();
            return Err(PatternError::new(format!("there is no class [:{name}:]")));
        }
        let member = format!("[:{not}{}:]", String::from_utf8_lossy(name));
        self.skip(2 + len + 2);
        Ok(Some(Member::Several(member)))
    }
}
