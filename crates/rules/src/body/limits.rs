//! Every bound of the body parsers, in one place.
//!
//! A bound that is hit is never silent: the parser keeps what it read and reports a fault.

/// A body is read up to here whatever [`Limits::body_bytes_max`] says. Places in a body are held in
/// 31 bits, and the names written beside it must fit in as many.
const BODY_BYTES_CEILING: usize = 256 << 20;

/// What the parsers stop at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of a body that are looked at; 16 MiB. More than ModSecurity's recommended
    /// `SecRequestBodyLimit` (12.5 MiB), so that this one binds only who raised that one. Values
    /// above 256 MiB count as 256 MiB.
    pub body_bytes_max: usize,
    /// Arguments, cookies, or XML texts and attributes; 65,536, as many as 1 MB of shortest
    /// fields (16 bytes) has. `SecArgumentsLimit` sets it; each costs 16 bytes.
    pub arguments_max: usize,
    /// Open objects and arrays in JSON; 512, as `SecRequestBodyJsonDepthLimit` has it by default.
    pub json_depth_max: usize,
    /// Bytes of full JSON names, as a multiple of the body's; 8, as Coraza has it. A name is the
    /// whole path, so one long key above many small values would cost the square of the body.
    /// API bodies need less than twice their size.
    pub json_names_factor: usize,
    /// Open elements in XML; 256, libxml2's own bound.
    pub xml_depth_max: usize,
    /// Parts of a multipart body; 1,024: forms have tens.
    pub parts_max: usize,
    /// Header lines of one part, folded ones joined; 32: parts have one to three.
    pub part_headers_max: usize,
    /// Bytes of one header line of a part; 4,096, the line buffer of ModSecurity.
    pub part_header_bytes_max: usize,
    /// Files of a multipart body; 100, the default of `SecUploadFileLimit`. More are read, and
    /// flagged.
    pub files_max: usize,
    /// Bytes of a multipart Content-Type; 1,024, as in ModSecurity. A boundary has at most 70.
    pub content_type_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 << 20,
            arguments_max: 65_536,
            json_depth_max: 512,
            json_names_factor: 8,
            xml_depth_max: 256,
            parts_max: 1_024,
            part_headers_max: 32,
            part_header_bytes_max: 4_096,
            files_max: 100,
            content_type_bytes_max: 1_024,
        }
    }
}

impl Limits {
    /// The part of `body` that is looked at, and what lies beyond.
    pub(super) fn split<'a>(&self, body: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let bytes_max = self.body_bytes_max.min(BODY_BYTES_CEILING);
        body.split_at_checked(bytes_max).unwrap_or((body, &[]))
    }

    /// How many bytes of full names a JSON body of `body_bytes` may have: small bodies get 4 KiB,
    /// since a few long keys can well outweigh them; none gets more than 512 MiB.
    pub(super) fn json_name_bytes_max(&self, body_bytes: usize) -> usize {
        body_bytes.saturating_mul(self.json_names_factor).clamp(4_096, 512 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_reads_more_than_places_can_say() {
        let limits = Limits { body_bytes_max: usize::MAX, ..Limits::default() };
        assert_eq!(limits.split(b"abc"), (&b"abc"[..], &b""[..]));
        assert_eq!(Limits { body_bytes_max: 2, ..limits }.split(b"abc"), (&b"ab"[..], &b"c"[..]));
        assert_eq!(limits.json_name_bytes_max(10), 4_096);
        assert_eq!(limits.json_name_bytes_max(10_000), 80_000);
        let places = BODY_BYTES_CEILING + limits.json_name_bytes_max(usize::MAX);
        assert!(places < 1 << 31);
    }
}
