//! Which names a secret is sent under: one list, for what is guessed with and for what is not kept.
//!
//! What counts as a guess at a password or a code must never be written down either.

use crate::initials::Initials;

/// Whether a field, parameter, cookie or header of this name holds a secret whatever it looks like.
pub fn is_secret_name(name: &str) -> bool {
    let mut folded = [0_u8; 48];
    let mut count = 0;
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        let Some(place) = folded.get_mut(count) else { break };
        *place = byte.to_ascii_lowercase();
        count += 1;
    }
    let folded = folded.get(..count).unwrap_or_default();
    if folded.is_empty() {
        return false;
    }
    let is_known = |folded: &[u8]| {
        let of = |names: &[&str]| names.binary_search_by(|it| it.as_bytes().cmp(folded)).is_ok();
        // Countries and currencies have codes, too: what is called nothing but that is no secret.
        of(&PASSWORD_NAMES) || (of(&CODE_NAMES) && folded != b"code") || of(&SECRET_WORDS)
    };
    let is_header = matches!(name.as_bytes(), [b'x' | b'X', b'-' | b'_', ..]);
    contains_part(folded)
        || is_known(folded)
        || (is_header && is_known(folded.get(1..).unwrap_or_default()))
}

const INITIALS: Initials = Initials::of(&SECRET_PARTS);

fn contains_part(folded: &[u8]) -> bool {
    (0..folded.len()).any(|at| {
        let rest = folded.get(at..).unwrap_or_default();
        INITIALS.may_begin(rest) && SECRET_PARTS.iter().any(|it| rest.starts_with(it.as_bytes()))
    })
}

/// A name that contains one of these names a secret.
const SECRET_PARTS: [&str; 21] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "session",
    "csrf",
    "xsrf",
    "signature",
    "bearer",
    "jwt",
    "cardnumber",
    "securitycode",
    "mfacode",
];

/// A name that is one of these names a secret: sorted. Letters that are not of ASCII are left out,
/// so that `contraseña` is here as what is left of it.
const SECRET_WORDS: [&str; 42] = [
    "assertion",
    "auth",
    "authcode",
    "card",
    "codeverifier",
    "contrasea",
    "contrasena",
    "cvc",
    "cvv",
    "cvv2",
    "geheim",
    "haslo",
    "hmac",
    "iban",
    "kennwort",
    "key",
    "losenord",
    "lsenord",
    "motdepasse",
    "newpass",
    "newpwd",
    "nonce",
    "onetimecode",
    "otp",
    "pan",
    "parola",
    "pass",
    "pin",
    "pwd",
    "recoverycode",
    "resetcode",
    "samlrequest",
    "samlresponse",
    "senha",
    "sid",
    "sig",
    "ssn",
    "totp",
    "userpin",
    "verificationcode",
    "wachtwoord",
    "xapikey",
];

/// Names of fields that hold the password that an account has now: lower case, letters and digits
/// only. A new one, and its repetition, are no guesses.
pub const PASSWORD_NAMES: [&str; 18] = [
    "currentpassword",
    "loginpassword",
    "oldpassword",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwordcurrent",
    "passwordhash",
    "passwordold",
    "passwort",
    "pswd",
    "pwd",
    "secret",
    "userpass",
    "userpasswd",
    "userpassword",
    "userpwd",
];

/// The same of fields that hold a code or a token that was sent to somebody.
pub const CODE_NAMES: [&str; 35] = [
    "2fa",
    "2facode",
    "answer",
    "authcode",
    "backupcode",
    "challengecode",
    "challengeresponse",
    "code",
    "confirmationcode",
    "emailcode",
    "key",
    "mfa",
    "mfacode",
    "onetimecode",
    "onetimepassword",
    "otp",
    "otpcode",
    "passcode",
    "phonecode",
    "pin",
    "pincode",
    "recoverycode",
    "resetcode",
    "resetpasswordtoken",
    "resettoken",
    "securitycode",
    "smscode",
    "token",
    "totp",
    "totpcode",
    "twofactorcode",
    "validationcode",
    "verificationcode",
    "verificationtoken",
    "verifycode",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_for_the_search() {
        assert!(PASSWORD_NAMES.is_sorted() && CODE_NAMES.is_sorted() && SECRET_WORDS.is_sorted());
    }

    #[test]
    fn whatever_is_guessed_with_is_secret() {
        for name in PASSWORD_NAMES.iter().chain(&CODE_NAMES).filter(|name| **name != "code") {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["user_pass", "X-Pass", "X-Pin", "Kennwort", "contraseña", "SAMLResponse"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["code", "country_code", "x-request-id", "xpass-through", "questions"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
