//! What happens when a sink is told: by POST, or by a line over a connection that stays.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use super::http::{self, Answer};
use super::ready::Ready;
use super::stream::Stream;
use crate::alert::Item;
use crate::render::{self, Message, Sender};

/// Connecting, sending and the answer are over by then.
const DELIVERY_MAX: Duration = Duration::from_secs(10);
/// Syslog has no answer. A receiver that closes the connection does so within this; only then what
/// was written before counts as taken.
const CLOSES_WITHIN: Duration = Duration::from_millis(100);

/// Whether it was closed meanwhile is known at once.
const NO_TIME: Duration = Duration::from_millis(1);

/// The way to one sink.
#[derive(Default)]
pub(super) struct Channel {
    stream: Option<Stream>,
}

/// Why something did not arrive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// It may later.
    Later {
        /// What went wrong.
        what: String,
        /// How long the sink asks to be left alone.
        asked: Option<Duration>,
    },
    /// The sink does not want this message.
    Unwanted(String),
}

impl Channel {
    /// Tells `items`, of which each is for such a sink. Over HTTP it is the first alone. Gives how
    /// many were told and what was said.
    pub(super) fn tell(
        &mut self,
        ready: &Ready,
        items: &[Item],
        sender: &Sender,
    ) -> Result<(usize, String), Fault> {
        let deadline = Instant::now() + DELIVERY_MAX;
        if ready.to.scheme.is_http() {
            let Some(item) = items.first() else { return Ok((0, String::new())) };
            let Some(message) = render::over_http(ready.kind, item) else {
                return Err(Fault::Unwanted("not for such a sink".to_owned()));
            };
            return self.post(ready, &message, deadline).map(|said| (1, said));
        }
        let messages = items.iter().filter_map(|it| render::over_syslog(ready.kind, it, sender));
        let bytes: Vec<u8> = messages.flat_map(|message| message.bytes).collect();
        self.send(ready, &bytes, deadline).map_err(|error| later(&error))?;
        Ok((items.len(), "taken: syslog has no answer".to_owned()))
    }

    fn post(
        &mut self,
        ready: &Ready,
        message: &Message,
        deadline: Instant,
    ) -> Result<String, Fault> {
        let answer = self.exchange(ready, message, deadline).map_err(|error| later(&error))?;
        let Answer { status, retry_after, said, stays } = answer;
        if !stays {
            self.stream = None;
        }
        let mut told = format!("status {status}");
        if !said.is_empty() {
            told.push_str(&format!(": {said}"));
        }
        match status {
            200..=299 => Ok(told),
            300..=399 => {
                let what = format!("status {status}: redirects are not followed");
                Err(Fault::Later { what, asked: None })
            }
            400 | 413 | 415 | 422 => Err(Fault::Unwanted(told)),
            _ => Err(Fault::Later { what: told, asked: retry_after }),
        }
    }

    /// A connection that stood may have been closed meanwhile: then there is another try.
    fn exchange(
        &mut self,
        ready: &Ready,
        message: &Message,
        deadline: Instant,
    ) -> io::Result<Answer> {
        if let Some(mut stream) = self.stream.take() {
            stream.until(deadline);
            if let Ok(answer) = http::post(&mut stream, ready, message) {
                self.stream = Some(stream);
                return Ok(answer);
            }
        }
        let mut stream = Stream::open(ready, deadline)?;
        let answer = http::post(&mut stream, ready, message)?;
        self.stream = Some(stream);
        Ok(answer)
    }

    fn send(&mut self, ready: &Ready, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        let mut stood = self.stream.take();
        if stood.as_mut().is_some_and(|stream| stream.has_ended(NO_TIME)) {
            stood = None;
        }
        let mut stream = match stood {
            Some(stream) => stream,
            None => Stream::open(ready, deadline)?,
        };
        stream.until(deadline);
        stream.write_all(bytes)?;
        stream.flush()?;
        if stream.has_ended(CLOSES_WITHIN) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "closed by the other side"));
        }
        self.stream = Some(stream);
        Ok(())
    }
}

fn later(error: &io::Error) -> Fault {
    let what = match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            format!("not done within {} s", DELIVERY_MAX.as_secs())
        }
        _ => error.to_string(),
    };
    Fault::Later { what, asked: None }
}
