//! How large a form may be.

use niyam_values::{Block, Cell};

use super::{drawn, forms, lines};
use crate::limits::{BLOCKS_MAX, CELLS_MAX, COLUMNS_MAX, TEXT_BYTES_MAX, TooLarge};
use crate::options::Options;
use crate::pdf::DrawError;

fn refused(form: &niyam_values::Form) -> TooLarge {
    match drawn(form, &Options::default()) {
        Err(DrawError::TooLarge(too_large)) => too_large,
        other => panic!("{:?}", other.map(|laid| laid.pages())),
    }
}

#[test]
fn a_form_above_a_limit_is_refused() {
    let mut form = forms::list(&[]);
    form.blocks = vec![Block::Paragraph(Vec::new()); BLOCKS_MAX + 1];
    assert_eq!(refused(&form), TooLarge { what: "blocks", found: BLOCKS_MAX + 1, most: BLOCKS_MAX });

    let rows = CELLS_MAX / 2 - 1;
    let form = forms::list(&vec![String::new(); rows]);
    assert_eq!(refused(&form), TooLarge { what: "cells", found: CELLS_MAX + 2, most: CELLS_MAX });

    let form = forms::list(&["x".repeat(TEXT_BYTES_MAX)]);
    assert_eq!(refused(&form).what, "bytes of text");

    let mut form = forms::list(&[]);
    if let Block::Grid(grid) = &mut form.blocks[0] {
        grid.columns = vec![grid.columns[0].clone(); COLUMNS_MAX + 1];
        grid.totals = vec![Cell::Empty; COLUMNS_MAX + 1];
    }
    assert_eq!(refused(&form), TooLarge { what: "columns", found: COLUMNS_MAX + 1, most: COLUMNS_MAX });
}

#[test]
fn the_most_blocks_are_drawn() {
    let mut form = forms::list(&[]);
    form.blocks = (0..BLOCKS_MAX)
        .map(|number| Block::Paragraph(vec![forms::label("en", &format!("p{number}"))]))
        .collect();
    let laid = drawn(&form, &Options::default()).unwrap();
    let said = lines(&laid).into_iter().flatten().filter(|line| line.starts_with('p')).count();
    assert_eq!(said, BLOCKS_MAX);
}

#[test]
fn thousands_of_rows_are_drawn() {
    let texts: Vec<String> = (0..3_000).map(|row| format!("row {row}")).collect();
    let laid = drawn(&forms::list(&texts), &Options::default()).unwrap();
    let rows = lines(&laid).into_iter().flatten().filter(|line| line.starts_with("row ")).count();
    assert_eq!(rows, 3_000);
}
