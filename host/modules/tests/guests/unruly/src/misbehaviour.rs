//! One way to break each promise that the sandbox keeps.

use std::hint::black_box;

use niyam_sdk::{Context, Determination, Finding, Level};

/// Lines that `log` writes.
pub(crate) const FLOOD_LINES: usize = 100_000;

/// Does what `wish` names: `trap`, `loop`, `memory`, `recurse`, `huge` or `log`; `None` when it names none of these.
pub(crate) fn answer(context: &Context, wish: &str) -> Option<Result<Determination, Vec<Finding>>> {
    match wish {
        "trap" => panic!("as asked"),
        "loop" => spin(),
        "memory" => hoard(),
        "recurse" => Some(Err(vec![finding(&descend(0, black_box(u64::MAX)).to_string())])),
        "huge" => Some(Err(vec![finding(&"x".repeat(1024)); 8 * 1024])),
        "log" => {
            for _ in 0..FLOOD_LINES {
                context.log(Level::Warn, "a line that says nothing");
            }
            Some(Err(vec![finding("has said nothing at length")]))
        }
        _ => None,
    }
}

fn finding(message: &str) -> Finding {
    Finding::error("unruly", message)
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn hoard() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

/// Goes down to a depth that no stack holds; what comes back is still needed, so a call cannot become a jump.
#[inline(never)]
fn descend(depth: u64, bottom: u64) -> u64 {
    if depth == bottom {
        return depth;
    }
    descend(depth + 1, bottom).rotate_left(7) ^ depth
}
