//! Typst: sets pages whose content is known, and says where each row came to stand.
//!
//! Typst sees one source, `paper.typ`, and four fonts. Whatever else a source could ask for is refused: files, packages, the date.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use typst::diag::{FileError, FileResult, SourceDiagnostic, SourceResult};
use typst::foundations::{
    Bytes, Content as Element, Datetime, Dict, Duration, NativeElement as _, Packed, Smart, Value,
};
use typst::introspection::MetadataElem;
use typst::layout::{Abs, Axes, Length, Rel};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::visualize::{
    CloseMode, Color, CurveClose, CurveComponent, CurveElem, CurveLine, CurveMove, Paint,
};
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::fonts;
use crate::options::Paper;
use crate::pdf::DrawError;
use crate::seal::Modules;

/// Documents for which what Typst remembers of one is kept: enough for what all have in common, too little to grow.
const REMEMBERED_DOCUMENTS: usize = 4;

static FONTS: LazyLock<(LazyHash<FontBook>, Vec<Font>)> = LazyLock::new(|| {
    let fonts: Vec<Font> = fonts::FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect();
    (LazyHash::new(FontBook::from_fonts(&fonts)), fonts)
});

static TEMPLATE: LazyLock<Source> = LazyLock::new(|| {
    let path = VirtualPath::new("paper.typ").expect("a plain file name is a path");
    let id = RootedPath::new(VirtualRoot::Project, path).intern();
    Source::new(id, include_str!("paper.typ").to_owned())
});

/// What Typst may see.
struct PaperWorld {
    library: LazyHash<Library>,
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.0
    }

    fn main(&self) -> FileId {
        TEMPLATE.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == TEMPLATE.id() { Ok(TEMPLATE.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.1.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// A laid out paper.
pub(crate) struct Laid(pub(crate) PagedDocument);

/// Where a mark came to stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    /// From 0.
    pub(crate) page: usize,
    /// Points from the page's top.
    pub(crate) y: f64,
}

/// Lays `inputs` out.
pub(crate) fn lay_out(inputs: Dict) -> Result<Laid, DrawError> {
    let world = PaperWorld { library: LazyHash::new(Library::builder().with_inputs(inputs).build()) };
    // Warnings are about the template, which is no concern of who asks for a paper.
    let document = typst::compile::<PagedDocument>(&world).output;
    document.map(Laid).map_err(|errors| failed(&errors))
}

/// Lets go of what Typst remembers of documents of some time ago.
pub(crate) fn forget() {
    comemo::evict(REMEMBERED_DOCUMENTS);
}

impl Laid {
    pub(crate) fn pages(&self) -> usize {
        self.0.pages().len()
    }

    /// The marks, by number.
    pub(crate) fn marks(&self) -> Vec<Option<Mark>> {
        let mut marks = Vec::new();
        let introspector = self.0.introspector();
        for element in introspector.elements().all() {
            let Some(Value::Int(number)) = element.to_packed::<MetadataElem>().map(|mark| &mark.value) else {
                continue;
            };
            let position = element.location().and_then(|location| introspector.position(location));
            let Some((index, position)) = usize::try_from(*number).ok().zip(position) else { continue };
            if marks.len() <= index {
                marks.resize(index + 1, None);
            }
            marks[index] = Some(Mark { page: page_index(position.page), y: position.point.y.to_pt() });
        }
        marks
    }

    /// PDF/A-2b, dated with the paper's day and named by `ident`.
    pub(crate) fn export(&self, paper: &Paper<'_>, ident: String) -> Result<Vec<u8>, DrawError> {
        let day = paper.date;
        let date = u8::try_from(day.month()).ok().zip(u8::try_from(day.day()).ok()).and_then(
            |(month, day_of_month)| {
                Datetime::from_ymd_hms(i32::from(day.year()), month, day_of_month, 0, 0, 0)
            },
        );
        let options = PdfOptions {
            ident: Smart::Custom(ident),
            creator: Smart::Custom(Some("Niyam".to_owned())),
            timestamp: date.map(Timestamp::new_utc),
            page_ranges: None,
            standards: STANDARDS.clone(),
            tagged: true,
            pretty: false,
        };
        let exported: SourceResult<Vec<u8>> = typst_pdf::pdf(&self.0, &options);
        exported.map_err(|errors| failed(&errors))
    }
}

static STANDARDS: LazyLock<PdfStandards> =
    LazyLock::new(|| PdfStandards::new(&[PdfStandard::A_2b]).expect("one standard contradicts no other"));

fn page_index(page: NonZeroUsize) -> usize {
    page.get() - 1
}

fn failed(errors: &[SourceDiagnostic]) -> DrawError {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    DrawError::Typesetting(messages.join("; "))
}

/// A QR code `side` points wide, as one curve.
pub(crate) fn code(modules: &Modules, side: f64) -> Element {
    let module = side / f64::from(modules.side());
    let mut components = Vec::new();
    for (row, first, length) in modules.runs() {
        let (left, right) = (f64::from(first) * module, f64::from(first + length) * module);
        let (top, bottom) = (f64::from(row) * module, f64::from(row + 1) * module);
        components.push(CurveComponent::Move(Packed::new(CurveMove::new(point(left, top)))));
        for (x, y) in [(right, top), (right, bottom), (left, bottom)] {
            components.push(CurveComponent::Line(Packed::new(CurveLine::new(point(x, y)))));
        }
        components.push(CurveComponent::Close(Packed::new(CurveClose::new().with_mode(CloseMode::Straight))));
    }
    CurveElem::new(components)
        .with_fill(Some(Paint::Solid(Color::BLACK)))
        .with_stroke(Smart::Custom(None))
        .pack()
}

fn point(x: f64, y: f64) -> Axes<Rel<Length>> {
    let length = |points: f64| Rel::from(Length::from(Abs::pt(points)));
    Axes::new(length(x), length(y))
}
