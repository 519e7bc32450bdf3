//! A server in a process of its own that answers as a till does, until a signal changes its mood:
//! SIGUSR1 makes it slow, SIGUSR2 makes it talk garbage. SIGSTOP hangs it and SIGKILL ends it, for
//! which it need do nothing.
//!
//! It writes down which requests that change something it took, so that one that comes twice is
//! seen whatever became of its answer.

use std::{
    cell::{Cell, RefCell},
    fs::File,
    io::Write as _,
    path::Path,
    rc::Rc,
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

use super::{
    till::{length, number_back, read_on},
    wire::{find, header},
};

/// How long a slow one takes.
const SLOW: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy)]
enum Mood {
    Well,
    Slow,
    Garbage,
}

struct Moody {
    mood: Cell<Mood>,
    taken: RefCell<File>,
}

/// Serves on a free loopback port, which it prints, until it is killed. The numbers of POST
/// requests go to the file `taken`.
///
/// # Errors
/// When there is no port, or the file cannot be made.
pub async fn serve(taken: &Path) -> Result<()> {
    let taken = RefCell::new(File::create(taken)?);
    let moody = Rc::new(Moody { mood: Cell::new(Mood::Well), taken });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut slow = signal(SignalKind::user_defined1())?;
    let mut garbage = signal(SignalKind::user_defined2())?;
    println!("{}", listener.local_addr()?);
    LocalSet::new()
        .run_until(async {
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (stream, _) = accepted?;
                        let moody = Rc::clone(&moody);
                        tokio::task::spawn_local(async move { moody.serve(stream).await });
                    }
                    _ = slow.recv() => moody.mood.set(Mood::Slow),
                    _ = garbage.recv() => moody.mood.set(Mood::Garbage),
                }
            }
        })
        .await
}

impl Moody {
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let head_end = loop {
                if let Some(end) = find(&buffer, b"\r\n\r\n") {
                    break end + 4;
                }
                read_on(&mut stream, &mut buffer).await?;
            };
            let head = String::from_utf8(buffer.get(..head_end)?.to_vec()).ok()?;
            let whole = head_end + length(&head)?;
            while buffer.len() < whole {
                read_on(&mut stream, &mut buffer).await?;
            }
            buffer.drain(..whole);
            if head.starts_with("POST ") {
                let number = header(&head, "x-number").unwrap_or("-");
                writeln!(self.taken.borrow_mut(), "{number}").ok()?;
            }
            match self.mood.get() {
                Mood::Well => {}
                Mood::Slow => tokio::time::sleep(SLOW).await,
                Mood::Garbage => {
                    stream.write_all(b"\x16\x03\x01 +OK what?\n").await.ok()?;
                    return None;
                }
            }
            stream.write_all(number_back(&head, b"").as_bytes()).await.ok()?;
        }
    }
}
