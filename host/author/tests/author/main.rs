//! The author's commands as an author gives them: the program, a folder, what it prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod examples;
mod harness;
mod pushing;
