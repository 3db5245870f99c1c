//! Tests of whole papers.

mod forms;
mod golden;
mod hostile;
mod layout;
mod limits;
mod text;

use niyam_values::{Date, Form};
use typst::layout::{Frame, FrameItem, Point};

use crate::numerals::{Digits, Grouping, Numerals};
use crate::options::{Options, Paper};
use crate::pdf::{DrawError, laid};
use crate::seal::Seal;
use crate::typesetting::Laid;

const DAY: Date = Date::constant(2026, 8, 15);

fn options(language: Option<&str>, digits: Digits, grouping: Grouping, copy: Option<u8>) -> Options {
    Options { language: language.map(str::to_owned), numerals: Numerals { digits, grouping }, copy }
}

fn seal(form: &Form) -> Seal {
    let facts = [("no", "17/2026-2027"), ("bin", "000828395-0207"), ("total", "3559.00 BDT")];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Seal { facts, digest: crate::digest(&crate::json(form).unwrap()) }
}

fn drawn(form: &Form, options: &Options) -> Result<Laid, DrawError> {
    let seal = seal(form);
    laid(&Paper { form, options, date: DAY, seal: Some(&seal) }, &seal.digest)
}

fn pdf(form: &Form, options: &Options) -> Result<Vec<u8>, DrawError> {
    let seal = seal(form);
    crate::pdf(&Paper { form, options, date: DAY, seal: Some(&seal) }).map(|pdf| pdf.bytes)
}

/// A run of letters, as it stands on a page.
#[derive(Debug, Clone)]
struct Run {
    x: f64,
    y: f64,
    width: f64,
    text: String,
}

/// The runs of each page, in the order in which they are set.
fn runs(laid: &Laid) -> Vec<Vec<Run>> {
    let page = |frame: &Frame| {
        let mut runs = Vec::new();
        collect(frame, Point::zero(), &mut runs);
        runs
    };
    laid.0.pages().iter().map(|sheet| page(&sheet.frame)).collect()
}

fn collect(frame: &Frame, at: Point, runs: &mut Vec<Run>) {
    for (point, item) in frame.items() {
        let at = at + *point;
        match item {
            FrameItem::Group(group) => collect(&group.frame, at, runs),
            FrameItem::Text(item) => runs.push(Run {
                x: at.x.to_pt(),
                y: at.y.to_pt(),
                width: item.width().to_pt(),
                text: item.text.to_string(),
            }),
            _ => {}
        }
    }
}

/// Each page as lines of what stands at one height, from left to right.
fn lines(laid: &Laid) -> Vec<Vec<String>> {
    let page = |mut runs: Vec<Run>| {
        runs.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
        let mut lines: Vec<(Run, String)> = Vec::new();
        for run in runs {
            match lines.last_mut() {
                Some((last, line)) if (last.y - run.y).abs() < 0.5 => {
                    if run.x - (last.x + last.width) > 1.0 {
                        line.push('|');
                    }
                    line.push_str(&run.text);
                    *last = run;
                }
                _ => {
                    let line = run.text.clone();
                    lines.push((run, line));
                }
            }
        }
        lines.into_iter().map(|(_, line)| line).collect()
    };
    runs(laid).into_iter().map(page).collect()
}
