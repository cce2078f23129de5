//! [`Traffic`]: lookups by concurrent callers. Some of the lookups are cancelled.

use std::sync::atomic::Ordering::Relaxed;
use std::{io, path::PathBuf, pin::pin, task::Poll, time::Duration};

use futures::{future::join_all, poll};
use tokio::{runtime::Runtime, time::timeout};

use crate::{Options, common::chance, single_flight::Answer, store::Counts};

pub(crate) struct Traffic {
    pub(crate) options: Options,
    pub(crate) folder: PathBuf,
    pub(crate) runtime: Runtime,
    pub(crate) keys: Vec<usize>,
    /// If set, each round looks up new keys.
    pub(crate) new_keys: bool,
}

impl Traffic {
    /// Runs one round, with one lookup for each element of `keys`. Returns the number of lookups.
    pub(crate) fn run_round(&self, counts: &Counts, get: impl AsyncFn(usize) -> Answer) -> u64 {
        // A key is loaded from the file `key % 200`. `counts.lookups` is a multiple of 200, so `base + key` is loaded from the same file as
        // `key`.
        let base = usize::from(self.new_keys) * counts.lookups.fetch_add(self.keys.len(), Relaxed);
        let caller = async |keys: &[usize]| {
            for &key in keys {
                let mut lookup = pin!(get(base + key));
                let answer = match poll!(&mut lookup) {
                    Poll::Ready(answer) => Ok(answer),
                    Poll::Pending => {
                        counts.pending.fetch_add(1, Relaxed);
                        let limit = if chance(self.options.faults) { 1 } else { 10_000 };
                        timeout(Duration::from_millis(limit), lookup).await
                    }
                };
                let count = match answer {
                    Ok(Ok(value)) if value[..] == key.to_le_bytes() => continue,
                    Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => &counts.errors,
                    Ok(_) => &counts.wrong,
                    Err(_) => &counts.cancelled,
                };
                count.fetch_add(1, Relaxed);
            }
        };
        self.runtime.block_on(join_all(self.keys.chunks(self.keys.len() / 64).map(caller)));
        self.keys.len() as u64
    }
}
