//! Bodies of gigabytes: a server that swallows and gives them, and a caller of it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::wire::{find, header};

const PIECE_BYTES: usize = 256 << 10;
/// Nobody keeps silent for so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves on a free loopback port, for as long as the program lives: `GET /N` gives N bytes, and
/// what is posted is read to its end and its length given back.
///
/// # Errors
/// When no port or thread is to be had.
pub fn serve() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("bulk".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // Without a thread the caller learns from the closed connection.
            let _ = std::thread::Builder::new().spawn(move || while_it_asks(stream));
        }
    })?;
    Ok(address)
}

/// Posts a body of so many bytes.
///
/// # Errors
/// When it does not arrive in full.
pub fn upload(to: SocketAddr, bytes: u64) -> Result<()> {
    let mut stream = connect(to)?;
    write!(
        stream,
        "POST /files HTTP/1.1\r\nhost: bulk.test\r\ncontent-type: application/octet-stream\r\n\
         content-length: {bytes}\r\n\r\n"
    )?;
    pour(&mut stream, bytes)?;
    let (head, mut body) = read_head(&mut stream)?.context("no answer")?;
    let length: usize = header(&head, "content-length").context("no length")?.parse()?;
    while body.len() < length {
        ensure!(read_on(&mut stream, &mut body)? > 0, "the answer broke off");
    }
    ensure!(body == bytes.to_string().as_bytes(), "{bytes} bytes did not arrive: {head}");
    Ok(())
}

/// Gets a body of so many bytes.
///
/// # Errors
/// When it does not arrive in full.
pub fn download(to: SocketAddr, bytes: u64) -> Result<()> {
    let mut stream = connect(to)?;
    write!(stream, "GET /{bytes} HTTP/1.1\r\nhost: bulk.test\r\n\r\n")?;
    let (head, body) = read_head(&mut stream)?.context("no answer")?;
    ensure!(header(&head, "content-length") == Some(&bytes.to_string()), "wrong length: {head}");
    let swallowed = swallow(&mut stream, bytes - body.len() as u64)?;
    ensure!(swallowed + body.len() as u64 == bytes, "only {swallowed} of {bytes} bytes came");
    Ok(())
}

fn connect(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn while_it_asks(mut stream: TcpStream) -> Result<()> {
    while let Some((head, body)) = read_head(&mut stream)? {
        if let Some(wanted) = head.strip_prefix("GET /").and_then(|rest| rest.split(' ').next()) {
            let bytes: u64 = wanted.parse().unwrap_or(0);
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\
                 content-length: {bytes}\r\n\r\n"
            )?;
            pour(&mut stream, bytes)?;
            continue;
        }
        let length: u64 = header(&head, "content-length").unwrap_or("0").parse()?;
        let came = body.len() as u64;
        let came = came + swallow(&mut stream, length.saturating_sub(came))?;
        let number = came.to_string();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{number}", number.len())?;
    }
    Ok(())
}

/// A head, and what came of the body with it; none at the end of the stream.
fn read_head(stream: &mut TcpStream) -> Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Ok(Some((String::from_utf8(bytes)?, body)));
        }
        if read_on(stream, &mut bytes)? == 0 {
            return Ok(None);
        }
    }
}

fn read_on(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<usize> {
    let mut piece = [0; 4096];
    let came = stream.read(&mut piece)?;
    bytes.extend_from_slice(piece.get(..came).unwrap_or_default());
    Ok(came)
}

fn pour(stream: &mut TcpStream, bytes: u64) -> Result<()> {
    let piece = vec![b'x'; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        stream.write_all(piece.get(..now).unwrap_or_default())?;
        left -= now as u64;
    }
    Ok(())
}

/// Reads up to so many bytes; how many came.
fn swallow(stream: &mut TcpStream, bytes: u64) -> Result<u64> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut came = 0;
    while came < bytes {
        let most = usize::try_from(bytes - came).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        match stream.read(piece.get_mut(..most).unwrap_or_default())? {
            0 => break,
            more => came += more as u64,
        }
    }
    Ok(came)
}
