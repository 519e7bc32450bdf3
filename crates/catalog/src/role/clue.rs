//! What can be seen in a request that speaks for a role: words of the path, names of fields.
//!
//! Values count only where they are no secret (`grant_type=password`, a short number sent as
//! `code`), so that a recording, in which secrets are hashes, gives the same clues.

use http::Method;
use traffic::fields::Sort;
use traffic::{Field, Fields, ParamKind, Path};

use super::lexicon::{FIELD_NAMES, PATH_WORDS};
use crate::body::{FOLDED_MAX, fold};
use crate::template::Class;

/// A set of clues.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Clues(u64);

macro_rules! clues {
    ($($name:ident: $words:literal,)*) => {
        /// One thing seen that speaks for or against a role.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Clue { $($name,)* }

        impl Clue {
            /// What was seen, in words.
            pub(crate) const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }
        }
    };
}

clues! {
    Posts: "the method is POST",
    Reads: "the method is GET or HEAD",
    Writes: "the method is PUT or PATCH",
    Removes: "the method is DELETE",
    PathLogin: "the path names a log-in",
    PathAuth: "the path names authentication, a token or a session",
    PathSession: "the path names a session",
    PathSignup: "the path names a registration",
    PathAccounts: "the path is a collection of accounts",
    PathLogout: "the path names a log-out",
    PathRefresh: "the path names a refresh",
    PathReset: "the path names a reset or a recovery",
    PathPassword: "the path names a password",
    PathPasswordChange: "the path names the change of a password",
    PathOtp: "the path names a second factor",
    PathVerify: "the path names a verification",
    PathSend: "the path names the sending of a code",
    PathCheckout: "the path names a payment",
    PathOrder: "the path names orders",
    PathRedeem: "the path names coupons or vouchers",
    PathAdmin: "the path names administration",
    PathSearch: "the path names a search",
    PathExport: "the path names an export",
    PathUpload: "the path names an upload",
    PathWebhook: "the path names a webhook",
    PathGraphql: "the path names GraphQL",
    PathHealth: "the path names a health check",
    PathAsset: "the path is a part of a page",
    EndsInValue: "the path ends in an identifier",
    Password: "a password is sent",
    NewPassword: "a new password is sent",
    OldPassword: "the current password is sent",
    PasswordAgain: "a password is sent twice",
    Identifier: "an account's identifier is sent",
    OnlyIdentifier: "an account's identifier is sent, and no secret",
    Profile: "a profile is sent (name, birthday, consent)",
    CodeField: "a short code is sent",
    ResetToken: "a token is sent in the body",
    GrantPassword: "the grant type is `password`",
    ClientSecret: "a client secret is sent",
    RefreshToken: "a refresh token is sent",
    Money: "an amount or a means of payment is sent",
    CartId: "a cart is sent",
    Coupon: "a coupon or voucher is sent",
    SearchField: "a search term is sent",
    PageField: "a page or filter is sent",
    GraphqlQuery: "a GraphQL document is sent",
    Operation: "the operation is named in the body",
    IssuesCredentials: "its answers hand out credentials that open doors elsewhere",
    Refuses: "it refuses some callers with 401 or 403",
}

// === impl Clues ===

impl Clues {
    pub(crate) const fn has(self, clue: Clue) -> bool {
        self.0 & (1 << clue as u64) != 0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) fn insert(&mut self, clue: Clue) {
        self.0 |= 1 << clue as u64;
    }

    pub(crate) fn insert_if(&mut self, clue: Clue, is_so: bool) {
        self.0 |= u64::from(is_so) << clue as u64;
    }

    pub(crate) fn insert_number(&mut self, number: u8) {
        self.0 |= 1_u64.checked_shl(u32::from(number)).unwrap_or(0);
    }

    pub(crate) fn numbers(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |number| self.0 & (1 << number) != 0)
    }
}

pub(crate) fn of_method(method: &Method) -> Clues {
    let mut clues = Clues::default();
    match *method {
        Method::POST => clues.insert(Clue::Posts),
        Method::PUT | Method::PATCH => clues.insert(Clue::Writes),
        Method::DELETE => clues.insert(Clue::Removes),
        Method::GET | Method::HEAD => clues.insert(Clue::Reads),
        _ => {}
    }
    clues
}

pub(crate) fn of_path(path: &Path) -> Clues {
    let mut clues = Clues::default();
    let last = path.len().saturating_sub(1);
    for (at, segment) in path.segments().enumerate() {
        let class = Class::of(&segment);
        if class.varies_at_once() || segment.text.len() > SEGMENT_BYTES_MAX {
            clues.insert_if(Clue::EndsInValue, at == last);
            continue;
        }
        let mut words = Words::default();
        words.read(segment.text, &mut clues);
        if at == last {
            let is_accounts = words.earlier().is_empty()
                && matches!(words.last(), b"users" | b"accounts" | b"customers" | b"members");
            clues.insert_if(Clue::PathAccounts, is_accounts);
        }
    }
    let is_asset = path.extension().is_some_and(|extension| {
        ASSET_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    });
    clues.insert_if(Clue::PathAsset, is_asset);
    clues
}

/// Longer segments hold no words that a role is known by.
const SEGMENT_BYTES_MAX: usize = 64;

const ASSET_EXTENSIONS: [&str; 21] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "bmp", "css", "js", "mjs", "map",
    "woff", "woff2", "ttf", "otf", "eot", "mp4", "webm", "mp3",
];

/// The words of a segment one after the other, each with the one before it: `sign-in`, `signIn` and
/// `sign_in` are two words.
#[derive(Default)]
struct Words {
    word: [u8; WORD_BYTES_MAX],
    length: usize,
    before: [u8; WORD_BYTES_MAX],
    before_length: usize,
}

const WORD_BYTES_MAX: usize = 20;

impl Words {
    fn read(&mut self, text: &str, clues: &mut Clues) {
        let mut was_lower = false;
        for byte in text.bytes() {
            let begins_word = was_lower && byte.is_ascii_uppercase();
            if (begins_word || !byte.is_ascii_alphanumeric()) && self.length > 0 {
                of_word(self.last(), self.earlier(), clues);
                self.before = self.word;
                self.before_length = self.length;
                self.length = 0;
            }
            if byte.is_ascii_alphanumeric()
                && let Some(place) = self.word.get_mut(self.length)
            {
                *place = byte.to_ascii_lowercase();
                self.length += 1;
            }
            was_lower = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        }
        if self.length > 0 {
            of_word(self.last(), self.earlier(), clues);
        }
    }

    fn last(&self) -> &[u8] {
        self.word.get(..self.length).unwrap_or_default()
    }

    fn earlier(&self) -> &[u8] {
        self.before.get(..self.before_length).unwrap_or_default()
    }
}

fn of_word(word: &[u8], before: &[u8], clues: &mut Clues) {
    if let Some(clue) = of_pair(before, word) {
        clues.insert(clue);
        // The second word alone would say something else.
        if clue != Clue::PathPasswordChange {
            return;
        }
    }
    let Some(clue) = PATH_WORDS.find(word) else { return };
    clues.insert(clue);
    clues.insert_if(Clue::PathAuth, clue == Clue::PathSession);
}

/// Two words that are a clue together.
fn of_pair(before: &[u8], word: &[u8]) -> Option<Clue> {
    Some(match (before, word) {
        (b"sign" | b"log", b"in" | b"on") => Clue::PathLogin,
        (b"sign" | b"log", b"out" | b"off") => Clue::PathLogout,
        (b"sign", b"up") => Clue::PathSignup,
        (b"change" | b"update", b"password") | (b"password", b"change" | b"update") => {
            Clue::PathPasswordChange
        }
        (
            b"send" | b"resend" | b"request",
            b"otp" | b"code" | b"sms" | b"verification" | b"pin",
        )
        | (b"otp" | b"code" | b"sms" | b"verification", b"send" | b"resend" | b"request") => {
            Clue::PathSend
        }
        (b"two", b"factor") => Clue::PathOtp,
        _ => return None,
    })
}

/// So many fields are looked at: what makes a log-in stands in a small body or at its beginning.
const FIELDS_READ_MAX: usize = 192;

pub(crate) fn of_fields(fields: &Fields) -> Clues {
    let mut clues = Clues::default();
    let mut passwords = 0;
    for field in fields.iter().take(FIELDS_READ_MAX) {
        let name = field.name_bytes();
        if !FIELD_NAMES.may_have(name) || is_list_entry(&field) {
            continue;
        }
        let mut folded = [0; FOLDED_MAX];
        let Some(clue) = of_name(fold(name, &mut folded), &field, &mut clues) else { continue };
        passwords += u32::from(clue == Clue::Password);
        clues.insert(clue);
    }
    clues.insert_if(Clue::PasswordAgain, passwords > 1 && !clues.has(Clue::NewPassword));
    let has_secret =
        [Clue::Password, Clue::NewPassword, Clue::CodeField, Clue::ResetToken, Clue::ClientSecret]
            .iter()
            .any(|clue| clues.has(*clue));
    let has_other = clues.has(Clue::Profile) || clues.has(Clue::Money) || clues.has(Clue::CartId);
    clues.insert_if(Clue::OnlyIdentifier, clues.has(Clue::Identifier) && !has_secret && !has_other);
    clues
}

/// Whether a field belongs to one of many like it: what a role is known by stands once in a body.
/// A list at the very top is a batch of requests, and its entries count.
fn is_list_entry(field: &Field<'_>) -> bool {
    let mut holders = std::iter::successors(field.parent(), Field::parent).take(LISTS_SOUGHT_UP_TO);
    holders.any(|holder| holder.sort() == Sort::Array && holder.parent().is_some())
}

/// Deeper, nobody nests what makes a role.
const LISTS_SOUGHT_UP_TO: usize = 6;

fn of_name(name: &[u8], field: &Field<'_>, clues: &mut Clues) -> Option<Clue> {
    let clue = FIELD_NAMES.find(name)?;
    let is_group = matches!(field.sort(), Sort::Object | Sort::Array);
    match clue {
        Clue::Money | Clue::CartId | Clue::PageField => {}
        _ if is_group => return None,
        Clue::CodeField if name == b"code" => return is_short_number(field).then_some(clue),
        Clue::GrantPassword => match field.value_bytes() {
            b"password" => {}
            b"refresh_token" => return Some(Clue::RefreshToken),
            _ => return None,
        },
        Clue::SearchField if field.value_bytes().contains(&b'{') => {
            return Some(Clue::GraphqlQuery);
        }
        // The operation of JSON-RPC and of named GraphQL documents is a path of its own.
        Clue::Operation => {
            let operation = field.value();
            let is_name = field.sort() == Sort::String && operation.len() <= SEGMENT_BYTES_MAX;
            if is_name && !ParamKind::of(&operation).is_secret() {
                Words::default().read(&operation, clues);
            }
        }
        _ => {}
    }
    Some(clue)
}

/// Four to eight digits. The name `code` alone hides no value from recordings.
fn is_short_number(field: &Field<'_>) -> bool {
    let value = field.value_bytes();
    (4..=8).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}
