//! The flat tax of `sdk/examples`, as rules of zen-engine: what another engine takes for the same work.
//!
//! One JSON line in, one out, so that its samples are taken in turn with the others of the same run. What is measured
//! is its fastest form: a decision that is compiled before, of one node. A sample begins with the document as a value
//! and ends with the taxes of each line and their sums as a value, as the module's does.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::Instant;

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
    /// The whole document, with the numbers of its lines as numbers.
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

fn main() -> Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let decision = decision()?;
    for line in stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let mut samples_us = Vec::with_capacity(asked.samples as usize);
        let mut answer = Value::Null;
        for _ in 0..asked.samples {
            let document = asked.document.clone();
            let began = Instant::now();
            answer = evaluate(&runtime, &decision, document)?;
            samples_us.push(began.elapsed().as_secs_f64() * 1e6);
        }
        let of = |name: &str| answer[name].clone();
        let told = Told { samples_us, net: of("net"), tax: of("tax"), gross: of("gross") };
        println!("{}", serde_json::to_string(&told)?);
        stdout().flush()?;
    }
    Ok(())
}

fn evaluate(runtime: &Runtime, decision: &Decision, document: Value) -> Result<Value> {
    let answer = runtime.block_on(decision.evaluate(Variable::from(document)));
    Ok(answer.map_err(|error| anyhow!("{error}"))?.result.to_value())
}

/// What the module answers, in one node: each line with its tax, the sums, the law.
fn decision() -> Result<Decision> {
    let expressions = [
        ("bases", "map(lines, {id: #.id, net: #.quantity * #.unit_price - #.discount})"),
        ("taxed", "map($.bases, {id: #.id, net: #.net, tax: round(#.net * 5 / 100, 2)})"),
        (
            "lines",
            "map($.taxed, {line_id: #.id, net: #.net, taxes: [{code: 'flat', rate: 5, base: #.net, amount: #.tax, \
             effect: 'added', recoverable: false, citation: 0}], gross: #.net + #.tax})",
        ),
        ("net", "sum(map($.taxed, #.net))"),
        ("tax", "sum(map($.taxed, #.tax))"),
        ("gross", "$.net + $.tax"),
        ("citations", "[{source: 'The example', article: '1', effective_from: null}]"),
        ("findings", "[]"),
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
