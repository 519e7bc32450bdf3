//! The names of tags and attributes that can run a script.

use std::cmp::Ordering;
use std::sync::LazyLock;

/// Names of events without their `on`, sorted, none of which begins with another.
static EVENTS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("events.txt").split_ascii_whitespace().collect());

/// The longest name that is compared in full.
const NAME_MAX: usize = 13;

/// What the value of an attribute can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Attribute {
    Harmless,
    /// It names another attribute.
    Names,
    /// It is a script, or can bring one in in ways that are not looked into.
    Script,
    /// It is a style, which could once run scripts.
    Style,
    Url,
}

/// Can a tag of that name run a script, or bring in a page or style from elsewhere?
pub(super) fn is_dangerous_tag(name: &[u8]) -> bool {
    let Some(head) = name.get(..3) else { return false };
    // All of SVG and XSL.
    if head.eq_ignore_ascii_case(b"svg") || head.eq_ignore_ascii_case(b"xsl") {
        return true;
    }
    let mut buffer = [0; NAME_MAX];
    matches!(
        lower_case(name, &mut buffer),
        b"applet"
            | b"base"
            | b"comment"
            | b"embed"
            | b"frame"
            | b"frameset"
            | b"handler"
            | b"iframe"
            | b"import"
            | b"isindex"
            | b"link"
            | b"listener"
            | b"meta"
            | b"noscript"
            | b"object"
            | b"script"
            | b"style"
            | b"vmlframe"
            | b"xml"
            | b"xss"
    )
}

/// What the attribute of that name does with its value.
pub(super) fn attribute(name: &[u8]) -> Attribute {
    if name.len() < 2 {
        return Attribute::Harmless;
    }
    if name.len() >= 5 && (is_event(name) || makes_namespace(name)) {
        return Attribute::Script;
    }
    let mut buffer = [0; NAME_MAX];
    match lower_case(name, &mut buffer) {
        b"attributename" => Attribute::Names,
        b"dataformatas" | b"datasrc" => Attribute::Script,
        b"filter" | b"style" => Attribute::Style,
        b"action" | b"background" | b"by" | b"dynsrc" | b"folder" | b"formaction" | b"from"
        | b"handler" | b"href" | b"lowsrc" | b"poster" | b"src" | b"to" | b"values"
        | b"xlink:href" => Attribute::Url,
        _ => Attribute::Harmless,
    }
}

/// Does the name begin as that of an event's handler?
fn is_event(name: &[u8]) -> bool {
    let Some((b"on" | b"oN" | b"On" | b"ON", name)) = name.split_at_checked(2) else {
        return false;
    };
    // The only event that the name can begin with is the last of those that sort before it.
    let after = EVENTS.partition_point(|event| compare(event, name) != Ordering::Greater);
    after.checked_sub(1).and_then(|at| EVENTS.get(at)).is_some_and(|event| {
        name.get(..event.len()).is_some_and(|head| head.eq_ignore_ascii_case(event.as_bytes()))
    })
}

fn compare(event: &str, name: &[u8]) -> Ordering {
    event.bytes().cmp(name.iter().map(u8::to_ascii_lowercase))
}

/// New namespaces make tags of any name.
fn makes_namespace(name: &[u8]) -> bool {
    let head = name.get(..5).unwrap_or_default();
    head.eq_ignore_ascii_case(b"xmlns") || head.eq_ignore_ascii_case(b"xlink")
}

/// The name in small letters and without zeros, which old browsers passed over; nothing when it is
/// longer than any that counts.
fn lower_case<'b>(name: &[u8], buffer: &'b mut [u8; NAME_MAX]) -> &'b [u8] {
    let mut length = 0;
    for byte in name.iter().filter(|byte| **byte != 0) {
        let Some(place) = buffer.get_mut(length) else { return &[] };
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_events_can_be_searched() {
        assert!(EVENTS.len() > 300);
        assert!(EVENTS.is_sorted_by(|one, next| one < next && !next.starts_with(one)));
        for event in EVENTS.iter() {
            assert!(is_event(format!("oN{event}").as_bytes()), "{event}");
            assert!(is_event(format!("ON{}-x", event.to_uppercase()).as_bytes()), "{event}");
            assert!(!is_event(format!("on{}\0", event.split_at(event.len() - 1).0).as_bytes()));
        }
        for harmless in ["on", "once", "only", "onsale", "on\0load", "noload", "onzzz", "onaaa"] {
            assert!(!is_event(harmless.as_bytes()), "{harmless}");
        }
    }

    #[test]
    fn zeros_in_names_do_not_count_and_long_names_are_others() {
        assert_eq!(attribute(b"\0h\0REF"), Attribute::Url);
        assert_eq!(attribute(b"attributename"), Attribute::Names);
        assert_eq!(attribute(b"attributenames"), Attribute::Harmless);
        assert_eq!(attribute(b"b"), Attribute::Harmless);
        assert_eq!(attribute(b"xmlns:x"), Attribute::Script);
        assert_eq!(attribute(b"xml\0ns:x"), Attribute::Harmless);
        assert!(is_dangerous_tag(b"SCR\0ipt") && is_dangerous_tag(b"svg:a"));
        assert!(!is_dangerous_tag(b"s\0vg") && !is_dangerous_tag(b"xs") && !is_dangerous_tag(b"p"));
    }
}
