//! `urlDecode`, `urlDecodeUni` and `urlEncode`.
//!
//! What is not a valid escape stays as it is: a server that reads it leniently is a matter for
//! `@validateUrlEncoding`.

use crate::byte_set::ByteSet;

use super::best_fit;
use super::hex;
use super::rewrite::rewrite;

/// The bytes that `urlEncode` does not leave alone.
pub(super) const UNSAFE: ByteSet = ByteSet::of(b"*")
    .union(ByteSet::range(b'0', b'9'))
    .union(ByteSet::range(b'A', b'Z'))
    .union(ByteSet::range(b'a', b'z'))
    .complement();

/// `urlDecode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(value, mark, plain_escape)
}

/// `urlDecodeUni`: as `urlDecode`, and `%uHHHH` to the one byte that resembles it most.
pub(super) fn decode_uni(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(value, mark, |rest, out| match rest {
        [b'%', u @ (b'u' | b'U'), code @ ..] => {
            if let Some(code) = hex::four(code) {
                out.push(best_fit::byte(code));
                return 6;
            }
            out.extend_from_slice(&[b'%', *u]);
            2
        }
        _ => plain_escape(rest, out),
    })
}

fn mark(rest: &[u8]) -> Option<usize> {
    memchr::memchr2(b'%', b'+', rest)
}

fn plain_escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    match rest {
        [b'+', ..] => out.push(b' '),
        [b'%', code @ ..] => {
            if let Some(byte) = hex::pair(code) {
                out.push(byte);
                return 3;
            }
            out.push(b'%');
        }
        _ => out.extend(rest.first()),
    }
    1
}

/// `urlEncode`.
pub(super) fn encode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| rest.iter().position(|byte| UNSAFE.contains(*byte)),
        |rest, out| {
            match rest.first() {
                Some(b' ') => out.push(b'+'),
                Some(byte) => {
                    let [high, low] = hex::digits(*byte);
                    out.extend_from_slice(&[b'%', high, low]);
                }
                None => {}
            }
            1
        },
    )
}
