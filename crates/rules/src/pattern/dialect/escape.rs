//! What stands behind a `\` outside a class, and the numbers that both sides share.

use super::{Writer, literal};
use crate::pattern::error::PatternError;

/// What `\h` stands for: the bytes of Latin-1 that PCRE counts.
pub(super) const HORIZONTAL: &str = r"\t \xa0";

/// What `\v` stands for.
pub(super) const VERTICAL: &str = r"\n\x0b\x0c\r\x85";

impl Writer<'_> {
    /// The `\` and what it escapes.
    pub(super) fn escape(&mut self) -> Result<(), PatternError> {
        self.skip(1);
        let Some(byte) = self.peek() else {
            return Err(PatternError::new("it ends with a \\"));
        };
        match byte {
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' | b'b' | b'B' | b'A' | b'z' => {
                self.item(&format!("\\{}", char::from(byte)));
            }
            b'h' => self.item(&format!("[{HORIZONTAL}]")),
            b'H' => self.item(&format!("[^{HORIZONTAL}]")),
            b'v' => self.item(&format!("[{VERTICAL}]")),
            b'V' => self.item(&format!("[^{VERTICAL}]")),
            b'R' => self.item(&format!("(?:\\r\\n|[{VERTICAL}])")),
            b'N' => self.item(r"[^\n]"),
            b'Z' => self.item(r"(?:\n?\z)"),
            b'Q' => {
                self.skip(1);
                self.quote();
                return Ok(());
            }
            b'E' => {}
            b'1'..=b'9' => {
                self.skip(1);
                return self.reference(byte);
            }
            b'g' | b'k' => {
                let text = "groups are referred to by \\1 to \\9 alone";
                return Err(PatternError::new(text));
            }
            _ => {
                let byte = self.code()?;
                literal(&mut self.out, byte);
                self.is_repeatable = true;
                return Ok(());
            }
        }
        self.skip(1);
        Ok(())
    }

    /// `\Q…\E`: as it stands.
    fn quote(&mut self) {
        while let Some(byte) = self.peek() {
            if self.rest.starts_with(br"\E") {
                self.skip(2);
                return;
            }
            self.plain(byte);
        }
    }

    /// The byte that an escape means; its `\` is passed already.
    pub(super) fn code(&mut self) -> Result<u8, PatternError> {
        let Some(byte) = self.peek() else {
            return Err(PatternError::new("it ends with a \\"));
        };
        self.skip(1);
        Ok(match byte {
            b'a' => 0x07,
            b'e' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => self.octal(0),
            b'x' => return self.hexadecimal(),
            b'o' => return self.braced(8),
            b'c' => {
                let control = self.peek().filter(u8::is_ascii_graphic);
                let control = control.ok_or_else(|| PatternError::new("\\c without a letter"))?;
                self.skip(1);
                control.to_ascii_uppercase() ^ 0x40
            }
            byte if byte.is_ascii_alphanumeric() => {
                let byte = char::from(byte);
                return Err(PatternError::new(format!("\\{byte} is not supported")));
            }
            byte => byte,
        })
    }

    /// Up to two more octal digits behind the value of those before.
    pub(super) fn octal(&mut self, before: u8) -> u8 {
        let mut value = before;
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek() else { break };
            // PCRE keeps the low eight bits of \777.
            value = value.wrapping_mul(8).wrapping_add(digit - b'0');
            self.skip(1);
        }
        value
    }

    fn hexadecimal(&mut self) -> Result<u8, PatternError> {
        if self.peek() == Some(b'{') {
            return self.braced(16);
        }
        let mut value = 0_u8;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                break;
            };
            value = value.wrapping_mul(16).wrapping_add(u8::try_from(digit).unwrap_or_default());
            self.skip(1);
        }
        Ok(value)
    }

    /// `{…}`: a number to this base.
    fn braced(&mut self, base: u32) -> Result<u8, PatternError> {
        let inner = if self.peek() == Some(b'{') { self.until(b'}') } else { None };
        let digits = inner.and_then(|inner| std::str::from_utf8(inner.get(1..)?).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, base).ok());
        value.ok_or_else(|| PatternError::new("the code of a character is no byte"))
    }
}
