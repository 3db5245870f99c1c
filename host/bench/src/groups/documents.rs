//! Papers as PDF: one at a time, and many on two threads, beside the least that Typst does for any page.

use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use niyam_documents::{Grouping, Numerals, Options, Paper, Seal};
use niyam_modules::ModuleHost;
use niyam_sdk::{Attributes, Date, Form};
use niyam_values::{Block, Cell, IssueFacts};
use serde::Serialize;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime};
use typst::syntax::{FileId, Source};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::bench::Bench;
use crate::document;
use crate::figures::{Spread, Times, per_second, ratio};
use crate::groups::Group;
use crate::groups::modules::component;
use crate::memory::resident;

/// The group.
pub const GROUP: Group = Group {
    name: "documents",
    about: "a tax invoice as PDF, alone and in a batch, beside a bare page of Typst",
    run,
};

/// Lines of the invoice: it fills one page.
const LINES: usize = 5;
/// Lines of the long one.
const LONG_LINES: usize = 1_000;
/// Threads of a batch.
const THREADS: usize = 2;
/// Milliseconds that one page is to take at most, warm.
const TARGET_MS: f64 = 10.0;
const DAY: Date = Date::constant(2026, 8, 15);

#[derive(Serialize)]
struct OnePage {
    pages: usize,
    bytes: usize,
    first_ms: f64,
    bare_ms: Spread,
    pdf_ms: Spread,
    html_ms: Spread,
    over_bare: f64,
    target_ms: f64,
    met: bool,
}

#[derive(Serialize)]
struct Batch {
    papers: usize,
    threads: usize,
    per_second: f64,
    bare_per_second: f64,
    /// Memory that no file backs, after each quarter of the batch.
    anonymous_mib: Vec<i64>,
}

#[derive(Serialize)]
struct Long {
    lines: usize,
    pages: usize,
    bytes: usize,
    milliseconds: f64,
}

fn run(bench: &Bench) -> Result<()> {
    let form = tax_invoice(LINES)?;
    one_page(bench, &form)?;
    batch(bench, &form)?;
    long(bench)
}

fn one_page(bench: &Bench, form: &Form) -> Result<()> {
    let began = Instant::now();
    let first = draw(form, 0)?;
    let first_ms = began.elapsed().as_secs_f64() * 1e3;
    // Both do a page with the same fonts, to a file.
    ensure!(first.pages == 1, "the invoice has {} pages", first.pages);
    ensure!(bare(0)?.starts_with(b"%PDF-"), "the bare page is no PDF");
    let (mut bares, mut pdfs, mut htmls) = (Times::default(), Times::default(), Times::default());
    for number in 1..=bench.count(300, 3) {
        bares.push(timed(|| bare(number))?);
        pdfs.push(timed(|| draw(form, number))?);
        let numbered = numbered(form, number);
        htmls.push(timed(|| Ok(with_paper(&numbered, number, niyam_documents::html)))?);
    }
    let (bare_ms, pdf_ms) = (bares.milliseconds(), pdfs.milliseconds());
    let figures = OnePage {
        pages: first.pages,
        bytes: first.bytes.len(),
        first_ms,
        bare_ms,
        pdf_ms,
        html_ms: htmls.milliseconds(),
        over_bare: ratio(pdf_ms.p50, bare_ms.p50),
        target_ms: TARGET_MS,
        met: pdf_ms.p50 <= TARGET_MS,
    };
    bench.measured("documents", "one_page", &figures)
}

fn batch(bench: &Bench, form: &Form) -> Result<()> {
    let papers = bench.count(1_000, 8);
    let of_all =
        |draw: &(dyn Fn(usize) -> Result<()> + Sync), quarters: usize| -> Result<(Duration, Vec<i64>)> {
            let (mut time, mut memory) = (Duration::ZERO, Vec::new());
            for quarter in 0..quarters {
                let began = Instant::now();
                thread::scope(|scope| {
                    let workers: Vec<_> = (0..THREADS)
                        .map(|worker| {
                            let numbers = (worker..papers / quarters).step_by(THREADS);
                            let numbers = numbers.map(move |number| quarter * (papers / quarters) + number);
                            scope.spawn(move || numbers.into_iter().try_for_each(draw))
                        })
                        .collect();
                    workers
                        .into_iter()
                        .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
                })?;
                time += began.elapsed();
                memory.push(resident()?.anonymous >> 20);
            }
            Ok((time, memory))
        };
    let (bare_time, _) = of_all(&|number| bare(number).map(drop), 4)?;
    let (time, anonymous_mib) = of_all(&|number| draw(form, number).map(drop), 4)?;
    let figures = Batch {
        papers,
        threads: THREADS,
        per_second: per_second(papers, time),
        bare_per_second: per_second(papers, bare_time),
        anonymous_mib,
    };
    bench.measured("documents", "batch", &figures)
}

fn long(bench: &Bench) -> Result<()> {
    let lines = bench.count(LONG_LINES, 40);
    let form = tax_invoice(lines)?;
    let mut drawn = None;
    let time = timed(|| {
        drawn = Some(draw(&form, 1)?);
        Ok(())
    })?;
    let drawn = drawn.context("nothing was drawn")?;
    let figures =
        Long { lines, pages: drawn.pages, bytes: drawn.bytes.len(), milliseconds: time.as_secs_f64() * 1e3 };
    bench.measured("documents", "long", &figures)
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let began = Instant::now();
    let done = work()?;
    let time = began.elapsed();
    drop(done);
    Ok(time)
}

/// The form that the pack draws of an invoice.
fn tax_invoice(lines: usize) -> Result<Form> {
    let folder = tempfile::tempdir()?;
    let modules = ModuleHost::new(folder.path().join("compiled"))?;
    let module = modules.load(&component("vat-bd.wasm")?)?;
    let config = module
        .check_config(&module.manifest().config_default)
        .map_err(|findings| anyhow!("its own configuration does not fit: {findings:?}"))?;
    let document = document::of_lines(lines)?;
    let taxes = module.determine(&config, &document)?.answer.map_err(|findings| anyhow!("{findings:?}"))?;
    let facts = IssueFacts {
        number: "17/2026-2027".to_owned(),
        issued_on: DAY,
        issued_at: "12:00:00".to_owned(),
        attributes: Attributes::from_iter([
            ("responsible_person".to_owned(), "Rahima Khatun".to_owned()),
            ("designation".to_owned(), "Manager".to_owned()),
        ]),
    };
    let drawn = module.draw_form(&config, "mushak-6.3", &document, &taxes, &facts)?;
    drawn.answer.map_err(|findings| anyhow!("{findings:?}"))
}

/// The form with another number and another buyer, so that it is no paper that was drawn before.
fn numbered(form: &Form, number: usize) -> Form {
    let mut form = form.clone();
    for block in &mut form.blocks {
        if let Block::Fields(fields) = block {
            for field in fields {
                match field.key.as_str() {
                    "invoice_no" => field.value = Cell::Text(format!("{number}/2026-2027")),
                    "buyer_name" => field.value = Cell::Text(format!("Meghna Traders {number}")),
                    _ => {}
                }
            }
        }
    }
    form
}

fn with_paper<T>(form: &Form, number: usize, draw: impl FnOnce(&Paper<'_>) -> T) -> T {
    let options = Options {
        language: None,
        numerals: Numerals { grouping: Grouping::Lakh, ..Numerals::default() },
        copy: Some(1),
    };
    let facts = vec![
        ("no".to_owned(), format!("{number}/2026-2027")),
        ("bin".to_owned(), "000828395-0207".to_owned()),
        ("total".to_owned(), "3559.00 BDT".to_owned()),
    ];
    let seal = Seal { facts, digest: format!("{number:064x}") };
    draw(&Paper { form, options: &options, date: DAY, seal: Some(&seal) })
}

fn draw(form: &Form, number: usize) -> Result<niyam_documents::Pdf> {
    let form = numbered(form, number);
    Ok(with_paper(&form, number, niyam_documents::pdf)?)
}

/// One line of text on one page.
struct Bare {
    source: Source,
}

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static FONTS: LazyLock<(LazyHash<FontBook>, Vec<Font>)> = LazyLock::new(|| {
    let fonts: Vec<Font> = Font::iter(Bytes::new(FONT)).collect();
    (LazyHash::new(FontBook::from_fonts(&fonts)), fonts)
});
const FONT: &[u8] = include_bytes!("../../../documents/fonts/NotoSans-Regular.ttf");

impl World for Bare {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.0
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.1.get(index).cloned()
    }

    fn today(&self, _: Option<typst::foundations::Duration>) -> Option<Datetime> {
        None
    }
}

fn bare(number: usize) -> Result<Vec<u8>> {
    let text = format!("#set text(font: \"Noto Sans\", fallback: false)\nHello, world {number}");
    let world = Bare { source: Source::detached(text) };
    let document = typst::compile::<PagedDocument>(&world).output.map_err(|errors| anyhow!("{errors:?}"))?;
    let bytes = typst_pdf::pdf(&document, &PdfOptions::default()).map_err(|errors| anyhow!("{errors:?}"))?;
    typst::comemo::evict(4);
    Ok(bytes)
}
