//! `verifyCC`, `verifyCPF`, `verifySSN` and `verifySVNR`: numbers that prove themselves.
//!
//! A pattern finds candidates, and a candidate counts when its check digits are right (Brazil's CPF
//! and Austria's social insurance number have two and one), or, for the American social security
//! number, which has none, when its parts could have been issued.

use std::ops::Range;

use regex::bytes::Regex;

/// How a number proves itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// Brazil's CPF: eleven digits, two of them check digits modulo 11.
    Cpf,
    /// Payment cards: ISO/IEC 7812-1, annex B, the formula of Luhn.
    Luhn,
    /// The social security number of the United States: nine digits.
    Ssn,
    /// Austria's social insurance number: ten digits, the fourth a check digit modulo 11.
    Svnr,
}

/// Candidates by a pattern, proven by a scheme.
#[derive(Clone, Debug)]
pub struct CheckDigit {
    scheme: Scheme,
    pattern: Regex,
}

/// More candidates than this are not looked at: finding them one by one may cost the length of the
/// value each, and no honest field has so many.
const CANDIDATES_MAX: usize = 64;

impl CheckDigit {
    pub(super) fn new(scheme: Scheme, pattern: Regex) -> Self {
        Self { scheme, pattern }
    }

    /// The pattern of the candidates.
    #[must_use]
    pub fn pattern(&self) -> &Regex {
        &self.pattern
    }

    /// The first candidate that proves itself.
    pub(super) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        let mut candidates = self.pattern.find_iter(value).take(CANDIDATES_MAX);
        let found = candidates.find(|candidate| {
            let digits = candidate.as_bytes().iter().filter(|byte| byte.is_ascii_digit());
            let digits: Vec<u32> = digits.map(|byte| u32::from(byte - b'0')).collect();
            match self.scheme {
                Scheme::Cpf => cpf(&digits),
                Scheme::Luhn => luhn(&digits),
                Scheme::Ssn => ssn(&digits),
                Scheme::Svnr => svnr(&digits),
            }
        });
        found.map(|candidate| candidate.range())
    }
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let values = digits.iter().rev().enumerate();
    let sum = values.fold(0_u32, |sum, (place, digit)| {
        (sum + if place % 2 == 1 { doubled(*digit) } else { *digit }) % 10
    });
    !digits.is_empty() && sum == 0
}

fn cpf(digits: &[u32]) -> bool {
    // A digit repeated eleven times has right check digits, and is nobody's number.
    if digits.len() != 11 || digits.iter().all(|digit| Some(digit) == digits.first()) {
        return false;
    }
    [9, 10].into_iter().all(|place| {
        let before = digits.iter().take(place).rev().zip(2_u32..);
        let sum: u32 = before.map(|(digit, weight)| digit * weight).sum();
        digits.get(place) == Some(&(sum * 10 % 11 % 10))
    })
}

fn ssn(digits: &[u32]) -> bool {
    let number = |part: &[u32]| part.iter().fold(0, |number, digit| number * 10 + digit);
    let (Some(area), Some(group), Some(serial)) =
        (digits.get(..3), digits.get(3..5), digits.get(5..9))
    else {
        return false;
    };
    let neighbours =
        |step: u32| digits.windows(2).all(|pair| matches!(pair, [a, b] if a + step == *b));
    digits.len() == 9
        && !matches!(number(area), 0 | 666 | 740..)
        && number(group) > 0
        && number(serial) > 0
        && !neighbours(0)
        && !neighbours(1)
}

fn svnr(digits: &[u32]) -> bool {
    let weights = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && digits.get(3) == Some(&(sum % 11))
}
