//! What the words of a list begin with: nearly every text that is looked up in one ends here.

/// The first bytes of some words, in either case.
#[derive(Clone, Copy, Debug)]
pub struct Initials(u128);

impl Initials {
    /// Of these words, which begin with ASCII.
    pub const fn of(words: &[&str]) -> Self {
        let (mut found, mut at) = (0, 0);
        while at < words.len() {
            let first = words[at].as_bytes()[0];
            found |= 1 << first.to_ascii_lowercase();
            found |= 1 << first.to_ascii_uppercase();
            at += 1;
        }
        Self(found)
    }

    /// Whether some word may begin as `text` does.
    pub const fn may_begin(self, text: &[u8]) -> bool {
        matches!(text.first(), Some(first) if first.is_ascii() && self.0 & (1 << *first) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_begin_in_either_case() {
        const INITIALS: Initials = Initials::of(&["alpha", ".env"]);
        for (text, may) in [("API", true), (".x", true), ("beta", false), ("", false), ("ä", false)]
        {
            assert_eq!(INITIALS.may_begin(text.as_bytes()), may, "{text}");
        }
    }
}
