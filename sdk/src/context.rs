//! The whole of what a module may reach.

use std::cell::RefCell;

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For the module's author.
    Debug,
    /// Worth telling.
    Info,
    /// Somebody should look.
    Warn,
}

/// The tenant's configuration, and a log.
///
/// In a component both come from the host; natively the test gives the configuration and reads the log.
#[derive(Debug)]
pub struct Context {
    config: String,
    sink: fn(Level, &str),
    lines: RefCell<Vec<(Level, String)>>,
}

impl Context {
    /// A context for native tests: `config` is the tenant's configuration, JSON.
    #[must_use]
    pub fn native(config: impl Into<String>) -> Self {
        Self::new(config.into(), |_, _| ())
    }

    pub(crate) fn new(config: String, sink: fn(Level, &str)) -> Self {
        Self { config, sink, lines: RefCell::default() }
    }

    /// The tenant's configuration, JSON; the host has checked it against the module's schema.
    #[must_use]
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Writes a line to the host's log. Never personal or tax data.
    pub fn log(&self, level: Level, message: &str) {
        (self.sink)(level, message);
        if cfg!(not(target_arch = "wasm32")) {
            self.lines.borrow_mut().push((level, message.to_owned()));
        }
    }

    /// What was logged so far; natively only.
    #[must_use]
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.lines.borrow().clone()
    }
}
