//! Counts lines and words of a text that goes through a pipe behind `dyn`: `cargo run --release --example pipe [PATH]`.
//!
//! Most reads return a prefetched word or line. A flush waits only if the pipe is full. The trait of the reader is
//! written with `async-trait` and by hand. Both use the same trait of the writer, which is called once for 4 KiB. A line
//! takes about five calls of a reader of words. With a reader of lines, like tokio's `AsyncBufRead`, the program counts
//! the words, which takes most of the time. The table has the nanoseconds for each line, without the disk. All contenders
//! must count as many lines and words as a plain loop.

#[path = "../common/mod.rs"]
mod common;
mod pipe;
#[cfg(test)]
mod tests;

use std::{cell::Cell, hint::black_box, io::Result, path::PathBuf, process::ExitCode};

use clap::Parser;
use common::{Contender, Cost, contest, print_table};
use pipe::{LIMIT, Read, Reader, Write, pipe};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};

#[derive(Parser)]
#[command(about = "Counts lines and words through a pipe behind `dyn`")]
struct Options {
    /// A file, or a folder with files.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/src"))]
    path: PathBuf,
    /// Rounds, in which the contenders take turns.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Sends a text, and counts what arrives.
macro_rules! pass {
    ($runtime:expr, $text:expr, $read:ident, $by_line:literal) => {
        $runtime.block_on(async {
            let (writer, mut reader) = pipe($by_line);
            let count = async {
                let [mut lines, mut words] = [0; 2];
                // The compiler must not see the type behind `dyn`.
                let from = black_box(&mut reader as &mut dyn $read);
                while let Some(read) = from.read().await? {
                    lines += u64::from(read.last() == Some(&b'\n'));
                    let is_word = read.len() > 1 && read[read.len() - 2] > b' ';
                    words += if $by_line { count_words(read) } else { u64::from(is_word) };
                }
                Ok(([lines, words], reader.stats))
            };
            Result::Ok(tokio::try_join!(count, send($text, writer))?.0)
        })
    };
}

async fn send(text: &[u8], mut writer: impl Write) -> Result<()> {
    let (to, mut buffer) = (black_box(&mut writer as &mut dyn Write), Vec::new());
    for chunk in text.chunks(4 << 10) {
        buffer.extend_from_slice(chunk);
        to.flush(&mut buffer).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
trait BoxedRead: Send {
    async fn read(&mut self) -> Result<Option<&[u8]>>;
}

#[async_trait::async_trait]
impl BoxedRead for Reader {
    async fn read(&mut self) -> Result<Option<&[u8]>> {
        if !self.has_word() {
            // Boxed, so that the box of each read does not include the state of a fetch.
            Box::pin(self.fetch()).await?;
        }
        Ok(self.next_word())
    }
}

async fn by_tokio(text: &[u8]) -> Result<([u64; 2], [u64; 3])> {
    let (mut writer, reader) = duplex(LIMIT);
    let count = async {
        let mut reader = BufReader::with_capacity(LIMIT, reader);
        let from = black_box(&mut reader as &mut (dyn AsyncBufRead + Unpin));
        let (mut counts, mut line) = ([0; 2], Vec::new());
        while from.read_until(b'\n', &mut line).await? > 0 {
            counts[0] += u64::from(line.ends_with(b"\n"));
            counts[1] += count_words(&line);
            line.clear();
        }
        Ok((counts, [0; 3]))
    };
    Ok(tokio::try_join!(count, async move { writer.write_all(text).await })?.0)
}

fn count_words(text: &[u8]) -> u64 {
    let begins = |pair: &[u8]| u64::from(pair[0] <= b' ') & u64::from(pair[1] > b' '); // no branch
    u64::from(text.first() > Some(&b' ')) + text.windows(2).map(begins).sum::<u64>()
}

fn run(Options { path, rounds }: Options) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let text = common::read_all(path)?;
    let counts = [(); 5].map(|()| Cell::new(([0; 2], [0; 3])));
    let keep = |at: usize, counted: Result<_>| {
        counts[at].set(counted.expect("no end is dropped early"));
        counts[at].get().0[0].max(1)
    };
    let contenders = vec![
        Contender::new("async-trait", || keep(0, pass!(runtime, &text, BoxedRead, false))),
        Contender::new("value-future", || keep(1, pass!(runtime, &text, Read, false))),
        Contender::new("async-trait, lines", || keep(2, pass!(runtime, &text, BoxedRead, true))),
        Contender::new("value-future, lines", || keep(3, pass!(runtime, &text, Read, true))),
        Contender::new("tokio, lines", || keep(4, runtime.block_on(by_tokio(&text)))),
    ];
    let costs = contest("pipe", rounds, contenders);
    let rows = costs.iter().zip(&counts).map(|(cost, counts)| {
        let (_, [reads, fetches, full]) = counts.get();
        // The contender `tokio` has no counts.
        let share = (10_000 * reads.saturating_sub(fetches)).checked_div(reads);
        let share = share.map_or("-".into(), |share| format!("{}.{:02}", share / 100, share % 100));
        [cost.cells(&costs[0]), vec![share, full.to_string()]].concat()
    });
    let header = [&Cost::HEADER[..], &["reads ready, %", "times full"]].concat();
    print_table(&header, rows);
    let lines = text.split(|byte| *byte == b'\n').count() as u64 - 1;
    Ok(counts.iter().all(|counts| counts.get().0 == [lines, count_words(&text)]))
}

fn main() -> ExitCode {
    common::exit("pipe", run(Options::parse()))
}
