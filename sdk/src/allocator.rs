//! Memory of a component whose instance lives for one call: it only grows, since all of it goes when the call ends.
//!
//! What the linker left free in the initial pages is used first, so that a small call asks the host for no memory.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::Cell;
use std::ptr;

const PAGE_BYTES: usize = 64 * 1024;

/// The least that is asked of the host at once: asking costs about as much as clearing a page behind the call.
const GROWTH_PAGES: usize = 2;

#[global_allocator]
static ALLOCATOR: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

struct Bump {
    /// First free address; zero before the first block.
    next: Cell<usize>,
    /// First address past the memory that the host has given.
    end: Cell<usize>,
}

impl Bump {
    fn next(&self) -> usize {
        if self.next.get() == 0 {
            self.next.set(heap_base());
            self.end.set(memory_size(0) * PAGE_BYTES);
        }
        self.next.get()
    }

    /// Moves the first free address to `end`, and says whether there was the memory for it.
    fn reserve(&self, end: usize) -> bool {
        if end > self.end.get() {
            let pages = (end - self.end.get()).div_ceil(PAGE_BYTES);
            let Some(given) = [pages.max(GROWTH_PAGES), pages]
                .into_iter()
                .find(|pages| memory_grow(0, *pages) != usize::MAX)
            else {
                return false;
            };
            // The end of the last page of a 4 GiB memory is not a number of 32 bits.
            self.end.set(self.end.get().saturating_add(given * PAGE_BYTES));
        }
        self.next.set(end);
        true
    }

    fn is_last(&self, block: *mut u8, size: usize) -> bool {
        block.addr() + size == self.next.get()
    }
}

#[expect(unsafe_code, reason = "the linker defines the symbol; only its address is taken")]
fn heap_base() -> usize {
    unsafe extern "C" {
        safe static __heap_base: u8;
    }
    (&raw const __heap_base).expose_provenance()
}

#[expect(unsafe_code, reason = "a module has one thread: these worlds give it no way to start another")]
unsafe impl Sync for Bump {}

#[expect(unsafe_code, reason = "an allocator cannot be written without it")]
// Safety: blocks lie between the heap's base and the end of memory, aligned, and no two overlap: `next` moves back only
// over the last block, when its owner gives it up.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let end = self
            .next()
            .checked_next_multiple_of(layout.align())
            .and_then(|start| Some((start, start.checked_add(layout.size())?)));
        match end {
            Some((start, end)) if self.reserve(end) => ptr::with_exposed_provenance_mut(start),
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.is_last(block, layout.size()) {
            self.next.set(block.addr());
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if self.is_last(block, layout.size()) {
            return match block.addr().checked_add(new_size) {
                Some(end) if self.reserve(end) => block,
                _ => ptr::null_mut(),
            };
        }
        if new_size <= layout.size() {
            return block;
        }
        // Safety: the caller vouches for the size, the alignment is that of an existing block, and the new block is
        // longer than the old one and does not overlap it.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size());
            }
            moved
        }
    }
}
