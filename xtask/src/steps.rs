//! Says which step of how many is going on.

use std::time::Instant;

/// The steps of a task, told on standard error as they begin and end.
pub(crate) struct Steps {
    count: usize,
    begun: usize,
}

impl Steps {
    /// `count` steps to come.
    pub(crate) const fn new(count: usize) -> Self {
        Self { count, begun: 0 }
    }

    /// Begins the next step, of which nothing is told when it ends.
    pub(crate) fn begin(&mut self, title: &str) {
        self.begun += 1;
        debug_assert!(self.begun <= self.count, "more steps than announced");
        eprintln!("[{}/{}] {title}", self.begun, self.count);
    }

    /// Takes the next step and tells how long it took.
    pub(crate) fn take<T>(
        &mut self,
        title: &str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.begin(title);
        let started = Instant::now();
        let done = step()?;
        eprintln!("      done in {:.1} s", started.elapsed().as_secs_f64());
        Ok(done)
    }
}
