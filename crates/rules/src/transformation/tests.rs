//! Each transformation on values of its own, and what holds for all of them on any bytes.

use proptest::prelude::*;

use super::*;

/// Name, value, what comes out of it.
type Row = (&'static str, &'static [u8], &'static [u8]);

fn check(rows: &[Row]) {
    for (name, value, expected) in rows {
        let transformation = Transformation::named(name).expect("a known name");
        assert_eq!(
            transformation.apply(value).escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{name} of {}",
            value.escape_ascii()
        );
    }
}

#[test]
fn a_name_is_known_in_any_case_and_both_spellings() {
    for transformation in Transformation::all() {
        let shouted = transformation.name().to_uppercase();
        assert_eq!(Transformation::named(&shouted), Some(transformation));
    }
    assert_eq!(Transformation::all().count(), 37);
    assert_eq!(Transformation::named("NormalisePathWin"), Some(Transformation::NormalizePathWin));
    assert_eq!(Transformation::NormalizePath.name(), "normalizePath");
    assert_eq!(Transformation::named("urlDecodeTwice"), None);
}

#[test]
fn escapes_of_a_url_are_decoded_once_and_broken_ones_kept() {
    check(&[
        ("urlDecode", b"a%20b+c%3Cd", b"a b c<d"),
        ("urlDecode", b"%253c%zz%4%", b"%3c%zz%4%"),
        ("urlDecode", b"%u003c", b"%u003c"),
        ("urlDecodeUni", b"%u003cscript%U003E+%41", b"<script> A"),
        ("urlDecodeUni", b"%uff1cb%uFF1e", b"<b>"),
        ("urlDecodeUni", b"%u2215%u2044%u00f8%u02b9", b"\x15Do'"),
        ("urlDecodeUni", b"%u12%uzzzz%", b"%u12%uzzzz%"),
        ("urlDecodeUni", b"%%41", b"%A"),
        ("urlEncode", b"a b/*Z9*/\xff-_.~", b"a+b%2f*Z9*%2f%ff%2d%5f%2e%7e"),
    ]);
}

#[test]
fn escapes_of_languages_are_decoded() {
    check(&[
        ("jsDecode", br"\u003cscript\u003e\x28\50\'", b"<script>(('".as_slice()),
        ("jsDecode", br"\uff1c\uFF5E\u{3c}\u{0ff1e}\u{}\u{1234567}", b"<~<>u{}u{1234567}"),
        ("jsDecode", br"\477\18\a\v\c\", b"'7\x018\x07\x0bc\\"),
        ("escapeSeqDecode", br"\x3c\X3c\xzz\101\777\u003c\n\", b"<<xzzA\xffu003c\n\\"),
        ("cssDecode", br"\6a avascript\3a\0000283b", b"javascript:(3b"),
        ("cssDecode", b"a\\\nb\\\"c\\", b"ab\"c"),
        ("cssDecode", br"\10065\ff1c \0 x\110000", b"\xf0\x90\x81\xa5<\0x\xef\xbf\xbd"),
        ("cssDecode", b"\\61\r\nb", b"a\nb"),
        ("sqlHexDecode", b"id=0x414243 0X4a4 0x4 10x zx41", b"id=ABC J4 0x4 10x zx41"),
        ("sqlHexDecode", b"0x30x41 00x41", b"0x41 0A"),
        ("hexDecode", b"416g41", b"A"),
        ("hexDecode", b"4142434", b"ABC"),
        ("hexEncode", b"\x00\xffA", b"00ff41"),
    ]);
}

#[test]
fn character_references_are_decoded_as_far_as_they_matter() {
    check(&[
        ("htmlEntityDecode", b"&lt;b&GT;&Quot&amp;&nbsp;", b"<b>\"&\xa0"),
        ("htmlEntityDecode", b"java&Tab;script&colon;a&lpar;1&rpar;", b"java\tscript:a(1)"),
        ("htmlEntityDecode", b"&#60;&#x3C&#0000000000000060;&#0", b"<<<\0"),
        ("htmlEntityDecode", b"&#233;&#x13c;&#99999999999999;", b"\xe9\xc4\xbc\xef\xbf\xbd"),
        // What only looks like one: no semicolon, other case, other letters, no digits.
        (
            "htmlEntityDecode",
            b"&colon &tab; &eacute; &ltx; &#x; &#; &",
            b"&colon &tab; &eacute; \
          &ltx; &#x; &#; &",
        ),
        ("htmlEntityDecode", b"a=1&gte=2&ltd=3", b"a=1&gte=2&ltd=3"),
        ("utf8toUnicode", b"caf\xc3\xa9 \xe2\x82\xac", b"caf%u00e9 %u20ac"),
        ("utf8toUnicode", b"\xf0\x9f\x98\x80\xf4\x80\x80\x81", b"%u1f600%u100001"),
        ("utf8toUnicode", b"\xc0\xbc\xe0\x80\xbc", b"%u003c%u003c"),
        ("utf8toUnicode", b"\xff\xc3\xe2\x82\x80", b"\xff\xc3%u2080"),
        ("utf8toUnicode", b"\xed\xa0\x80\xf4\x90\x80\x80", b"%ud800\xf4\x90\x80\x80"),
    ]);
}

#[test]
fn a_command_line_is_what_a_shell_makes_of_it() {
    check(&[
        ("cmdLine", b"c^a\"t\"  \\/ETC/p'asswd", b"cat/etc/passwd"),
        ("cmdLine", b"a,;\t\r\nb ( c", b"a b( c"),
        ("cmdLine", b"/usr/bin(", b"/usr/bin("),
        ("cmdLine", b"a \"/b ;c", b"a/b c"),
        ("cmdLine", b"see you in an hour ", b"see you in an hour "),
    ]);
}

#[test]
fn white_space_and_nulls_go_and_characters_stay() {
    check(&[
        ("removeWhitespace", b" a\t\x0bb\xc2\xa0c\xa0d\xe3\x80\x80e ", b"abcde"),
        ("removeWhitespace", b"\xc3\xa0 la carte", b"\xc3\xa0lacarte"),
        ("compressWhitespace", b"a \xc2\xa0\t b\xa0\xa0c", b"a b c"),
        ("compressWhitespace", b"\xc3\xa0  la", b"\xc3\xa0 la"),
        ("compressWhitespace", b"a b \tc ", b"a b c "),
        ("compressWhitespace", b"a\xc0\xa0b", b"a\xc0\xa0b"),
        ("trim", b" \x0b a b\r\n", b"a b"),
        ("trimLeft", b"  a ", b"a "),
        ("trimRight", b"  a \xa0 ", b"  a \xa0"),
        ("trim", b"  ", b""),
        ("removeNulls", b"\0a\0\0b\0", b"ab"),
        ("replaceNulls", b"\0a\0\0b", b" a  b"),
        ("lowercase", b"AbC\xc4", b"abc\xc4"),
        ("uppercase", b"aBc\xe4", b"ABC\xe4"),
    ]);
}

#[test]
fn comments_go_in_each_of_three_ways() {
    check(&[
        ("replaceComments", b"un/**/ion/* x */select/*", b"un ion select "),
        ("replaceComments", b"/*/a*/b*/", b" b*/"),
        ("removeComments", b"un/**/ion<!-- x -->all -- rest", b"unionall "),
        ("removeComments", b"a/*b#c", b"a "),
        ("removeComments", b"a/*b*/", b"a\0"),
        ("removeComments", b"a/*b*//*c*/d", b"ad"),
        ("removeComments", b"a/b<c-d # e", b"a/b<c-d "),
        ("removeCommentsChar", b"un/*i*/on<!--a-->--#", b"union\x61"),
    ]);
}

#[test]
fn a_path_is_what_the_file_system_reads() {
    check(&[
        ("normalizePath", b"/a/./b//../c", b"/a/c"),
        ("normalizePath", b"/../../etc//passwd", b"/etc/passwd"),
        ("normalizePath", b"../../x/..", b"../.."),
        ("normalizePath", b"a/..", b""),
        ("normalizePath", b"a/../../b/", b"../b/"),
        ("normalizePath", b"//", b"/"),
        ("normalizePath", b"/..", b"/"),
        ("normalizePath", b"...", b"..."),
        ("normalizePath", br"a\..\b", br"a\..\b"),
        ("normalizePathWin", br"c:\a\..\windows\\win.ini", b"c:/windows/win.ini"),
        ("normalizePathWin", br"..\/..\boot.ini", b"../../boot.ini"),
    ]);
}

#[test]
fn base64_is_read_as_far_as_it_goes() {
    check(&[
        ("base64Decode", b"PHNjcmlwdD4=", b"<script>"),
        ("base64Decode", b"PHNj\r\ncmlw!dD4=", b"<scrip"),
        ("base64Decode", b"PHNjc", b"<sc"),
        ("base64DecodeExt", b"P.HNj cm*lwdD4=", b"<script>"),
        ("base64DecodeExt", b"-_-_", b"\xfb\xff\xbf"),
        ("base64Encode", b"<script>", b"PHNjcmlwdD4="),
        ("base64Encode", b"ab\xff", b"YWL/"),
    ]);
}

#[test]
fn of_a_token_its_objects_come_out() {
    check(&[
        ("jwtDecode", b"Bearer eyJhIjoxfQ.eyJiIjoifjw-In0.c2ln", b"{\"a\":1}\n{\"b\":\"~<>\"}\n"),
        (
            "jwtDecode",
            b"a=1; t=ewogImEiOjF9.e30.; u=eyAiYSI6Mn0.x",
            b"{\n \"a\":1}\n{}\n{ \"a\":2}\n",
        ),
        ("jwtDecode", b"eyewear.example and eyJhIjoxfQ", b""),
        ("jwtDecode", b"' or 1=1", b""),
        ("jwtDecode", b"eyJ.ey.e.", b"{\"\n"),
    ]);
}

#[test]
fn digests_lengths_and_parities_are_of_the_bytes() {
    check(&[
        ("length", b"", b"0"),
        ("length", b"abc\0", b"4"),
        ("md5", b"", b"\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e"),
        (
            "sha1",
            b"abc",
            b"\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d",
        ),
        ("parityEven7bit", b"ac\xe1\xff", b"\xe1ca\x7f"),
        ("parityOdd7bit", b"ac\x00", b"a\xe3\x80"),
        ("parityZero7bit", b"\xe1\x7f", b"a\x7f"),
    ]);
}

/// Bytes with many of those that transformations act on, so that escapes come about.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => any::<u8>().prop_map(|byte| vec![byte]),
        6 => prop::sample::select(b"%+u\\x&#;{}/*<!->0123aAfF. '\t\n\0=".to_vec())
            .prop_map(|byte| vec![byte]),
        3 => prop::sample::select(vec![
            b"%uff1c".to_vec(), b"\\u003c".to_vec(), b"\\101".to_vec(), b"&#x3c;".to_vec(),
            b"&lt;".to_vec(), b"/*".to_vec(), b"*/".to_vec(), b"<!--".to_vec(), b"-->".to_vec(),
            b"/../".to_vec(), b"\\..\\".to_vec(), b"0x4142".to_vec(), b"\xc3\xa9".to_vec(),
            b"\xe2\x80\x83".to_vec(), b"\xf0\x9f\x98\x80".to_vec(), b"\xc0\xbc".to_vec(),
            b"\\0".to_vec(), b"\\10ffff ".to_vec(), b"\xa0".to_vec(),
        ]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_has_no_trigger_stays(value in hostile()) {
        for transformation in Transformation::all() {
            let triggers = transformation.triggers();
            let rest: Vec<u8> =
                value.iter().copied().filter(|byte| !triggers.contains(*byte)).collect();
            let present = ByteSet::of(&rest);
            if !transformation.may_change(present) {
                prop_assert_eq!(&*transformation.apply(&rest), rest.as_slice(), "{:?}", transformation);
            }
            if rest.is_empty() && !matches!(
                transformation,
                Transformation::Length | Transformation::Md5 | Transformation::Sha1
            ) {
                prop_assert!(!transformation.may_change(present));
            }
        }
    }

    #[test]
    fn only_what_stays_is_borrowed_and_nothing_exceeds_its_bound(value in hostile()) {
        for transformation in Transformation::all() {
            let out = transformation.apply(&value);
            prop_assert_eq!(matches!(out, Cow::Borrowed(_)), *out == *value, "{:?}", transformation);
            prop_assert!(
                out.len() <= transformation.output_max(value.len()), "{:?}", transformation
            );
        }
    }

    #[test]
    fn what_was_encoded_decodes_to_itself(value in prop::collection::vec(any::<u8>(), 0..60)) {
        for (there, back) in [
            (Transformation::Base64Encode, Transformation::Base64Decode),
            (Transformation::Base64Encode, Transformation::Base64DecodeExt),
            (Transformation::HexEncode, Transformation::HexDecode),
            (Transformation::UrlEncode, Transformation::UrlDecode),
            (Transformation::UrlEncode, Transformation::UrlDecodeUni),
        ] {
            let encoded = there.apply(&value);
            prop_assert_eq!(&*back.apply(&encoded), value.as_slice(), "{:?}", back);
        }
    }

    #[test]
    fn what_settles_in_one_pass_stays_settled(value in hostile()) {
        for transformation in [
            Transformation::CmdLine,
            Transformation::CompressWhitespace,
            Transformation::Lowercase,
            Transformation::NormalizePath,
            Transformation::NormalizePathWin,
            Transformation::RemoveNulls,
            Transformation::Trim,
            Transformation::Utf8ToUnicode,
        ] {
            let once = transformation.apply(&value);
            prop_assert_eq!(&*transformation.apply(&once), &*once, "{:?}", transformation);
        }
    }
}
