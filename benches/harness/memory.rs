//! Measures the resident memory of the process, and of a pool with a bound in bytes.

use std::{
    future::{Future, pending},
    hint::black_box,
    pin::Pin,
    task::{Context, Waker},
};

use value_future::{FuturePool, ValueFuture};

/// Returns the resident memory of the process in bytes, or `None` if the system does not report it.
pub(crate) fn resident() -> Option<usize> {
    use std::io::Read;

    // The text is on the stack, because an allocation here could prevent the allocator from returning the measured memory to the system.
    let mut text = [0; 128];
    let len = std::fs::File::open("/proc/self/statm").ok()?.read(&mut text).ok()?;
    let pages = std::str::from_utf8(&text[..len]).ok()?.split(' ').nth(1)?;
    Some(pages.parse::<usize>().ok()? * 4096)
}

/// Prints the resident memory of a pool with a bound of 16 MiB, for several sizes of futures. Returns an empty list, because
/// the bench `flat` expects a list of rows that grow.
pub(crate) fn print() -> Vec<String> {
    const BOUND: usize = 16 << 20;
    fn fill<const N: usize>() {
        let pool = FuturePool::builder().max_bytes_per_size(BOUND).build();
        let mut futures: Vec<ValueFuture<'static, u8>> = Vec::with_capacity(BOUND / 64);
        // The vector is written once before the measurement, so that its memory is already resident.
        futures.resize_with(BOUND / 64, || ValueFuture::ready(0));
        futures.clear();
        let Some(before) = resident() else { return };
        let make = || {
            let bytes = [1_u8; N];
            pool.try_pooled(async move {
                pending::<()>().await;
                black_box(bytes)[0]
            })
        };
        while let Ok(mut future) = make() {
            let _ = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
            futures.push(future);
        }
        let full = resident().unwrap_or(0).saturating_sub(before);
        futures.clear();
        pool.trim();
        // Some allocators return memory to the system only after some time, and only when they are called. So wait, and call the allocator.
        std::thread::sleep(std::time::Duration::from_millis(50));
        (0..100).for_each(|_| drop(black_box(Box::new([0_u8; 5000]))));
        let trimmed = resident().unwrap_or(0).saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "the number is far below 2^52")]
        let percent = |bytes: usize| bytes as f64 * 100.0 / BOUND as f64;
        println!("| {N} | {:.0} % | {:.0} % |", percent(full), percent(trimmed));
    }
    println!(
        "\n| bytes of a future, bound of 16 MiB | resident when full | after `trim` |\n|---:|---:|---:|"
    );
    fill::<16>();
    fill::<100>();
    fill::<500>();
    fill::<4000>();
    vec![]
}
