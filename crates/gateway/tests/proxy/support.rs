//! A gateway to test, an origin that follows a script, and a caller that writes bytes.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gateway::{Gateway, Listener, Settings, Site, Sites, Upstream, UpstreamDeadlines, bind};
use shield::{Engine, policy, policy::Sources};
use traffic::HashKey;

/// Long enough for a loaded machine, short enough to notice a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// A gateway's settings before one upstream, with the policy that `run --to` has.
pub(crate) fn settings(upstream: &str) -> Settings {
    with_policy(upstream, "")
}

/// The same with lines of policy before the site's section.
pub(crate) fn with_policy(upstream: &str, server: &str) -> Settings {
    with_site(upstream, server, "")
}

/// The same with lines of policy before the site's section and in it.
pub(crate) fn with_site(upstream: &str, server: &str, site: &str) -> Settings {
    let text = format!(
        "version = 1\n{server}\n[[site]]\nhosts = [\"*\"]\nupstream = [\"{upstream}\"]\n{site}"
    );
    let sources = Sources { file: Some(("palisade.toml", &text)), ..Sources::default() };
    let (policy, _warnings) = policy::load(&sources).unwrap();
    let engine = Engine::new(shield::Settings {
        policy,
        key: HashKey::new([7; 16]),
        reads_redacted: false,
        table_bytes: 8 << 20,
        recorder: None,
    });
    let site = Site::before(Upstream::parse(upstream, None).unwrap());
    let name = only_site(&engine);
    let sites = Sites::new([(name, site)].into());
    Settings { workers: 1, ..Settings::new(Arc::new(engine), Arc::new(|_event| {}), sites) }
}

/// The name of the policy's only site.
pub(crate) fn only_site(engine: &Engine) -> String {
    engine.policy().sites[0].name.clone()
}

/// The same with other deadlines towards the upstream.
pub(crate) fn with_deadlines(upstream: &str, deadlines: UpstreamDeadlines) -> Settings {
    let mut settings = settings(upstream);
    let name = only_site(&settings.engine);
    let upstream = Upstream::parse(upstream, None).unwrap();
    settings.sites = Sites::new([(name, Site { deadlines, ..Site::before(upstream) })].into());
    settings
}

/// A gateway on a free port.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    gateway: Option<Gateway>,
}

impl Proxy {
    pub(crate) fn before(origin: &Origin) -> Self {
        Self::with(settings(&origin.url()))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::over(None, settings)
    }

    pub(crate) fn over(tls: Option<Arc<rustls::ServerConfig>>, settings: Settings) -> Self {
        Self::listening(Listener::new(bind("127.0.0.1:0").unwrap(), tls), settings)
    }

    pub(crate) fn listening(listener: Listener, settings: Settings) -> Self {
        let gateway = Gateway::start(vec![listener], settings).unwrap();
        Self { address: gateway.addresses()[0], gateway: Some(gateway) }
    }

    pub(crate) fn connect(&self) -> Caller {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Caller { stream: BufReader::new(stream) }
    }

    /// A caller at another address of this machine.
    pub(crate) fn connect_from(&self, address: &str) -> Caller {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.bind(&SocketAddr::new(address.parse().unwrap(), 0).into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Caller { stream: BufReader::new(stream) }
    }

    /// Sends bytes on a connection of their own and reads all that comes until it closes.
    pub(crate) fn all(&self, request: impl AsRef<[u8]>) -> String {
        let mut caller = self.connect();
        caller.write(request);
        caller.rest()
    }

    /// What its workers have counted.
    pub(crate) fn metered(&self) -> gateway::Metered {
        self.gateway.as_ref().unwrap().meters().read()
    }

    pub(crate) fn drain(mut self) {
        self.gateway.take().unwrap().drain();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.drain();
        }
    }
}

/// A caller that writes what it is told.
pub(crate) struct Caller {
    stream: BufReader<TcpStream>,
}

/// A message as it came over the wire.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Caller {
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        // The gateway may have closed already; what it said then is what counts.
        let _ = self.stream.get_mut().write_all(bytes.as_ref());
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }

    /// Everything until the connection closes.
    pub(crate) fn rest(&mut self) -> String {
        let mut all = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => break,
                Ok(n) => all.extend_from_slice(&piece[..n]),
                Err(error) => {
                    all.extend_from_slice(format!("<{}>", error.kind()).as_bytes());
                    break;
                }
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    pub(crate) fn answer(&mut self) -> Message {
        self.try_answer().unwrap()
    }

    /// `None` when the connection ended before the answer did.
    pub(crate) fn try_answer(&mut self) -> Option<Message> {
        read_message(&mut self.stream, true)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// A server that does as its script says, one thread per connection.
pub(crate) struct Origin {
    address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Arc<AtomicUsize>,
}

pub(crate) struct Served {
    stream: BufReader<TcpStream>,
    /// Which connection of this origin it is, from 0.
    pub(crate) number: usize,
    requests: Arc<AtomicUsize>,
}

impl Origin {
    pub(crate) fn start(script: impl Fn(Served) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(AtomicUsize::new(0));
        let script = Arc::new(script);
        let (counted, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let stream = BufReader::new(stream);
                let (script, requests) = (Arc::clone(&script), Arc::clone(&seen));
                std::thread::spawn(move || script(Served { stream, number, requests }));
            }
        });
        Self { address, connections, requests }
    }

    /// Answers every request with its own start line, headers, body and trailers as text.
    pub(crate) fn echo() -> Self {
        Self::start(|mut served| {
            while let Some(request) = served.request() {
                let mut text = format!("{}\n", request.start);
                for (name, value) in &request.headers {
                    text.push_str(&format!("{name}: {value}\n"));
                }
                text.push_str(&format!("\n{}\n", request.text()));
                for (name, value) in &request.trailers {
                    text.push_str(&format!("trailer {name}: {value}\n"));
                }
                served.answer(200, &text);
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Served {
    pub(crate) fn request(&mut self) -> Option<Message> {
        let request = read_message(&mut self.stream, false)?;
        self.requests.fetch_add(1, Ordering::SeqCst);
        Some(request)
    }

    /// The head of a request, whose body is left unread.
    pub(crate) fn head(&mut self) -> Option<Message> {
        read_head(&mut self.stream)
    }

    pub(crate) fn body(&mut self, head: Message) -> Option<Message> {
        read_body(&mut self.stream, head, false)
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    pub(crate) fn answer(&mut self, status: u16, body: &str) -> bool {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
        self.write(head + body)
    }

    pub(crate) fn read(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn read_line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).ok().filter(|n| *n > 0)?;
    // Latin-1, so that any byte of a target survives.
    let text: String = line.iter().map(|byte| char::from(*byte)).collect();
    Some(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn read_fields(stream: &mut impl BufRead) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Some(fields);
        }
        let (name, value) = line.split_once(':')?;
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_head(stream: &mut impl BufRead) -> Option<Message> {
    let start = read_line(stream)?;
    Some(Message { start, headers: read_fields(stream)?, ..Message::default() })
}

pub(crate) fn read_message(stream: &mut impl BufRead, is_answer: bool) -> Option<Message> {
    let head = read_head(stream)?;
    read_body(stream, head, is_answer)
}

fn read_body(stream: &mut impl BufRead, mut message: Message, is_answer: bool) -> Option<Message> {
    if message.header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(read_line(stream)?.split(';').next()?, 16).ok()?;
            if size == 0 {
                message.trailers = read_fields(stream)?;
                return Some(message);
            }
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk).ok()?;
            message.body.extend(chunk);
            read_line(stream)?;
        }
    }
    let length = message.header("content-length").map(|length| length.parse::<usize>().unwrap());
    match length {
        Some(length) => {
            message.body = vec![0; length];
            stream.read_exact(&mut message.body).ok()?;
        }
        None if is_answer && !matches!(message.status(), 100..=199 | 204 | 304) => {
            stream.read_to_end(&mut message.body).ok()?;
        }
        None => {}
    }
    Some(message)
}
