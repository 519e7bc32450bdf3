//! An upstream whose mood can be changed while requests are under way, and that can be stopped.

use std::{
    io::{BufReader, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{PATIENCE, read_message};

/// What it does with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    Well,
    /// Answers after a third of a second.
    Slow,
    /// Takes everything and says nothing.
    Hung,
    /// Says what is no HTTP.
    Garbage,
    /// Promises more than it sends.
    Short,
    /// Answers with 500.
    Failing,
    /// Gone.
    Stopped,
}

const MOODS: [Mood; 7] =
    [Mood::Well, Mood::Slow, Mood::Hung, Mood::Garbage, Mood::Short, Mood::Failing, Mood::Stopped];

pub(crate) struct Moody {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    mood: AtomicU8,
    requests: AtomicUsize,
    /// `OPTIONS *`.
    pings: AtomicUsize,
    /// The bodies of all POST requests.
    posts: Mutex<Vec<String>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Moody {
    pub(crate) fn start() -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap())
    }

    fn listen(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.mood() == Mood::Stopped {
                    return;
                }
                shared.open.lock().unwrap().push(stream.try_clone().unwrap());
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let also = stream.try_clone().unwrap();
                    shared.serve(stream);
                    let _ = also.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, inner }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn turn(&self, mood: Mood) {
        let number = MOODS.iter().position(|known| *known == mood).unwrap();
        self.inner.mood.store(u8::try_from(number).unwrap(), SeqCst);
        if mood == Mood::Stopped {
            // Wakes the loop that accepts, which then lets go of the port.
            let _ = TcpStream::connect(self.address);
            for stream in self.inner.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// The same port again, after it was stopped.
    pub(crate) fn restart(&mut self) {
        *self = Self::listen(self.address);
    }

    /// Requests of callers so far.
    pub(crate) fn seen(&self) -> usize {
        self.inner.requests.load(SeqCst)
    }

    pub(crate) fn pings(&self) -> usize {
        self.inner.pings.load(SeqCst)
    }

    pub(crate) fn posts(&self) -> Vec<String> {
        self.inner.posts.lock().unwrap().clone()
    }
}

impl Inner {
    fn mood(&self) -> Mood {
        MOODS[usize::from(self.mood.load(SeqCst))]
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = BufReader::new(stream);
        loop {
            let request = read_message(&mut stream, false)?;
            let is_ping = request.start.starts_with("OPTIONS * ");
            let is_check = request.start.starts_with("GET /healthz ");
            if is_ping {
                self.pings.fetch_add(1, SeqCst);
            } else if !is_check {
                self.requests.fetch_add(1, SeqCst);
            }
            if request.start.starts_with("POST ") {
                self.posts.lock().unwrap().push(request.text());
            }
            let body = request.text();
            let length = body.len();
            let answer = match self.mood() {
                Mood::Well | Mood::Slow => {
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
                }
                Mood::Garbage => "\x15\x03\x01\0\x02\x02\x16".to_owned(),
                Mood::Short => "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort".to_owned(),
                Mood::Failing => "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_owned(),
                Mood::Hung => {
                    std::thread::sleep(PATIENCE);
                    return None;
                }
                Mood::Stopped => return None,
            };
            if self.mood() == Mood::Slow {
                std::thread::sleep(Duration::from_millis(333));
            }
            stream.get_mut().write_all(answer.as_bytes()).ok()?;
            if matches!(self.mood(), Mood::Garbage | Mood::Short) {
                return None;
            }
        }
    }
}
