//! Whether a body is to be read, where its type says no: its first bytes tell.

use http::{HeaderMap, header};

use super::super::Ongoing;
use super::taking::{Reached, Taking};
use crate::{
    answer::Problem,
    decode::{Codings, decode},
};

/// So much of what a coding hides is looked at.
const START_MAX: usize = 512;
/// A coding that gives nothing away by then hides something.
const CODED_MAX: usize = 4 << 10;

/// How much of the body is to be read; none when it goes on as it comes.
pub(super) async fn wanted(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    taking: &mut Taking,
) -> Result<Option<usize>, Problem> {
    let Some(pass) = &ongoing.pass else { return Ok(None) };
    let wanted = pass.body_wanted();
    // Who waits to be asked for its body is not asked for the sake of a look that decides nothing.
    let may_ask = taking.must || !headers.contains_key(header::EXPECT);
    if wanted.is_some() || !pass.doubts_body() || !may_ask {
        return Ok(wanted);
    }
    let is_coded = headers.contains_key(header::CONTENT_ENCODING);
    let mut most = 1;
    loop {
        let reached = taking.read(ongoing, most).await?;
        let here = taking.held.bytes();
        let is_known = recognise(ongoing, headers, here, reached == Reached::End);
        match is_known {
            Some(true) => return Ok(ongoing.pass.as_ref().and_then(|pass| pass.body_wanted())),
            Some(false) => return Ok(None),
            None if matches!(reached, Reached::Late | Reached::NoRoom) => return Ok(None),
            // Each look at a coded body begins anew.
            None if is_coded => most = here.len().saturating_mul(2),
            None => most = here.len() + 1,
        }
    }
}

/// Whether what is here begins as something that is read; none while that cannot be said.
fn recognise(
    ongoing: &mut Ongoing,
    headers: &HeaderMap,
    here: &[u8],
    is_all: bool,
) -> Option<bool> {
    let pass = ongoing.pass.as_mut()?;
    let Some(decoded) = decode(headers, here, START_MAX, Codings::Bounded) else {
        // Unknown, broken, or too little of it yet.
        return match pass.recognise(here, is_all || here.len() >= CODED_MAX) {
            Some(false) if !is_all && here.len() < CODED_MAX => None,
            known => known,
        };
    };
    let is_coded = matches!(decoded.bytes, std::borrow::Cow::Owned(_));
    if is_coded && is_text(here) && pass.recognise(here, is_all) == Some(true) {
        return Some(true);
    }
    match pass.recognise(&decoded.bytes, is_all && decoded.complete) {
        None if is_coded && here.len() >= CODED_MAX => {
            pass.distrust_body();
            Some(true)
        }
        known => known,
    }
}

/// Whether there is nothing in it that no text has.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let is_cut = |error: std::str::Utf8Error| error.error_len().is_none();
    !bytes.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace())
        && std::str::from_utf8(bytes).err().is_none_or(is_cut)
}
