//! Reads a TLS ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) as far as a fingerprint needs.
//!
//! The bytes come from anyone who can open a connection, so every length is checked against what
//! is there, and the whole against a ceiling. It does not validate the handshake: the TLS library
//! behind it does, and a hello it refuses never reaches a decision.

use thiserror::Error;

/// More than any client sends, post-quantum key shares included; beyond it nobody is served.
const HANDSHAKE_BYTES_MAX: usize = 65_536;
/// The ceiling of RFC 8446 for the payload of one record in the clear.
const RECORD_PAYLOAD_BYTES_MAX: usize = 16_384;
const CONTENT_TYPE_HANDSHAKE: u8 = 22;
pub(super) const HANDSHAKE_CLIENT_HELLO: u8 = 1;

const EXTENSION_SIGNATURE_ALGORITHMS: u16 = 0x000d;
const EXTENSION_ALPN: u16 = 0x0010;
const EXTENSION_SUPPORTED_VERSIONS: u16 = 0x002b;

/// What a fingerprint needs of a ClientHello; GREASE values are already gone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientHello {
    /// The highest version offered: of `supported_versions`, else the legacy field.
    pub version: u16,
    /// Cipher suites in the order sent.
    pub cipher_suites: Vec<u16>,
    /// Extension kinds in the order sent.
    pub extensions: Vec<u16>,
    /// Signature algorithms in the order sent.
    pub signature_algorithms: Vec<u16>,
    /// The first protocol offered by ALPN; empty when there is none.
    pub alpn_first: Vec<u8>,
}

/// Why bytes are not a readable ClientHello.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum HelloError {
    /// More bytes may complete it.
    #[error("the hello is not complete yet")]
    Incomplete,
    /// The lengths inside contradict each other.
    #[error("the hello contradicts its own lengths")]
    Malformed,
    /// The bytes do not begin a TLS handshake with a ClientHello.
    #[error("not a TLS client hello")]
    NotClientHello,
    /// It is longer than anything an honest client sends.
    #[error("the hello is too large")]
    TooLarge,
}

impl ClientHello {
    /// Reads the hello out of TLS records, as they arrive on a connection; whatever follows the
    /// hello is ignored.
    ///
    /// # Errors
    /// [`HelloError::Incomplete`] while more bytes may complete it, otherwise what is wrong.
    pub fn from_records(bytes: &[u8]) -> Result<Self, HelloError> {
        let mut records = Reader(bytes);
        let mut message: Vec<u8> = Vec::new();
        loop {
            if let Some(length) = message_length(&message)?
                && message.len() >= length
            {
                return Self::from_handshake(&message);
            }
            let payload = next_record(&mut records)?;
            if message.len() + payload.len() > HANDSHAKE_BYTES_MAX {
                return Err(HelloError::TooLarge);
            }
            message.extend_from_slice(payload);
        }
    }

    /// Reads a handshake message that was already taken out of its records.
    ///
    /// # Errors
    /// [`HelloError::Incomplete`] when it ends before its own length, otherwise what is wrong.
    pub fn from_handshake(bytes: &[u8]) -> Result<Self, HelloError> {
        let length = message_length(bytes)?.ok_or(HelloError::Incomplete)?;
        let message = bytes.get(..length).ok_or(HelloError::Incomplete)?;
        let body = message.get(4..).ok_or(HelloError::Malformed)?;
        Self::from_body(body).ok_or(HelloError::Malformed)
    }

    fn from_body(body: &[u8]) -> Option<Self> {
        let mut body = Reader(body);
        let mut hello = Self { version: body.u16()?, ..Self::default() };
        let _random = body.take(32)?;
        let _session_id = body.vector_u8()?;
        hello.cipher_suites = code_points(body.vector_u16()?)?;
        let _compression_methods = body.vector_u8()?;
        if body.is_empty() {
            // Clients before TLS 1.2 may send no extensions at all.
            return Some(hello);
        }
        let mut extensions = Reader(body.vector_u16()?);
        while !extensions.is_empty() {
            let kind = extensions.u16()?;
            let content = extensions.vector_u16()?;
            if is_grease(kind) {
                continue;
            }
            hello.extensions.push(kind);
            hello.note_extension(kind, content)?;
        }
        Some(hello)
    }

    fn note_extension(&mut self, kind: u16, content: &[u8]) -> Option<()> {
        let mut content = Reader(content);
        match kind {
            EXTENSION_SIGNATURE_ALGORITHMS => {
                self.signature_algorithms = code_points(content.vector_u16()?)?;
            }
            EXTENSION_ALPN => {
                let mut protocols = Reader(content.vector_u16()?);
                self.alpn_first = protocols.vector_u8().unwrap_or_default().to_vec();
            }
            EXTENSION_SUPPORTED_VERSIONS => {
                let offered = code_points(content.vector_u8()?)?;
                self.version = offered.into_iter().max().unwrap_or(self.version);
            }
            _ => {}
        }
        Some(())
    }
}

/// The length of the handshake message that begins here, its header included; `None` while the
/// header itself is cut off.
fn message_length(bytes: &[u8]) -> Result<Option<usize>, HelloError> {
    let mut header = Reader(bytes);
    let Some(kind) = header.u8() else {
        return Ok(None);
    };
    if kind != HANDSHAKE_CLIENT_HELLO {
        return Err(HelloError::NotClientHello);
    }
    let Some(length) = header.u24() else {
        return Ok(None);
    };
    if length > HANDSHAKE_BYTES_MAX - 4 {
        return Err(HelloError::TooLarge);
    }
    Ok(Some(length + 4))
}

fn next_record<'a>(records: &mut Reader<'a>) -> Result<&'a [u8], HelloError> {
    let content_type = records.u8().ok_or(HelloError::Incomplete)?;
    if content_type != CONTENT_TYPE_HANDSHAKE {
        return Err(HelloError::NotClientHello);
    }
    let version = records.u16().ok_or(HelloError::Incomplete)?;
    if version >> 8 != 3 {
        return Err(HelloError::NotClientHello);
    }
    let length = usize::from(records.u16().ok_or(HelloError::Incomplete)?);
    if length > RECORD_PAYLOAD_BYTES_MAX {
        return Err(HelloError::TooLarge);
    }
    if length == 0 {
        // RFC 8446 §5.1 forbids it, and a stream of them would cost work without an end.
        return Err(HelloError::Malformed);
    }
    records.take(length).ok_or(HelloError::Incomplete)
}

/// Sixteen-bit code points without the GREASE ones; `None` when a half is left over.
fn code_points(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut reader = Reader(bytes);
    let mut values = Vec::with_capacity(bytes.len() / 2);
    while !reader.is_empty() {
        let value = reader.u16()?;
        if !is_grease(value) {
            values.push(value);
        }
    }
    Some(values)
}

/// RFC 8701 reserves 0x0a0a, 0x1a1a … 0xfafa.
fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// Takes big-endian fields off the front of a slice; `None` once it runs short.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        let (&value, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(value)
    }

    fn u16(&mut self) -> Option<u16> {
        let (&bytes, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(bytes))
    }

    fn u24(&mut self) -> Option<usize> {
        let (&[high, middle, low], rest) = self.0.split_first_chunk::<3>()?;
        self.0 = rest;
        Some(usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
    }

    fn vector_u8(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u8()?);
        self.take(length)
    }

    fn vector_u16(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        self.take(length)
    }
}
