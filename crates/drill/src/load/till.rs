//! The server at the other end of a load: it gives each request its number back.
//!
//! It can be as fast as the machine, or a till of so many places at which each customer takes a
//! while: then its capacity is known, and it is what an overload meets.

use std::{net::SocketAddr, rc::Rc, sync::Arc, thread::JoinHandle, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::LocalSet,
};

use super::wire::{find, header};

/// How many requests are served at one time, and for how long each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Places; requests beyond them wait.
    pub places: usize,
    /// How long a request keeps its place.
    pub takes: Duration,
}

/// Makes the bytes of an answer from a request's head and body.
type Answer = fn(&str, &[u8]) -> String;

/// A running server. It ends when dropped.
pub struct Till {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A till without a thread: the load whose requests end here serves it on its own, so that the two
/// never wait for each other's turn at a processor.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where it listens.
    pub address: SocketAddr,
    listener: Arc<std::net::TcpListener>,
}

impl Origin {
    /// Opens on a free loopback port; nothing is served until a load runs.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn open() -> Result<Self> {
        let listener = listen()?;
        Ok(Self { address: listener.local_addr()?, listener: Arc::new(listener) })
    }

    /// Serves as one more task of a load.
    ///
    /// # Errors
    /// When the system gives no second handle.
    pub(super) fn serve_here(&self) -> Result<()> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        tokio::task::spawn_local(accept(listener, None, number_back));
        Ok(())
    }
}

impl Till {
    /// Opens on a free loopback port, on a thread of its own. Without a shape it answers at once.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn open(shape: Option<Shape>) -> Result<Self> {
        Self::begin(shape, number_back)
    }

    /// Answers at once, with what `answer` makes of a request's head and body.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub(super) fn answering(answer: Answer) -> Result<Self> {
        Self::begin(None, answer)
    }

    fn begin(shape: Option<Shape>, answer: Answer) -> Result<Self> {
        let listener = listen()?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("till".to_owned()).spawn(move || {
            LocalSet::new().block_on(&runtime, async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = accept(listener, shape, answer) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// As an upstream of the gateway.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic has said what it had to say.
            let _ = thread.join();
        }
    }
}

fn listen() -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept(listener: TcpListener, shape: Option<Shape>, answer: Answer) {
    let places = shape.map(|shape| (Rc::new(Semaphore::new(shape.places)), shape.takes));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let places = places.clone();
        tokio::task::spawn_local(async move { serve(stream, places, answer).await });
    }
}

/// Serves a connection until it ends or says something that no gateway says.
async fn serve(
    mut stream: TcpStream,
    places: Option<(Rc<Semaphore>, Duration)>,
    answer: Answer,
) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let head_end = loop {
            if let Some(end) = find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            read_on(&mut stream, &mut buffer).await?;
        };
        let length = length(std::str::from_utf8(buffer.get(..head_end)?).ok()?)?;
        while buffer.len() < head_end + length {
            read_on(&mut stream, &mut buffer).await?;
        }
        let head = std::str::from_utf8(buffer.get(..head_end)?).ok()?;
        let answer = answer(head, buffer.get(head_end..head_end + length)?);
        buffer.drain(..head_end + length);
        if let Some((places, takes)) = &places {
            let _place = places.acquire().await.ok()?;
            tokio::time::sleep(*takes).await;
        }
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

pub(super) async fn read_on(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(buffer).await.ok()? > 0).then_some(())
}

/// The length of a request's body.
pub(super) fn length(head: &str) -> Option<usize> {
    header(head, "content-length").map_or(Some(0), |length| length.parse().ok())
}

/// Whoever asks without a number asks whether anybody is there.
pub(super) fn number_back(head: &str, _: &[u8]) -> String {
    let number = header(head, "x-number").unwrap_or("-");
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{number}",
        number.len()
    )
}
