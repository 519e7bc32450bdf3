//! The one thread that rules are compiled on.
//!
//! Reloads are asked for by several threads that live on: the admin API's, the one that looks at
//! files, that of signals. The allocator keeps a share for each thread that ever needed much, and
//! compiling a Core Rule Set needs much: each would cost 16 MiB for good, from its first reload on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Builder;

type Job = Box<dyn FnOnce() + Send>;

/// Begins with the first piece of work, and ends when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Compiler(Option<SyncSender<Job>>);

impl Compiler {
    /// What `work` gives, done on that thread; on this one where there can be no other.
    pub(super) fn run<T, W>(&mut self, work: W) -> T
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let (done, result) = sync_channel(1);
        let job: Job = Box::new(move || {
            // Whoever waits is told of a panic; the thread goes on to the next piece.
            let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
        });
        if self.0.is_none() {
            self.0 = begin();
        }
        match &self.0 {
            Some(jobs) => jobs.send(job).unwrap_or_else(|unsent| unsent.0()),
            None => job(),
        }
        match result.recv() {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(lost) => resume_unwind(Box::new(lost)),
        }
    }
}

fn begin() -> Option<SyncSender<Job>> {
    let (jobs, received) = sync_channel::<Job>(1);
    let thread = Builder::new().name("rules".to_owned());
    thread.spawn(move || received.into_iter().for_each(|job| job())).is_ok().then_some(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_on_one_thread_and_a_panic_is_told() {
        let mut compiler = Compiler::default();
        let id = || std::thread::current().id();
        let first = compiler.run(id);
        assert_ne!(first, id());
        let told = catch_unwind(AssertUnwindSafe(|| compiler.run(|| panic!("a fault"))));
        assert!(told.is_err());
        assert_eq!(compiler.run(id), first);
    }
}
