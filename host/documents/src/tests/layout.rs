//! What stands where.

use niyam_values::{Block, Cell, Decimal, Form, Grid};

use super::{drawn, forms, lines, options, pdf, runs};
use crate::numerals::{Digits, Grouping};
use crate::options::Options;
use crate::pdf::DrawError;

fn english() -> Options {
    options(Some("en"), Digits::Latin, Grouping::None, None)
}

fn grid(form: &Form) -> &Grid {
    form.blocks
        .iter()
        .find_map(|block| match block {
            Block::Grid(grid) => Some(grid),
            _ => None,
        })
        .unwrap()
}

/// The sums of the columns for total price, VAT and total over the first `rows`.
fn sums(form: &Form, rows: usize) -> String {
    let sum = |column: usize| -> Decimal {
        let amounts = grid(form).rows[..rows].iter().filter_map(|row| match &row[column] {
            Cell::Amount(amount) => Some(*amount),
            _ => None,
        });
        amounts.sum()
    };
    [5, 9, 10].map(|column| sum(column).to_string()).join("|")
}

#[test]
fn totals_are_carried_from_page_to_page() {
    let form = forms::invoice(150);
    let laid = drawn(&form, &english()).unwrap();
    let pages = lines(&laid);
    assert!(pages.len() >= 4, "{}", pages.len());
    let mut rows = 0;
    for (index, page) in pages.iter().enumerate() {
        let beginning = |text: &str| page.iter().filter(|line| line.starts_with(text)).collect::<Vec<_>>();
        let brought = beginning("Brought forward");
        let forward = beginning("Carried forward");
        if index == 0 {
            assert!(brought.is_empty(), "{brought:?}");
        } else {
            assert_eq!(brought, [&format!("Brought forward|{}", sums(&form, rows))], "page {index}");
        }
        // Each row of the grid tells its own number.
        rows += page.iter().filter(|line| line.contains("|piece|")).count();
        let last = index + 1 == pages.len();
        if last {
            assert!(forward.is_empty(), "{forward:?}");
            assert_eq!(rows, 150);
            let total = format!("সর্বমোট|{}", sums(&form, 150));
            assert_eq!(page.iter().filter(|line| **line == total).count(), 1, "{page:?}");
        } else {
            assert_eq!(forward, [&format!("Carried forward|{}", sums(&form, rows))], "page {index}");
        }
        assert!(page.iter().any(|line| line.contains("Description")), "the head is missing on page {index}");
        let number = format!("Page {} of {}", index + 1, pages.len());
        assert!(page.iter().any(|line| line.ends_with(&number)), "{page:?}");
    }
}

#[test]
fn any_number_of_rows_is_on_pages_once_and_in_order() {
    for count in (0..60).chain([61, 90, 120]) {
        let form = forms::invoice(count);
        let laid = drawn(&form, &english()).unwrap_or_else(|error| panic!("{count} rows: {error}"));
        let serials: Vec<String> = lines(&laid)
            .into_iter()
            .flatten()
            .filter(|line| line.contains("|piece|"))
            .map(|line| line.split('|').next().unwrap_or_default().to_owned())
            .collect();
        let expected: Vec<String> = (1..=count).map(|serial| serial.to_string()).collect();
        assert_eq!(serials, expected);
        // What stands on the last page is never the totals alone.
        let last = lines(&laid).pop().unwrap();
        let total = last.iter().position(|line| line.starts_with("সর্বমোট"));
        if let Some(total) = total.filter(|_| count > 0) {
            assert!(last[..total].iter().any(|line| line.contains("|piece|")), "{count} rows: {last:?}");
        }
    }
}

#[test]
fn nothing_leaves_the_page_and_no_text_its_cell() {
    let long: Vec<String> = vec![
        "W".repeat(500),
        "অতি দীর্ঘ বর্ণনা ".repeat(60),
        "ক্ষ".repeat(300),
        "short".to_owned(),
        "0123456789".repeat(50),
        "a ".repeat(1500),
    ];
    for landscape in [false, true] {
        let mut form = forms::list(&long);
        if landscape {
            form.blocks.push(forms::invoice(70).blocks.remove(1));
        }
        let laid = drawn(&form, &english()).unwrap();
        for (page, runs) in laid.0.pages().iter().zip(runs(&laid)) {
            let (width, height) = (page.frame.width().to_pt(), page.frame.height().to_pt());
            assert_eq!(width > height, landscape);
            for run in runs {
                assert!(run.x >= 27.9 && run.x + run.width <= width - 27.9, "{run:?}");
                assert!(run.y > 28.0 && run.y < height - 10.0, "{run:?}");
            }
        }
        // Each value of the second column stands to the right of whatever the first says.
        for page in runs(&laid) {
            let value =
                page.iter().filter(|run| run.text == "1.50").map(|run| run.x).fold(f64::MAX, f64::min);
            for run in page.iter().filter(|run| run.text.starts_with("WW") || run.text.starts_with("ক্ষক্ষ"))
            {
                assert!(run.x + run.width < value, "{run:?} reaches {value}");
            }
        }
    }
}

#[test]
fn a_text_longer_than_a_page_goes_on_on_the_next() {
    let words: Vec<String> = (0..4_000).map(|word| format!("w{word}")).collect();
    let mut form = forms::list(&[words.join(" ")]);
    form.blocks.push(Block::Paragraph(vec![forms::label("en", &words.join(" "))]));
    let laid = drawn(&form, &english()).unwrap();
    assert!(laid.pages() > 3);
    let all = runs(&laid).into_iter().flatten().map(|run| run.text).collect::<Vec<_>>().join(" ");
    let said: Vec<&str> = all.split([' ', '\u{200b}']).filter(|word| word.starts_with('w')).collect();
    assert_eq!(said.len(), 8_000);
    assert!(said.iter().zip(words.iter().cycle()).all(|(said, word)| said == word));
    // The amount of the row is counted once.
    assert!(lines(&laid).into_iter().flatten().any(|line| line == "Carried forward|1.50"));
}

#[test]
fn columns_that_have_no_room_are_refused() {
    let mut form = forms::list(&[]);
    if let Block::Grid(grid) = &mut form.blocks[0] {
        let column = grid.columns[1].clone();
        grid.columns = vec![column; 40];
        grid.rows = vec![vec![forms::amount("99999999999999.99"); 40]];
        grid.totals.clear();
    }
    assert_eq!(drawn(&form, &english()).err(), Some(DrawError::TooWide { columns: 40 }));
}

#[test]
fn titles_that_leave_no_room_are_refused() {
    let mut form = forms::list(&[]);
    form.titles = vec![forms::label("en", &"title ".repeat(3_000))];
    assert_eq!(drawn(&form, &english()).err(), Some(DrawError::TooTall));
    let mut form = forms::list(&["a".to_owned()]);
    if let Block::Grid(grid) = &mut form.blocks[0] {
        grid.columns[1].labels = vec![forms::label("en", &"head ".repeat(3_000))];
    }
    assert_eq!(drawn(&form, &english()).err(), Some(DrawError::TooTall));
}

#[test]
fn a_copy_says_which_it_is() {
    let form = forms::invoice(1);
    let with = |copy| options(None, Digits::Bangla, Grouping::None, Some(copy));
    for (copy, said) in [(1, "কপি ১ / Copy ১"), (9, "কপি ৯ / Copy ৯")] {
        let laid = drawn(&form, &with(copy)).unwrap();
        let text: String = runs(&laid).into_iter().flatten().map(|run| run.text).collect();
        assert!(text.replace(' ', "").contains(&said.replace(' ', "")), "{text}");
    }
    for copy in [0, 10] {
        assert_eq!(pdf(&form, &with(copy)).err(), Some(DrawError::NoCopy));
    }
}

#[test]
fn empty_parts_are_left_out() {
    let form = Form {
        code: "empty".to_owned(),
        titles: Vec::new(),
        blocks: vec![
            Block::Fields(Vec::new()),
            Block::Grid(Grid { columns: Vec::new(), rows: Vec::new(), totals: Vec::new() }),
            Block::Paragraph(Vec::new()),
        ],
    };
    assert_eq!(drawn(&form, &Options::default()).unwrap().pages(), 1);
    assert!(pdf(&form, &Options::default()).unwrap().starts_with(b"%PDF-1.7"));
}
