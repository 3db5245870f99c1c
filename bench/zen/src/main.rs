//! The flat tax of `sdk/examples`, as rules of zen-engine: what another engine takes for the same work.
//!
//! One JSON line in, one out, so that its samples are taken in turn with the others of the same run. What is measured
//! is its fastest form: a decision that is compiled before, on a document that is its own kind of value already, and
//! without what the module says of each line besides its net and its tax.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use zen_engine::Decision;
use zen_engine::model::GraphContent;
use zen_expression::variable::Variable;

/// What is asked: a document, and how often it is to be decided on.
#[derive(Deserialize)]
struct Asked {
    /// `{"lines": [{"quantity", "unit_price", "discount"}]}`, in numbers.
    document: Value,
    samples: u32,
}

#[derive(Serialize)]
struct Told {
    /// Of each sample, µs.
    samples_us: Vec<f64>,
    /// The totals, which show that it does the same work.
    net: Value,
    tax: Value,
    gross: Value,
}

/// A sample lasts at least so long, so that reading the clock does not count.
const SAMPLE_LEAST: Duration = Duration::from_micros(5);

fn main() -> Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let decision = decision()?;
    for line in stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let document = Variable::from(asked.document);
        let once = || evaluate(&runtime, &decision, &document);
        let answer = once()?;
        let mut samples_us = Vec::with_capacity(asked.samples as usize);
        for _ in 0..asked.samples {
            let began = Instant::now();
            let mut calls = 0;
            while calls == 0 || began.elapsed() < SAMPLE_LEAST {
                std::hint::black_box(once()?);
                calls += 1;
            }
            samples_us.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
        }
        let of = |name: &str| answer.dot(name).map_or(Value::Null, |value| value.to_value());
        let told = Told { samples_us, net: of("net"), tax: of("tax"), gross: of("gross") };
        println!("{}", serde_json::to_string(&told)?);
        stdout().flush()?;
    }
    Ok(())
}

fn evaluate(runtime: &Runtime, decision: &Decision, document: &Variable) -> Result<Variable> {
    let answer = runtime.block_on(decision.evaluate(document.clone()));
    Ok(answer.map_err(|error| anyhow!("{error}"))?.result)
}

/// Net and tax of each line, and their sums, in one node.
fn decision() -> Result<Decision> {
    let expressions = [
        ("nets", "map(lines, #.quantity * #.unit_price - #.discount)"),
        ("taxes", "map($.nets, round(# * 5 / 100, 2))"),
        ("net", "sum($.nets)"),
        ("tax", "sum($.taxes)"),
        ("gross", "$.net + $.tax"),
    ];
    let expressions: Vec<Value> =
        expressions.iter().map(|(key, value)| json!({"id": key, "key": key, "value": value})).collect();
    let graph = json!({
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "tax", "name": "tax", "type": "expressionNode", "content": {"expressions": expressions}},
            {"id": "out", "name": "out", "type": "outputNode"}
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "tax"},
            {"id": "2", "type": "edge", "sourceId": "tax", "targetId": "out"}
        ]
    });
    let content: GraphContent = serde_json::from_value(graph).context("failed to read the rules")?;
    let mut decision = Decision::from(content);
    decision.compile();
    Ok(decision)
}
