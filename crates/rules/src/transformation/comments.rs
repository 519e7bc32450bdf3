//! `replaceComments`, `removeComments` and `removeCommentsChar`.

use crate::byte_set::ByteSet;

use super::rewrite::rewrite;

/// The bytes that can begin what `removeComments` acts on.
pub(super) const REMOVE_TRIGGERS: ByteSet = ByteSet::of(b"/<-#");
/// The bytes that can begin what `removeCommentsChar` acts on.
pub(super) const REMOVE_CHAR_TRIGGERS: ByteSet = ByteSet::of(b"/*<-#");

/// `replaceComments`: each C comment is one space, also one that never ends.
pub(super) fn replace(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(b'/', rest),
        |rest, out| {
            let [b'/', b'*', text @ ..] = rest else {
                out.push(b'/');
                return 1;
            };
            out.push(b' ');
            let mut ends = memchr::memchr_iter(b'/', text);
            let end = ends.find(|at| text.get(..*at).is_some_and(|before| before.ends_with(b"*")));
            end.map_or(rest.len(), |end| end + 3)
        },
    )
}

/// `removeComments`: C and HTML comments go, and from `--` or `#` on everything.
///
/// Either end closes either kind; a comment that never ends is one space. After a comment with
/// which the value ends there is a NUL byte, as in ModSecurity. There, and in Coraza, a second
/// comment right behind the first goes unseen; here it does not.
pub(super) fn remove(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| rest.iter().position(|byte| REMOVE_TRIGGERS.contains(*byte)),
        |rest, out| match rest {
            [b'/', b'*', text @ ..] | [b'<', b'!', b'-', b'-', text @ ..] => {
                let begun = rest.len() - text.len();
                let Some(end) = comment_end(text) else {
                    out.push(b' ');
                    return rest.len();
                };
                if end == text.len() {
                    out.push(0);
                }
                begun + end
            }
            [b'-', b'-', ..] | [b'#', ..] => rest.len(),
            _ => {
                out.extend(rest.first());
                1
            }
        },
    )
}

/// Where the text after the first `*/` or `-->` begins.
fn comment_end(text: &[u8]) -> Option<usize> {
    let ends = memchr::memchr2_iter(b'/', b'>', text).find(|at| {
        let before = text.get(..=*at).unwrap_or_default();
        before.ends_with(b"*/") || before.ends_with(b"-->")
    });
    ends.map(|at| at + 1)
}

/// `removeCommentsChar`: the marks of comments go and their text stays.
pub(super) fn remove_char(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| rest.iter().position(|byte| REMOVE_CHAR_TRIGGERS.contains(*byte)),
        |rest, out| match rest {
            [b'<', b'!', b'-', b'-', ..] => 4,
            [b'-', b'-', b'>', ..] => 3,
            [b'/', b'*', ..] | [b'*', b'/', ..] | [b'-', b'-', ..] => 2,
            [b'#', ..] => 1,
            _ => {
                out.extend(rest.first());
                1
            }
        },
    )
}
