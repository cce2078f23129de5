//! A file cache behind a `dyn` trait, three times: with `async-trait`; with our attribute, one changed line; with `#[ready]`, which
//! returns a hit before a future exists. A hit is answered from memory, a miss reads the file with `tokio::fs`.
//!
//! ```text
//! cargo run --release --example cache [PATH...]
//! ```
//!
//! A PATH is a file, or a folder with all that is below it; without one, the sources of this crate
//! are served. For twelve seconds the three caches answer the same lookups, round by round in
//! turn, so that a noisy machine is noisy for all of them. A few files are asked for often and
//! most of them rarely, and there is no room for all: now and then one is forgotten, and read
//! again when it is asked for.
//!
//! The table at the end has each figure twice: without the reads, which are far slower than a hit
//! and are reads of the same files for all three, and with them.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

#[path = "cache/cost.rs"]
mod cost;
#[path = "cache/files.rs"]
mod files;
#[path = "cache/memory.rs"]
mod memory;
#[path = "cache/replay.rs"]
mod replay;

use std::{io, path::PathBuf, process::ExitCode};

use files::{Asked, Files, arguments, complain, print, say};
use memory::{Bytes, FileCache};
use replay::{Failures, Replay, run};

/// The trait, as it is written with `async-trait`.
mod theirs {
    use super::{Bytes, FileCache, io};
    use async_trait::async_trait;

    #[async_trait]
    pub(crate) trait Cache: Send + Sync {
        async fn get(&self, key: usize) -> io::Result<Bytes>;
    }

    #[async_trait]
    impl Cache for FileCache {
        async fn get(&self, key: usize) -> io::Result<Bytes> {
            match self.hit(key) {
                Some(bytes) => Ok(bytes),
                // In a box of its own; otherwise each hit would allocate the state of a read.
                None => Box::pin(self.read(key)).await,
            }
        }
    }
}

/// The same, with one changed line.
mod ours {
    use super::{Bytes, FileCache, io};
    use value_future::async_trait;

    #[async_trait]
    pub(crate) trait Cache: Send + Sync {
        async fn get(&self, key: usize) -> io::Result<Bytes>;
    }

    #[async_trait]
    impl Cache for FileCache {
        async fn get(&self, key: usize) -> io::Result<Bytes> {
            match self.hit(key) {
                Some(bytes) => Ok(bytes),
                None => Box::pin(self.read(key)).await,
            }
        }
    }
}

/// The same, but a hit is returned before there is a future.
mod ready {
    use super::{Bytes, FileCache, io};
    use value_future::async_trait;

    #[async_trait]
    pub(crate) trait Cache: Send + Sync {
        async fn get(&self, key: usize) -> io::Result<Bytes>;
    }

    #[async_trait]
    impl Cache for FileCache {
        #[ready(self.hit(*key).map(Ok))]
        async fn get(&self, key: usize) -> io::Result<Bytes> {
            self.read(key).await
        }
    }
}

/// Looks all keys up, by the trait of a module.
macro_rules! replay {
    ($module:ident) => {
        |cache, keys, failures| {
            let cache: &dyn $module::Cache = cache;
            Box::pin(async move {
                for &key in keys {
                    if let Err(error) = cache.get(key).await {
                        failures.entry(key).or_insert((0, error)).0 += 1;
                    }
                }
            })
        }
    };
}

/// The three ways to look a file up; all else is the same.
const REPLAYS: [(&str, Replay); 3] =
    [("async-trait", replay!(theirs)), ("ours", replay!(ours)), ("ours, ready", replay!(ready))];

fn serve(paths: &[PathBuf]) -> io::Result<ExitCode> {
    let files = Files::find(paths);
    if files.sizes.is_empty() {
        say("there is no file to serve\n");
        return Ok(ExitCode::from(2));
    }
    let mut failures = Failures::new();
    let result = run(REPLAYS, &files.sizes, &mut failures)?;
    for (key, path) in files.sizes.keys().enumerate() {
        if let Some((count, error)) = failures.get(&key) {
            complain(path, format!("{error} ({count} lookups failed)"));
        }
    }
    print(&result)?;
    let complete = files.unreadable == 0 && failures.is_empty();
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn main() -> ExitCode {
    let answer = match arguments() {
        Asked::Paths(paths) => serve(&paths),
        Asked::Help(usage) => print(usage).map(|()| ExitCode::SUCCESS),
        Asked::Unknown(text) => {
            say(&text);
            Ok(ExitCode::from(2))
        }
    };
    answer.unwrap_or_else(|error| {
        say(&format!("cache: {error}\n"));
        ExitCode::FAILURE
    })
}
