//! A bounded pipe of bytes, with a writer and a reader for use behind `dyn`. The reader prefetches words or lines.

use std::io::{ErrorKind::BrokenPipe, Result};
use std::sync::{Arc, Mutex};
use std::{array::from_fn, mem};

use value_future::{ReusableSource, ValueFuture};

/// If the pipe has at least this number of bytes, it is full, and a flush waits.
pub(crate) const LIMIT: usize = 16 << 10;

#[derive(Default)]
struct Pipe {
    /// The bytes that were sent, and whether the pipe is closed.
    state: Mutex<(Vec<u8>, bool)>,
    /// The reader awaits `arrival`, and the writer awaits `room`.
    arrival: ReusableSource<Result<()>>,
    room: ReusableSource<Result<()>>,
}

/// One end of a pipe. Dropping it closes the pipe.
#[derive(Clone, Default)]
pub(crate) struct End(Arc<Pipe>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().0.push(b' '); // This blank ends the last word.
        self.0.state.lock().unwrap().1 = true;
        wake(&self.0.arrival, Ok(()));
        wake(&self.0.room, Err(BrokenPipe.into()));
    }
}

fn wake(source: &ReusableSource<Result<()>>, result: Result<()>) {
    if let Some(key) = source.key() {
        let _ = source.complete_key(key, result); // The key is refused if the future was just dropped.
    }
}

pub(crate) trait Write: Send {
    /// Sends the buffer, and empties it. If the pipe is full then, the future waits for the reader.
    fn flush<'a>(&'a mut self, buffer: &'a mut Vec<u8>) -> ValueFuture<'a, Result<()>>;
}

impl Write for End {
    fn flush<'a>(&'a mut self, buffer: &'a mut Vec<u8>) -> ValueFuture<'a, Result<()>> {
        let mut state = self.0.state.lock().unwrap();
        state.0.append(buffer);
        let sent = match (state.1, state.0.len() >= LIMIT) {
            (true, _) => ValueFuture::ready(Err(BrokenPipe.into())),
            (_, false) => ValueFuture::ready(Ok(())),
            // The operation begins under the lock, so the reader finds it.
            _ => self.0.room.begin().unwrap_or_else(|busy| ValueFuture::ready(Err(busy.into()))),
        };
        drop(state);
        wake(&self.0.arrival, Ok(()));
        sent
    }
}

pub(crate) struct Reader {
    end: End,
    by_line: bool,
    bytes: Vec<u8>,
    /// Where words or lines end. The next one starts at `start`, and ends at `ends[next]`.
    ends: Vec<usize>,
    next: usize,
    start: usize,
    /// The number of prefetched words or lines, of fetches, and of times when a fetch found the pipe full.
    pub(crate) stats: [u64; 3],
}

/// Creates a pipe. Its reader reads words, or lines.
pub(crate) fn pipe(by_line: bool) -> (End, Reader) {
    let (end, bytes, ends) = (End::default(), Vec::new(), Vec::new());
    (end.clone(), Reader { end, by_line, bytes, ends, next: 0, start: 0, stats: [0; 3] })
}

pub(crate) trait Read: Send {
    /// Returns a line, or a word with the blanks before it and the blank that ends it. An empty line counts as a word.
    fn read(&mut self) -> ValueFuture<'_, Result<Option<&[u8]>>>;
}

impl Read for Reader {
    fn read(&mut self) -> ValueFuture<'_, Result<Option<&[u8]>>> {
        if self.has_word() { ValueFuture::ready(Ok(self.next_word())) } else { read_slowly(self) }
    }
}

#[cold]
fn read_slowly(reader: &mut Reader) -> ValueFuture<'_, Result<Option<&[u8]>>> {
    ValueFuture::pooled(async {
        reader.fetch().await?;
        Ok(reader.next_word())
    })
}

impl Reader {
    pub(crate) fn has_word(&self) -> bool {
        self.next < self.ends.len()
    }

    pub(crate) fn next_word(&mut self) -> Option<&[u8]> {
        let end = *self.ends.get(self.next)?;
        self.next += 1;
        Some(&self.bytes[mem::replace(&mut self.start, end)..end])
    }

    /// Prefetches words or lines: at least one, except at the end.
    pub(crate) async fn fetch(&mut self) -> Result<()> {
        self.bytes.drain(..self.start);
        self.ends.clear();
        (self.next, self.start, self.stats[1]) = (0, 0, self.stats[1] + 1);
        while self.ends.is_empty() {
            let (old, Pipe { state, arrival, room }) = (self.bytes.len(), &*self.end.0);
            let arrival = {
                let mut state = state.lock().unwrap();
                self.stats[2] += u64::from(state.0.len() >= LIMIT);
                self.bytes.append(&mut state.0);
                if self.bytes.len() > old {
                    None
                } else if !state.1 {
                    Some(arrival.begin()?)
                } else {
                    // The last line may have no line feed.
                    self.ends.extend((old > 0).then_some(old));
                    break;
                }
            };
            wake(room, Ok(()));
            match arrival {
                Some(arrival) => arrival.await?,
                None => find_ends(&self.bytes, old, self.by_line, &mut self.ends),
            }
        }
        self.stats[0] += self.ends.len() as u64;
        Ok(())
    }
}

/// Appends the ends of words or lines after `start`. It has no branch for each byte, which most words would mispredict.
fn find_ends(text: &[u8], start: usize, by_line: bool, ends: &mut Vec<usize>) {
    let mut was_word = u64::from(text[..start].last() > Some(&b' '));
    let blocks = text[start..].chunks_exact(64);
    let mut last = [b'.'; 64];
    last[..blocks.remainder().len()].copy_from_slice(blocks.remainder());
    for (number, block) in blocks.chain([&last[..]]).enumerate() {
        let is_word = bits(block, |byte| byte > b' ');
        let after_word = if by_line { 0 } else { !is_word & (is_word << 1 | was_word) };
        let mut found = after_word | bits(block, |byte| byte == b'\n');
        was_word = is_word >> 63;
        while found != 0 {
            ends.push(start + 64 * number + found.trailing_zeros() as usize + 1);
            found &= found - 1;
        }
    }
}

/// Returns a mask with a bit for each byte. The multiplication collects the bits of eight bytes.
fn bits(block: &[u8], is_set: impl Fn(u8) -> bool) -> u64 {
    let block: &[u8; 64] = block.try_into().expect("64 bytes");
    let set: [u8; 64] = from_fn(|at| u8::from(is_set(block[at])));
    set.chunks(8).rev().fold(0, |bits, eight| {
        let eight = u64::from_le_bytes(eight.try_into().expect("8 bytes"));
        bits << 8 | eight.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}
