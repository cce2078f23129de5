//! Counts the lines and words of a text that passes through a pipe, whose reader is behind `dyn`. The program measures a trait
//! of value futures against `async-trait`, and against the `AsyncBufRead` of tokio.
//!
//! Run it with `cargo run --release --example pipe [-- PATH --rounds N]`.
//!
//! Most reads return a prefetched word or line, and a flush waits only if the pipe is full. A line takes about five reads of
//! words, or one read of a line. After a read of a line, the program counts the words of the line. In the rows with `lines`, copying the
//! text, finding the ends of lines and counting words take most of the time. All contenders except `tokio` use the same writer, which sends
//! 4 KiB per call. The table has nanoseconds per line. The text is read from the disk before the measurement. Each contender must count the
//! same lines and words as a loop over the text without a pipe.

#[path = "../common/mod.rs"]
mod common;
mod pipe;
#[cfg(test)]
mod tests;

use std::{cell::Cell, hint::black_box, io::Result, path::PathBuf, process::ExitCode};

use clap::Parser;
use common::{Contender, count_words, measure, print_costs};
use pipe::{LIMIT, Read, Reader, Stats, Write, pipe};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};

#[derive(Parser)]
#[command(about = "Measures reads of a pipe behind `dyn`, by counting lines and words")]
struct Options {
    /// A file, or a folder with files.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/src"))]
    path: PathBuf,
    /// Number of rounds. In each round, each contender runs once.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Sends a text through a pipe, and counts the received lines and words.
macro_rules! count {
    ($runtime:expr, $text:expr, $read:ident, $by_line:literal) => {
        $runtime.block_on(async {
            let (writer, mut reader) = pipe($by_line);
            let count = async {
                let [mut lines, mut words] = [0; 2];
                // `black_box` hides the type behind `dyn` from the optimizer.
                let dyn_reader = black_box(&mut reader as &mut dyn $read);
                while let Some(read) = dyn_reader.read().await? {
                    lines += u64::from(read.last() == Some(&b'\n'));
                    let ends_word = read.len() > 1 && read[read.len() - 2] > b' ';
                    words += if $by_line { count_words(read) } else { u64::from(ends_word) };
                }
                Ok(([lines, words], reader.stats))
            };
            Result::Ok(tokio::try_join!(count, send($text, writer))?.0)
        })
    };
}

/// Sends a text in chunks of 4 KiB.
async fn send(text: &[u8], mut writer: impl Write) -> Result<()> {
    let (dyn_writer, mut buffer) = (black_box(&mut writer as &mut dyn Write), Vec::new());
    for chunk in text.chunks(4 << 10) {
        buffer.extend_from_slice(chunk);
        dyn_writer.flush(&mut buffer).await?;
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
        if !self.has_next() {
            // The fetch is boxed separately. Otherwise the box of each read would include the state of a fetch.
            Box::pin(self.fetch()).await?;
        }
        Ok(self.next())
    }
}

async fn count_by_tokio(text: &[u8]) -> Result<([u64; 2], Stats)> {
    let (mut writer, reader) = duplex(LIMIT);
    let count = async {
        let mut reader = BufReader::with_capacity(LIMIT, reader);
        let dyn_reader = black_box(&mut reader as &mut (dyn AsyncBufRead + Unpin));
        let (mut counts, mut line) = ([0; 2], Vec::new());
        while dyn_reader.read_until(b'\n', &mut line).await? > 0 {
            counts[0] += u64::from(line.ends_with(b"\n"));
            counts[1] += count_words(&line);
            line.clear();
        }
        Ok((counts, Stats::default()))
    };
    Ok(tokio::try_join!(count, async move { writer.write_all(text).await })?.0)
}

/// Measures all contenders, and prints the table. Returns `true` if all of them counted correctly.
fn run(Options { path, rounds }: Options) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let text = common::read_all(path)?;
    let results = [(); 5].map(|()| Cell::new(([0; 2], Stats::default())));
    // Stores the result of a contender. Returns the number of lines, but at least 1, because `measure` divides by this number.
    let record = |index: usize, result: Result<_>| {
        results[index].set(result.expect("both ends exist until the end of the text"));
        results[index].get().0[0].max(1)
    };
    let contenders = vec![
        Contender::new("async-trait", || record(0, count!(runtime, &text, BoxedRead, false))),
        Contender::new("value-future", || record(1, count!(runtime, &text, Read, false))),
        Contender::new("async-trait, lines", || record(2, count!(runtime, &text, BoxedRead, true))),
        Contender::new("value-future, lines", || record(3, count!(runtime, &text, Read, true))),
        Contender::new("tokio, lines", || record(4, runtime.block_on(count_by_tokio(&text)))),
    ];
    let costs = measure("pipe", rounds, contenders);
    let rows = costs.iter().zip(&results).map(|(cost, result)| {
        let (_, Stats { reads, fetches, times_full }) = result.get();
        // The contender `tokio` has no counters.
        let share = (10_000 * reads.saturating_sub(fetches)).checked_div(reads);
        let share = share.map_or("-".into(), |share| format!("{}.{:02}", share / 100, share % 100));
        cost.row(&costs[0], [share, times_full.to_string()])
    });
    print_costs(&["reads ready, %", "times full"], rows);
    let lines = text.split(|byte| *byte == b'\n').count() as u64 - 1;
    Ok(results.iter().all(|result| result.get().0 == [lines, count_words(&text)]))
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(is_correct) => ExitCode::from(u8::from(!is_correct)),
        Err(error) => {
            eprintln!("pipe: {error}");
            ExitCode::from(2)
        }
    }
}
