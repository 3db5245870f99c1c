//! Modules from outside: brought, trusted, activated, withdrawn; and what an attacker tries with them.

mod activating;
mod attacking;
mod shop;
mod trusting;
