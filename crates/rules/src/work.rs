//! How much an exchange may cost, and has.
//!
//! Work is counted, not timed, so that the same exchange costs the same on any machine, however
//! busy, and a replay leaves out the same rules. A unit is a nanosecond, roughly: what looks at a
//! byte for less costs one unit all the same. What is made once and kept, as the automaton of a
//! pattern is that was never asked before, is not counted.

/// How much an exchange may cost, and has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work {
    pub(crate) done: u64,
    pub(crate) max: u64,
    pub(crate) is_over: bool,
}

impl Work {
    /// Each test has this cost besides the bytes that it looks at.
    const TEST: usize = 128;

    /// Work without a limit.
    pub(crate) const fn unlimited() -> Self {
        Self { done: 0, max: u64::MAX, is_over: false }
    }

    /// A test of so many bytes begins; may it?
    pub(crate) fn begin(&mut self, bytes: usize) -> bool {
        self.spend(bytes.saturating_add(Self::TEST));
        !self.is_over
    }

    /// It may cost so much in all. One that had cost too much goes on if that is enough.
    pub(crate) fn allow(&mut self, max: u64) {
        self.max = max;
        self.is_over = self.done > max;
    }

    /// So many bytes, or names, are looked at besides.
    pub(crate) fn spend(&mut self, count: usize) {
        self.done = self.done.saturating_add(count as u64);
        self.is_over |= self.done > self.max;
    }
}
