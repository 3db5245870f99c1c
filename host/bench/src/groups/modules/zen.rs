//! zen-engine in a program of its own, built from `bench/zen`: its dependencies are none of Niyam's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use niyam_sdk::{Decimal, Determination, Document};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::figures::Times;

/// The program, which answers one line for each line.
pub(super) struct Zen {
    child: Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct Told {
    samples_us: Vec<f64>,
    net: Value,
    tax: Value,
    gross: Value,
}

impl Zen {
    pub(super) fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", program.display()))?;
        let asks = child.stdin.take().context("it is piped")?;
        let tells = BufReader::new(child.stdout.take().context("it is piped")?);
        Ok(Self { child, asks, tells })
    }

    /// Refuses to compare what does not do the same work.
    pub(super) fn same_totals(&mut self, document: &Document, expected: &Determination) -> Result<()> {
        let told = self.ask(document, 1)?;
        let same = |found: &Value, expected: Decimal| {
            found.to_string().trim_matches('"').parse().is_ok_and(|found: Decimal| found == expected)
        };
        ensure!(
            same(&told.net, expected.net)
                && same(&told.tax, expected.tax_added)
                && same(&told.gross, expected.gross),
            "zen-engine gives other totals: {} {} {}",
            told.net,
            told.tax,
            told.gross
        );
        Ok(())
    }

    pub(super) fn samples(&mut self, document: &Document, count: usize) -> Result<Times> {
        let told = self.ask(document, count)?;
        Ok(told.samples_us.iter().map(|us| Duration::from_secs_f64(us / 1e6)).collect())
    }

    fn ask(&mut self, document: &Document, samples: usize) -> Result<Told> {
        // Its numbers are exact as ours are, and texts would have to be read first.
        let number = |decimal: Decimal| serde_json::from_str::<Value>(&decimal.to_string());
        let mut whole = json!(document);
        for (shown, line) in whole["lines"].as_array_mut().into_iter().flatten().zip(&document.lines) {
            shown["quantity"] = number(line.quantity)?;
            shown["unit_price"] = number(line.unit_price)?;
            shown["discount"] = number(line.discount)?;
        }
        writeln!(self.asks, "{}", json!({"document": whole, "samples": samples}))?;
        let mut told = String::new();
        self.tells.read_line(&mut told)?;
        serde_json::from_str(&told).with_context(|| format!("zen-engine's program said: {told}"))
    }
}

impl Drop for Zen {
    fn drop(&mut self) {
        // Nobody asks any more, or the measurement failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
