//! A body, as far as it was looked at, into fields.

use crate::fields::{Fields, Location};
use crate::json;
use crate::media::Media;

/// Adds the fields of `body` to `fields`. `complete` says whether the body ended there.
pub fn read(body: &[u8], media: Media, complete: bool, fields: &mut Fields) {
    read_up_to(body, media, complete, fields, usize::MAX);
}

/// [`read`], but of a JSON body only the first `most` fields: [`Fields::read_rest`] reads the rest.
pub fn read_up_to(body: &[u8], media: Media, complete: bool, fields: &mut Fields, most: usize) {
    match media {
        Media::Json => json::read_up_to(body, fields, most),
        Media::Form => fields.read_pairs(body, Location::Form),
        // Many clients send JSON and forms without saying so.
        Media::Unknown | Media::Opaque | Media::Text => {
            match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(b'{' | b'[') => json::read_up_to(body, fields, most),
                _ => return,
            }
        }
        Media::Multipart | Media::Grpc | Media::Stream => return,
    }
    if !complete {
        fields.mark_truncated();
    }
}
