//! A bounded pipe of bytes, whose writer and reader are used behind `dyn`. The reader prefetches words or lines.

use std::io::{ErrorKind::BrokenPipe, Result};
use std::mem;
use std::sync::{Arc, Mutex};

use value_future::{ReusableSource, ValueFuture};

use crate::common::find_ends;

/// A pipe with at least this number of bytes is full. A flush that fills the pipe waits.
pub(crate) const LIMIT: usize = 16 << 10;

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    is_closed: bool,
}

#[derive(Default)]
struct Pipe {
    state: Mutex<State>,
    /// The reader awaits the operation of this source if the pipe is empty.
    not_empty: ReusableSource<Result<()>>,
    /// The writer awaits the operation of this source if the pipe is full.
    not_full: ReusableSource<Result<()>>,
}

/// An end of a pipe: the writing end, or the reading end as a field of [`Reader`]. Dropping an end closes the pipe.
#[derive(Clone, Default)]
pub(crate) struct End(Arc<Pipe>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        // This blank ends the last word. If a blank already follows that word, the last read may return only this blank.
        state.bytes.push(b' ');
        state.is_closed = true;
        drop(state);
        complete(&self.0.not_empty, Ok(()));
        complete(&self.0.not_full, Err(BrokenPipe.into()));
    }
}

/// Completes the operation of a source, if the source has an operation.
fn complete(source: &ReusableSource<Result<()>>, result: Result<()>) {
    if let Some(key) = source.key() {
        // If the future was dropped in the meantime, the source refuses the key.
        let _ = source.complete_key(key, result);
    }
}

pub(crate) trait Write: Send {
    /// Sends the content of the buffer, and clears the buffer. If the pipe is full afterwards, the future waits for the reader.
    fn flush<'a>(&'a mut self, buffer: &'a mut Vec<u8>) -> ValueFuture<'a, Result<()>>;
}

impl Write for End {
    fn flush<'a>(&'a mut self, buffer: &'a mut Vec<u8>) -> ValueFuture<'a, Result<()>> {
        let mut state = self.0.state.lock().unwrap();
        state.bytes.append(buffer);
        let sent = match (state.is_closed, state.bytes.len() >= LIMIT) {
            (true, _) => ValueFuture::ready(Err(BrokenPipe.into())),
            (_, false) => ValueFuture::ready(Ok(())),
            // The operation begins under the lock, so the reader cannot miss it.
            _ => self.0.not_full.begin().unwrap_or_else(|e| ValueFuture::ready(Err(e.into()))),
        };
        drop(state);
        complete(&self.0.not_empty, Ok(()));
        sent
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stats {
    /// The number of prefetched words or lines.
    pub(crate) reads: u64,
    pub(crate) fetches: u64,
    /// The number of times that a fetch found the pipe full. One fetch may find the pipe full several times.
    pub(crate) times_full: u64,
}

/// The reading end of a pipe.
pub(crate) struct Reader {
    end: End,
    by_line: bool,
    bytes: Vec<u8>,
    /// The positions at which words or lines end. The next word or line starts at `start`, and ends at `ends[next]`.
    ends: Vec<usize>,
    next: usize,
    start: usize,
    pub(crate) stats: Stats,
}

/// Creates a pipe. Its reader reads lines if `by_line` is set, and words otherwise.
pub(crate) fn pipe(by_line: bool) -> (End, Reader) {
    let (end, bytes, ends) = (End::default(), Vec::new(), Vec::new());
    (end.clone(), Reader { end, by_line, bytes, ends, next: 0, start: 0, stats: Stats::default() })
}

pub(crate) trait Read: Send {
    /// Returns the next line, or the next word. A word includes the blanks before it and the blank that ends it. A line feed always ends a
    /// word, even if only blanks are before the line feed. The last word or line may consist of blanks only. Returns `None` at the end of
    /// the text.
    fn read(&mut self) -> ValueFuture<'_, Result<Option<&[u8]>>>;
}

impl Read for Reader {
    fn read(&mut self) -> ValueFuture<'_, Result<Option<&[u8]>>> {
        if self.has_next() { ValueFuture::ready(Ok(self.next())) } else { fetch_and_read(self) }
    }
}

#[cold]
fn fetch_and_read(reader: &mut Reader) -> ValueFuture<'_, Result<Option<&[u8]>>> {
    ValueFuture::pooled(async {
        reader.fetch().await?;
        Ok(reader.next())
    })
}

impl Reader {
    pub(crate) fn has_next(&self) -> bool {
        self.next < self.ends.len()
    }

    /// Returns the next prefetched word or line.
    pub(crate) fn next(&mut self) -> Option<&[u8]> {
        let end = *self.ends.get(self.next)?;
        self.next += 1;
        Some(&self.bytes[mem::replace(&mut self.start, end)..end])
    }

    /// Prefetches at least one word or line, except at the end of the text.
    pub(crate) async fn fetch(&mut self) -> Result<()> {
        self.bytes.drain(..self.start);
        self.ends.clear();
        (self.next, self.start) = (0, 0);
        self.stats.fetches += 1;
        while self.ends.is_empty() {
            let (old, Pipe { state, not_empty, not_full }) = (self.bytes.len(), &*self.end.0);
            let arrival = {
                let mut state = state.lock().unwrap();
                self.stats.times_full += u64::from(state.bytes.len() >= LIMIT);
                self.bytes.append(&mut state.bytes);
                if self.bytes.len() > old {
                    None
                } else if !state.is_closed {
                    Some(not_empty.begin()?)
                } else {
                    // The last line may have no line feed.
                    self.ends.extend((old > 0).then_some(old));
                    break;
                }
            };
            complete(not_full, Ok(()));
            match arrival {
                Some(arrival) => arrival.await?,
                None => find_ends(&self.bytes, old, self.by_line, &mut self.ends),
            }
        }
        self.stats.reads += self.ends.len() as u64;
        Ok(())
    }
}
