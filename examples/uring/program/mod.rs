//! The program on Linux. `kernel` reads a file by `io_uring`, or copies parts of the file to pipes and waits for the pipes by `epoll`.
//! `reader` has two readers, whose reads are futures. This file measures both readers.

#[path = "../../common/mod.rs"]
mod common;
mod kernel;
mod reader;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, fs, io, sync::Arc, task::Poll};

use clap::Parser;
use common::{Contender, chance, measure, or_exit, percent_of_repeats, print_costs};
use futures::{future::try_join_all, poll};
use kernel::{Kernel, Outcome};
use reader::{ChannelReader, KeyReader, Reader};
use smol::{LocalExecutor, block_on};
use value_future::LocalPool;

/// Measures reads of a file over `io_uring`: keys of a pool against a slab of channels.
#[derive(Parser)]
struct Options {
    /// File to read. The default is the executable of this program.
    #[arg(default_value = "/proc/self/exe", value_parser = open)]
    path: Arc<(fs::File, Vec<u8>)>,
    /// Percentage of reads that are cancelled in flight, and repeated. At most 90, so that the program ends.
    #[arg(long, default_value_t = 1.0, value_name = "PERCENT", value_parser = percent_of_repeats)]
    cancel: f64,
    /// Number of rounds. In each round, each reader reads the whole file several times.
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Use `epoll`, even if `io_uring` is permitted.
    #[arg(long)]
    epoll: bool,
}

fn open(path: &str) -> io::Result<Arc<(fs::File, Vec<u8>)>> {
    let file = Arc::new((fs::File::open(path)?, fs::read(path)?));
    if file.1.is_empty() { Err(io::Error::other("the file is empty")) } else { Ok(file) }
}

/// Reads a file by several tasks, and compares its bytes with `content`. Returns the number of reads that were not cancelled.
fn read_file<'r, F: Future<Output = Outcome> + Unpin>(
    reader: &'r dyn Reader<'r, F>,
    content: &[u8],
    cancel: f64,
    passes: usize,
) -> io::Result<u64> {
    const BLOCK: usize = 4096;
    let blocks = RefCell::new((0..passes).flat_map(|_| content.chunks(BLOCK).enumerate()));
    let next = || blocks.borrow_mut().next();
    let task = async || {
        let mut buffer = Vec::new();
        while let Some((index, expected)) = next() {
            buffer = loop {
                buffer.resize(expected.len(), 0);
                let mut reading = reader.read((index * BLOCK) as u64, buffer);
                match poll!(&mut reading) {
                    Poll::Ready(outcome) => break outcome?,
                    Poll::Pending if chance(cancel) => buffer = Vec::new(),
                    Poll::Pending => break reading.await?,
                }
            };
            (buffer == expected).then_some(()).ok_or_else(|| io::Error::other("wrong bytes"))?;
        }
        Ok(())
    };
    let executor = LocalExecutor::new(); // The queue of this executor allocates once per 31 wake-ups.
    let tasks: Vec<_> = (0..32).map(|_| executor.spawn(task())).collect();
    while !executor.is_empty() {
        if !executor.try_tick() {
            reader.wait()?;
        }
    }
    block_on(try_join_all(tasks)).map(|_| (passes * content.chunks(BLOCK).len()) as u64)
}

pub(crate) fn main() {
    let Options { path, cancel, rounds, epoll } = Options::parse();
    let report = |e: &_| eprintln!("uring: io_uring is not permitted ({e}), so epoll is used");
    let is_epoll = epoll || io_uring::IoUring::new(2).inspect_err(report).is_err();
    let kernel = || or_exit("uring", Kernel::new(&path.0, is_epoll));
    let keys = KeyReader(kernel(), LocalPool::new());
    let channels = ChannelReader(kernel(), RefCell::default());
    let (title, passes) = if is_epoll { ("epoll", 8) } else { ("io_uring", 64) };
    let pool = || or_exit("uring", read_file(&keys, &path.1, cancel, passes));
    let slab = || or_exit("uring", read_file(&channels, &path.1, cancel, passes));
    let contenders = vec![Contender::new("keys of a pool", pool), Contender::new("channels", slab)];
    let costs = measure(title, rounds, contenders);
    let rows = costs.iter().zip([&keys.0, &channels.0]).map(|(cost, kernel)| {
        let counts = [kernel.borrow().cancelled, kernel.borrow().refused];
        cost.row(&costs[0], counts.map(|count| count.to_string()))
    });
    print_costs(&["cancelled", "refused"], rows);
}
