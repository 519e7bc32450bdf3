//! The words that roles are known by: in paths, and as names of fields.
//!
//! Nearly every word of nearly every request is in neither list, so each list first asks a table of
//! lengths by first and last letter, and then a hash table that is mostly empty: both turn most
//! words away.

use super::clue::Clue;

/// A sorted list of words, each with what it is a clue for.
pub(super) struct Lexicon<const N: usize> {
    words: [(&'static [u8], Clue); N],
    /// By first and last byte, five bits of each, the lengths of words, as a set of bits.
    lengths: [[u32; 32]; 32],
    /// By hash, the number of a word plus one; collisions lie in the places that follow.
    places: [u8; PLACES],
}

/// Four times as many as there are words, so that a word that is not there meets an empty place.
const PLACES: usize = 512;

/// Where a word's place is sought first: by its length, its first two letters and its last one.
const fn home(word: &[u8]) -> usize {
    let Some((first, [.., last])) = word.split_first() else { return word.len() };
    let second = word[1] as usize;
    (*first as usize * 31 + second * 131 + *last as usize * 17 + word.len() * 61) % PLACES
}

impl<const N: usize> Lexicon<N> {
    const fn new(words: [(&'static [u8], Clue); N]) -> Self {
        let mut lengths = [[0_u32; 32]; 32];
        let mut places = [0_u8; PLACES];
        let mut at = 0;
        while at < N {
            let word = words[at].0;
            let (first, last) = (word[0] & 31, word[word.len() - 1] & 31);
            lengths[first as usize][last as usize] |= 1 << word.len();
            let mut place = home(word);
            while places[place] != 0 {
                place = (place + 1) % PLACES;
            }
            at += 1;
            places[place] = at as u8;
        }
        assert!(N < 256, "the number of a word is kept in one byte");
        Self { words, lengths, places }
    }

    /// Whether `name` may be in the list once it is folded: by its first and last letter, and by
    /// its length, less any separators.
    pub(super) fn may_have(&self, name: &[u8]) -> bool {
        let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
        // A separator at an end hides the letter; such names are rare enough to be looked up.
        let is_hidden = !first.is_ascii_alphanumeric() || !last.is_ascii_alphanumeric();
        let up_to_its_length = u32::MAX >> (31 - name.len().min(31));
        name.len() < 32 && (is_hidden || self.lengths_of(*first, *last) & up_to_its_length != 0)
    }

    /// The lengths of words that begin and end so, in whatever case.
    fn lengths_of(&self, first: u8, last: u8) -> u32 {
        let lasts = self.lengths.get(usize::from(first & 31));
        lasts.and_then(|lasts| lasts.get(usize::from(last & 31))).copied().unwrap_or(0)
    }

    /// What a word in lower case is a clue for.
    pub(super) fn find(&self, word: &[u8]) -> Option<Clue> {
        let bit = 1_u32.checked_shl(u32::try_from(word.len()).ok()?)?;
        if self.lengths_of(*word.first()?, *word.last()?) & bit == 0 {
            return None;
        }
        let mut place = home(word);
        // No chain is longer than the list.
        for _ in 0..N {
            let number = usize::from(*self.places.get(place)?);
            let (known, clue) = self.words.get(number.checked_sub(1)?)?;
            if *known == word {
                return Some(*clue);
            }
            place = (place + 1) % PLACES;
        }
        None
    }
}

/// Words of paths.
#[rustfmt::skip]
pub(super) static PATH_WORDS: Lexicon<92> = Lexicon::new([
    (b"2fa", Clue::PathOtp),
    (b"actuator", Clue::PathAdmin),
    (b"admin", Clue::PathAdmin),
    (b"administration", Clue::PathAdmin),
    (b"alive", Clue::PathHealth),
    (b"anmelden", Clue::PathLogin),
    (b"auth", Clue::PathAuth),
    (b"authenticate", Clue::PathLogin),
    (b"authentication", Clue::PathLogin),
    (b"autocomplete", Clue::PathSearch),
    (b"backoffice", Clue::PathAdmin),
    (b"callback", Clue::PathWebhook),
    (b"challenge", Clue::PathVerify),
    (b"charge", Clue::PathCheckout),
    (b"charges", Clue::PathCheckout),
    (b"checkout", Clue::PathCheckout),
    (b"code", Clue::PathVerify),
    (b"confirm", Clue::PathVerify),
    (b"confirmation", Clue::PathVerify),
    (b"connexion", Clue::PathLogin),
    (b"coupon", Clue::PathRedeem),
    (b"coupons", Clue::PathRedeem),
    (b"download", Clue::PathExport),
    (b"downloads", Clue::PathExport),
    (b"enroll", Clue::PathSignup),
    (b"export", Clue::PathExport),
    (b"exports", Clue::PathExport),
    (b"forget", Clue::PathReset),
    (b"forgot", Clue::PathReset),
    (b"forgotten", Clue::PathReset),
    (b"giftcard", Clue::PathRedeem),
    (b"giftcards", Clue::PathRedeem),
    (b"gql", Clue::PathGraphql),
    (b"graphql", Clue::PathGraphql),
    (b"health", Clue::PathHealth),
    (b"healthcheck", Clue::PathHealth),
    (b"healthz", Clue::PathHealth),
    (b"hooks", Clue::PathWebhook),
    (b"import", Clue::PathUpload),
    (b"internal", Clue::PathAdmin),
    (b"liveness", Clue::PathHealth),
    (b"livez", Clue::PathHealth),
    (b"login", Clue::PathLogin),
    (b"logoff", Clue::PathLogout),
    (b"logon", Clue::PathLogin),
    (b"logout", Clue::PathLogout),
    (b"lookup", Clue::PathSearch),
    (b"mfa", Clue::PathOtp),
    (b"oauth", Clue::PathAuth),
    (b"oauth2", Clue::PathAuth),
    (b"order", Clue::PathOrder),
    (b"orders", Clue::PathOrder),
    (b"otp", Clue::PathOtp),
    (b"passwd", Clue::PathPassword),
    (b"password", Clue::PathPassword),
    (b"pay", Clue::PathCheckout),
    (b"payment", Clue::PathCheckout),
    (b"payments", Clue::PathCheckout),
    (b"ping", Clue::PathHealth),
    (b"promo", Clue::PathRedeem),
    (b"purchase", Clue::PathCheckout),
    (b"purchases", Clue::PathCheckout),
    (b"readiness", Clue::PathHealth),
    (b"readyz", Clue::PathHealth),
    (b"recover", Clue::PathReset),
    (b"recovery", Clue::PathReset),
    (b"redeem", Clue::PathRedeem),
    (b"refresh", Clue::PathRefresh),
    (b"register", Clue::PathSignup),
    (b"registration", Clue::PathSignup),
    (b"renew", Clue::PathRefresh),
    (b"reset", Clue::PathReset),
    (b"search", Clue::PathSearch),
    (b"session", Clue::PathSession),
    (b"sessions", Clue::PathSession),
    (b"signin", Clue::PathLogin),
    (b"signout", Clue::PathLogout),
    (b"signup", Clue::PathSignup),
    (b"sso", Clue::PathAuth),
    (b"suggest", Clue::PathSearch),
    (b"token", Clue::PathAuth),
    (b"tokens", Clue::PathAuth),
    (b"totp", Clue::PathOtp),
    (b"twofactor", Clue::PathOtp),
    (b"upload", Clue::PathUpload),
    (b"uploads", Clue::PathUpload),
    (b"verification", Clue::PathVerify),
    (b"verify", Clue::PathVerify),
    (b"voucher", Clue::PathRedeem),
    (b"vouchers", Clue::PathRedeem),
    (b"webhook", Clue::PathWebhook),
    (b"webhooks", Clue::PathWebhook),
]);

/// Names of fields, in lower case without anything but letters and digits.
#[rustfmt::skip]
pub(super) static FIELD_NAMES: Lexicon<120> = Lexicon::new([
    (b"acceptterms", Clue::Profile),
    (b"account", Clue::Identifier),
    (b"accountid", Clue::Identifier),
    (b"action", Clue::Operation),
    (b"agree", Clue::Profile),
    (b"amount", Clue::Money),
    (b"authcode", Clue::CodeField),
    (b"basket", Clue::CartId),
    (b"basketid", Clue::CartId),
    (b"birthdate", Clue::Profile),
    (b"birthday", Clue::Profile),
    (b"card", Clue::Money),
    (b"cardnumber", Clue::Money),
    (b"cart", Clue::CartId),
    (b"cartid", Clue::CartId),
    (b"clientsecret", Clue::ClientSecret),
    (b"code", Clue::CodeField),
    (b"company", Clue::Profile),
    (b"confirmationcode", Clue::CodeField),
    (b"confirmpassword", Clue::PasswordAgain),
    (b"contrasena", Clue::Password),
    (b"country", Clue::Profile),
    (b"coupon", Clue::Coupon),
    (b"couponcode", Clue::Coupon),
    (b"currency", Clue::Money),
    (b"currentpassword", Clue::OldPassword),
    (b"cursor", Clue::PageField),
    (b"cvc", Clue::Money),
    (b"cvv", Clue::Money),
    (b"dateofbirth", Clue::Profile),
    (b"displayname", Clue::Profile),
    (b"dob", Clue::Profile),
    (b"email", Clue::Identifier),
    (b"emailaddress", Clue::Identifier),
    (b"existingpassword", Clue::OldPassword),
    (b"filter", Clue::PageField),
    (b"firstname", Clue::Profile),
    (b"fullname", Clue::Profile),
    (b"giftcard", Clue::Coupon),
    (b"giftcode", Clue::Coupon),
    (b"granttype", Clue::GrantPassword),
    (b"iban", Clue::Money),
    (b"identifier", Clue::Identifier),
    (b"keyword", Clue::SearchField),
    (b"keywords", Clue::SearchField),
    (b"lastname", Clue::Profile),
    (b"limit", Clue::PageField),
    (b"login", Clue::Identifier),
    (b"loginid", Clue::Identifier),
    (b"mail", Clue::Identifier),
    (b"method", Clue::Operation),
    (b"mfacode", Clue::CodeField),
    (b"mobile", Clue::Identifier),
    (b"motdepasse", Clue::Password),
    (b"msisdn", Clue::Identifier),
    (b"name", Clue::Profile),
    (b"newpass", Clue::NewPassword),
    (b"newpasswd", Clue::NewPassword),
    (b"newpassword", Clue::NewPassword),
    (b"newpasswordconfirmation", Clue::PasswordAgain),
    (b"newpwd", Clue::NewPassword),
    (b"offset", Clue::PageField),
    (b"oldpass", Clue::OldPassword),
    (b"oldpassword", Clue::OldPassword),
    (b"onetimecode", Clue::CodeField),
    (b"operationname", Clue::Operation),
    (b"orderby", Clue::PageField),
    (b"otp", Clue::CodeField),
    (b"otpcode", Clue::CodeField),
    (b"page", Clue::PageField),
    (b"pagesize", Clue::PageField),
    (b"pass", Clue::Password),
    (b"passcode", Clue::Password),
    (b"passphrase", Clue::Password),
    (b"passwd", Clue::Password),
    (b"password", Clue::Password),
    (b"password2", Clue::PasswordAgain),
    (b"passwordagain", Clue::PasswordAgain),
    (b"passwordconfirm", Clue::PasswordAgain),
    (b"passwordconfirmation", Clue::PasswordAgain),
    (b"passwordhash", Clue::Password),
    (b"passwordrepeat", Clue::PasswordAgain),
    (b"passwordtoken", Clue::ResetToken),
    (b"passwort", Clue::Password),
    (b"payment", Clue::Money),
    (b"paymentmethod", Clue::Money),
    (b"paymentmethodid", Clue::Money),
    (b"paymenttoken", Clue::Money),
    (b"perpage", Clue::PageField),
    (b"phone", Clue::Identifier),
    (b"phonenumber", Clue::Identifier),
    (b"pin", Clue::CodeField),
    (b"promocode", Clue::Coupon),
    (b"pwd", Clue::Password),
    (b"q", Clue::SearchField),
    (b"query", Clue::SearchField),
    (b"refreshtoken", Clue::RefreshToken),
    (b"repeatpassword", Clue::PasswordAgain),
    (b"resetcode", Clue::CodeField),
    (b"resetpasswordtoken", Clue::ResetToken),
    (b"resettoken", Clue::ResetToken),
    (b"search", Clue::SearchField),
    (b"securitycode", Clue::CodeField),
    (b"senha", Clue::Password),
    (b"smscode", Clue::CodeField),
    (b"sort", Clue::PageField),
    (b"term", Clue::SearchField),
    (b"terms", Clue::Profile),
    (b"token", Clue::ResetToken),
    (b"tos", Clue::Profile),
    (b"totp", Clue::CodeField),
    (b"twofactorcode", Clue::CodeField),
    (b"user", Clue::Identifier),
    (b"userid", Clue::Identifier),
    (b"username", Clue::Identifier),
    (b"usernameoremail", Clue::Identifier),
    (b"userpassword", Clue::Password),
    (b"verificationcode", Clue::CodeField),
    (b"voucher", Clue::Coupon),
    (b"vouchercode", Clue::Coupon),
]);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const N: usize>(lexicon: &Lexicon<N>) {
        assert!(lexicon.words.is_sorted_by(|(a, _), (b, _)| a < b));
        for (word, clue) in lexicon.words {
            assert!(word.len() < 32);
            assert_eq!(lexicon.find(word), Some(clue));
        }
        for other in [&b""[..], b"x", b"loginx", b"logim", b"\xff", &[b'a'; 100]] {
            assert_eq!(lexicon.find(other), None);
        }
    }

    #[test]
    fn words_are_found_and_others_are_not() {
        check(&PATH_WORDS);
        check(&FIELD_NAMES);
    }
}
