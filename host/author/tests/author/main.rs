//! The author's commands as an author gives them: the program, a folder, what it prints.

mod commands;
mod examples;
mod harness;
mod pushing;
