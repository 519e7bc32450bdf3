//! Variables of one value.
//!
//! Those that were read from the exchange are written down when it is read; counts, times and
//! addresses are worked out when a rule asks for them.

use std::io::Write;

use super::{program::Program, state::State, store::Span, tx::decimal};
use crate::variable::Variable;

/// More than there are variables.
const ROOM: usize = 128;

/// What was written down.
#[derive(Debug)]
pub(super) struct Singles {
    spans: Box<[Option<Span>; ROOM]>,
}

impl Default for Singles {
    fn default() -> Self {
        Self { spans: Box::new([None; ROOM]) }
    }
}

impl Singles {
    pub(super) fn clear(&mut self) {
        *self.spans = [None; ROOM];
    }

    pub(super) fn get(&self, variable: Variable) -> Option<Span> {
        self.spans.get(variable as usize).copied().flatten()
    }

    pub(super) fn set(&mut self, variable: Variable, span: Span) {
        if let Some(place) = self.spans.get_mut(variable as usize) {
            *place = Some(span);
        }
    }
}

impl State {
    /// The value of a variable that has one.
    pub(super) fn single(&mut self, program: &Program, variable: Variable) -> Option<Span> {
        use Variable as V;
        if let Some(span) = self.singles.get(variable) {
            return Some(span);
        }
        match variable {
            V::MatchedVar => self.matches.last().map(|it| it.value),
            V::MatchedVarName => {
                let last = self.matches.last()?.clone();
                Some(self.match_name(program, &last))
            }
            V::RemoteAddr | V::RemoteHost | V::ServerAddr => Some(self.address(variable)),
            V::FullRequest => Some(self.full_request()),
            V::WebappId => {
                let id = program.set.settings.web_app_id.as_ref()?;
                Some(self.store.sketch(id.as_bytes()))
            }
            V::Time => Some(self.time_of_day()),
            V::ModsecBuild => Some(self.store.sketch(b"030000000")),
            _ => self.number(variable).or_else(|| self.time(variable)).map(|it| self.written(it)),
        }
    }

    /// A number as text, for as long as the present rule runs.
    pub(super) fn written(&mut self, number: i64) -> Span {
        let mut digits = [0; 20];
        self.store.sketch(decimal(number, &mut digits))
    }

    fn address(&mut self, variable: Variable) -> Span {
        let (address, _) = match variable {
            Variable::ServerAddr => self.surroundings.server,
            _ => self.surroundings.remote,
        };
        let span = self.store.keep_with(|kept| {
            // A vector takes every write.
            let _ = write!(kept, "{address}");
        });
        self.singles.set(variable, span);
        span
    }

    /// Counts, sizes and flags.
    fn number(&self, variable: Variable) -> Option<i64> {
        use Variable as V;
        let fields = &self.fields;
        let flags = &fields.multipart;
        Some(match variable {
            V::ArgsCombinedSize => {
                let all = fields.arguments.iter().chain(&fields.path_arguments);
                all.map(|it| i64::from(it.name.length) + i64::from(it.value.length)).sum()
            }
            V::Duration => {
                let us = self.surroundings.now_us.saturating_sub(self.surroundings.began_us);
                i64::try_from(us / 1_000).unwrap_or(i64::MAX)
            }
            V::FilesCombinedSize => {
                fields.files.iter().map(|file| i64::from(file.content.length)).sum()
            }
            V::FullRequestLength => self.head_bytes() + length(&self.store.request_body),
            V::HighestSeverity => self.hits.highest_severity().map_or(255, |it| it as i64),
            V::InboundDataError => i64::from(self.is_request_body_cut),
            V::MultipartBoundaryQuoted => i64::from(flags.boundary_quoted),
            V::MultipartBoundaryWhitespace => i64::from(flags.boundary_whitespace),
            V::MultipartCrlfLfLines => i64::from(flags.crlf_lf_lines()),
            V::MultipartDataAfter => i64::from(flags.data_after),
            V::MultipartDataBefore => i64::from(flags.data_before),
            V::MultipartFileLimitExceeded => i64::from(flags.file_limit_exceeded),
            V::MultipartHeaderFolding => i64::from(flags.header_folding),
            V::MultipartInvalidHeaderFolding => i64::from(flags.invalid_header_folding),
            V::MultipartInvalidPart => i64::from(flags.invalid_part),
            V::MultipartInvalidQuoting => i64::from(flags.invalid_quoting),
            V::MultipartLfLine => i64::from(flags.lf_line),
            V::MultipartMissingSemicolon => i64::from(flags.missing_semicolon),
            V::MultipartStrictError => i64::from(fields.multipart_is_odd),
            V::MultipartUnmatchedBoundary => flags.unmatched_boundary as i64,
            V::OutboundDataError => i64::from(self.is_response_body_cut),
            V::RemotePort => i64::from(self.surroundings.remote.1),
            V::ReqbodyError | V::ReqbodyProcessorError | V::UrlencodedError => 0,
            V::RequestBodyLength => length(&self.store.request_body),
            V::ResponseContentLength => length(&self.store.response_body),
            V::ServerPort => i64::from(self.surroundings.server.1),
            _ => return None,
        })
    }

    fn head_bytes(&self) -> i64 {
        let line = self.singles.get(Variable::RequestLine).map_or(0, |it| i64::from(it.length));
        let headers = self.fields.request_headers.iter();
        let lines = headers.map(|it| i64::from(it.name.length) + i64::from(it.value.length) + 4);
        line + lines.sum::<i64>() + 4
    }

    /// The head, put together again, and the body. Written once, when a rule asks.
    fn full_request(&mut self) -> Span {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        if let Some(line) = self.singles.get(Variable::RequestLine) {
            text.extend_from_slice(self.store.bytes(line));
        }
        text.extend_from_slice(b"\r\n");
        for field in &self.fields.request_headers {
            text.extend_from_slice(self.store.bytes(field.name));
            text.extend_from_slice(b": ");
            text.extend_from_slice(self.store.bytes(field.value));
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.store.request_body);
        let span = self.store.sketch(&text);
        self.text = text;
        span
    }

    /// The parts of the time at which the exchange began, in UTC.
    fn time(&self, variable: Variable) -> Option<i64> {
        use Variable as V;
        let seconds = i64::try_from(self.surroundings.began_us / 1_000_000).ok()?;
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        Some(match variable {
            V::TimeEpoch => seconds,
            V::TimeSec => second % 60,
            V::TimeMin => second / 60 % 60,
            V::TimeHour => second / 3_600,
            V::TimeDay => day,
            V::TimeMon => month,
            V::TimeYear => year,
            // The first of January 1970 was a Thursday, the fourth day after Sunday.
            V::TimeWday => (days + 4) % 7,
            _ => return None,
        })
    }

    /// `TIME`: `hh:mm:ss`.
    fn time_of_day(&mut self) -> Span {
        let second = self.surroundings.began_us / 1_000_000 % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let text = format!("{hour:02}:{minute:02}:{:02}", second % 60);
        self.store.sketch(text.as_bytes())
    }
}

fn length(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}

/// Year, month (from 0, as C counts them) and day of a day counted from the first of January 1970.
///
/// Days are counted from the first of March of year 0 in eras of 400 years, so that the leap day
/// is the last of its year.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (era * 400 + year + i64::from(month < 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), (1970, 0, 1));
        assert_eq!(date(11_016), (2000, 1, 29));
        assert_eq!(date(11_017), (2000, 2, 1));
        assert_eq!(date(20_783), (2026, 10, 26));
    }
}
