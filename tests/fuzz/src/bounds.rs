//! What one decoding may cost: heap bytes and CPU time.
//!
//! [`hold`] runs a decoder and panics when it took more than its bounds, with what and how much; a
//! fuzzer's panic hook ends the process, and the fuzzer keeps the input. The heap is counted by
//! this crate's allocator. Knows nothing of what is decoded.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};

use actix_multiplex::limits::FRAME_BYTES_MAX;

/// Heap bytes that a decoder may hold at any moment, beside its input. No single allocation can be
/// larger either.
pub const HEAP_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

/// CPU time of its thread that a decoder may take. Not wall time: on a busy machine a thread waits.
pub const CPU_TIME_MAX: Duration = Duration::from_millis(50);

/// Runs `decode` within its bounds.
///
/// # Panics
/// When it takes more.
pub fn hold<T>(decode: impl FnOnce() -> T) -> T {
    let (decoded, cost) = measure(decode);
    assert!(
        cost.heap_bytes <= HEAP_BYTES_MAX,
        "{} heap bytes were held at once; {HEAP_BYTES_MAX} at most",
        cost.heap_bytes
    );
    assert!(
        cost.cpu_time <= CPU_TIME_MAX,
        "{:?} of CPU time were taken; {CPU_TIME_MAX:?} at most",
        cost.cpu_time
    );
    decoded
}

/// What something took.
struct Cost {
    /// The most heap bytes that its thread held at any moment, above what it held before.
    heap_bytes: usize,
    cpu_time: Duration,
}

fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let base = LIVE.get();
    PEAK.set(base);
    let begun = cpu_time();
    let done = work();
    let cpu_time = cpu_time().saturating_sub(begun);
    let heap_bytes = (PEAK.get() - base).unsigned_abs();
    (done, Cost { heap_bytes, cpu_time })
}

/// CPU time of this thread so far.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `time` and keeps nothing.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(status, 0, "every thread has a clock of its CPU time");
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).expect("below 10^9"))
}

thread_local! {
    /// Heap bytes taken on this thread, less those given back on it.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The most that [`LIVE`] has been since a measurement began.
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static HEAP: Counting = Counting;

/// The system's allocator, counted. A block that is resized counts as its new size.
struct Counting;

impl Counting {
    fn took(bytes: usize) {
        LIVE.set(LIVE.get() + bytes.cast_signed());
        PEAK.set(PEAK.get().max(LIVE.get()));
    }

    fn gave_back(bytes: usize) {
        LIVE.set(LIVE.get() - bytes.cast_signed());
    }
}

// SAFETY: every call goes on to the system's allocator as it came; counting takes no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::took(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::took(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Self::gave_back(layout.size());
        Self::took(bytes);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::gave_back(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn a_block_at_the_bound_is_held_and_given_back() {
        let block = hold(|| vec![0_u8; HEAP_BYTES_MAX]);
        assert_eq!(block.len(), HEAP_BYTES_MAX);
        hold(|| (0..8).for_each(|_| drop(black_box(vec![0_u8; HEAP_BYTES_MAX]))));
    }

    #[test]
    #[should_panic(expected = "262145 heap bytes were held at once; 262144 at most")]
    fn a_byte_beyond_the_bound_is_told() {
        hold(|| drop(black_box(vec![0_u8; HEAP_BYTES_MAX + 1])));
    }

    #[test]
    #[should_panic(expected = "heap bytes were held at once")]
    fn blocks_that_are_held_together_are_added_up() {
        hold(|| [black_box(vec![0_u8; HEAP_BYTES_MAX]), black_box(vec![1])]);
    }

    #[test]
    #[should_panic(expected = "heap bytes were held at once")]
    fn a_block_that_grows_beyond_the_bound_is_told() {
        hold(|| {
            let mut block = vec![0_u8; 1];
            block.reserve_exact(HEAP_BYTES_MAX);
            black_box(block);
        });
    }

    #[test]
    #[should_panic(expected = "of CPU time were taken")]
    fn a_decoder_that_takes_its_time_is_told() {
        hold(|| while cpu_time() < black_box(CPU_TIME_MAX * 4) {});
    }
}
