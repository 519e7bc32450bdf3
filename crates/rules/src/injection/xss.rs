//! Cross-site scripting: the value is read as HTML in each place of a page that it may be put into,
//! and is an attack when it brings a tag or an attribute there that can run a script.

mod html;
mod names;
mod url;

use memchr::{memchr, memchr2};

use crate::byte_set::ByteSet;
use html::{Html, Place};
use names::Attribute;

/// May [`xss`] find anything in a value that has these bytes? Without `<` there is no tag, and
/// without `=` no attribute has a value.
#[must_use]
pub const fn xss_is_possible(bytes: ByteSet) -> bool {
    bytes.meets(ByteSet::of(b"<="))
}

/// Would it run a script if a page held it: as text, as attributes of a tag, or as the value of
/// one, in any of the three quotes?
#[must_use]
pub fn xss(value: &[u8]) -> bool {
    if memchr2(b'<', b'=', value).is_none() {
        return false;
    }
    // In quotes that it does not end, a value is nothing but the value of an attribute.
    let breaks_out = |quote| {
        memchr(quote, value).is_some() && runs_script(Html::new(value, Place::Quotes(quote)))
    };
    (memchr(b'<', value).is_some() && runs_script(Html::new(value, Place::Text)))
        || runs_script(Html::new(value, Place::Tag))
        || breaks_out(b'\'')
        || breaks_out(b'"')
        || breaks_out(b'`')
}

fn runs_script(mut html: Html<'_>) -> bool {
    let mut attribute = Attribute::Harmless;
    while let Some(piece) = html.next() {
        let before = std::mem::replace(&mut attribute, Attribute::Harmless);
        let is_attack = match piece {
            html::Piece::Doctype => true,
            html::Piece::Tag(name) => names::is_dangerous_tag(name),
            html::Piece::Attribute(name) => {
                attribute = names::attribute(name);
                false
            }
            html::Piece::Value(value) => match before {
                Attribute::Harmless => false,
                Attribute::Script | Attribute::Style => true,
                Attribute::Url => url::runs_script(value),
                Attribute::Names => names::attribute(value) != Attribute::Harmless,
            },
            html::Piece::Comment(text) => is_dangerous_comment(text),
            html::Piece::Other => false,
        };
        if is_attack {
            return true;
        }
    }
    false
}

/// Old versions of Internet Explorer end a comment at a back quote, and read conditions, imports
/// and XML in what others take for comments.
fn is_dangerous_comment(text: &[u8]) -> bool {
    let begins = |word: &str| {
        let head = text.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    memchr(b'`', text).is_some()
        || (text.len() > 3 && (begins("[if") || begins("xml")))
        || begins("import")
        || begins("entity")
}
