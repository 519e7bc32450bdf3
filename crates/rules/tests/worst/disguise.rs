//! What a transformation makes of a text is to be the text that was meant: each byte is written so
//! that the transformation has work to do and gives it back.

use rules::transformation::Transformation as T;

/// The text before all of `chain`, each of which undoes a part of the disguise.
pub(crate) fn disguised(text: &[u8], chain: &[T]) -> Vec<u8> {
    chain.iter().rev().fold(text.to_vec(), |text, it| before(*it, &text))
}

fn before(transformation: T, text: &[u8]) -> Vec<u8> {
    let each = |write: &dyn Fn(u8) -> String| -> Vec<u8> {
        text.iter().flat_map(|byte| write(*byte).into_bytes()).collect()
    };
    let between = |piece: &[u8]| -> Vec<u8> {
        text.iter().flat_map(|byte| [&[*byte], piece].concat()).collect()
    };
    match transformation {
        T::UrlDecode | T::UrlDecodeUni => each(&|byte| format!("%{byte:02x}")),
        T::JsDecode => each(&|byte| format!("\\u00{byte:02x}")),
        T::EscapeSeqDecode => each(&|byte| format!("\\x{byte:02x}")),
        // Beyond ASCII an escape is a character, which is more than a byte.
        T::CssDecode => text
            .iter()
            .flat_map(|byte| match byte.is_ascii() {
                true => format!("\\{byte:06x}").into_bytes(),
                false => vec![*byte],
            })
            .collect(),
        T::HtmlEntityDecode => each(&|byte| format!("&#x{byte:x};")),
        T::HexDecode => each(&|byte| format!("{byte:02x}")),
        T::Lowercase => text.to_ascii_uppercase(),
        T::Uppercase => text.to_ascii_lowercase(),
        T::RemoveNulls => between(b"\0"),
        T::RemoveWhitespace => between(b" "),
        T::RemoveComments | T::RemoveCommentsChar => between(b"/**/"),
        T::CmdLine => between(b"^"),
        T::CompressWhitespace => text
            .iter()
            .flat_map(|byte| if *byte == b' ' { vec![b' ', b'\t'] } else { vec![*byte] })
            .collect(),
        T::NormalizePath | T::NormalizePathWin => text
            .iter()
            .flat_map(|byte| if *byte == b'/' { b"/./".to_vec() } else { vec![*byte] })
            .collect(),
        T::JwtDecode => {
            let object = T::Base64Encode.apply(&[b"{\"a\":\"", text, b"\"}"].concat()).into_owned();
            let part = object.iter().filter(|byte| **byte != b'=').map(|byte| match byte {
                b'+' => b'-',
                b'/' => b'_',
                byte => *byte,
            });
            part.chain(*b".e30.").collect()
        }
        T::Base64Decode | T::Base64DecodeExt => T::Base64Encode.apply(text).into_owned(),
        _ => text.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_disguise_comes_off() {
        use super::*;

        for chain in [
            &[T::UrlDecodeUni, T::JsDecode, T::Lowercase][..],
            &[T::HtmlEntityDecode, T::CssDecode],
            &[T::Base64Decode, T::RemoveNulls, T::CmdLine],
        ] {
            let text = b"select(1)from\x80x";
            let disguised = disguised(text, chain);
            assert_ne!(disguised, text);
            let bare = chain.iter().fold(disguised, |it, step| step.apply(&it).into_owned());
            assert_eq!(bare, text, "{chain:?}");
        }
    }
}
