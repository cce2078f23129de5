//! A file cache behind a `dyn` trait. The program measures three versions of the trait, which differ in a few lines:
//!
//! * `async-trait`: with the attribute of the crate `async-trait`,
//! * `value-future`: with the attribute of this crate,
//! * `#[ready]`: with the attribute of this crate, and `#[ready]` on the method. A hit is then returned before the future of the method
//!   body is created.
//!
//! ```text
//! cargo run --release --example cache [PATH...]
//! ```
//!
//! Each PATH is a file, or a folder with files. The default is the source code of this crate. For twelve seconds, the three caches take
//! turns: in each round, each cache answers the same lookups. So noise of the machine affects all three caches. A hit returns a file from
//! memory, and a miss reads the file with `tokio::fs`. A few files are looked up often. The other files are evicted, and read again later.
//!
//! The table has each cost twice: without and with the reads of files. The read of a file is much slower than a hit, and takes the same
//! time in all versions.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

#[path = "common/mod.rs"]
mod common;
#[path = "cache/cost.rs"]
mod cost;
#[path = "cache/file_cache.rs"]
mod file_cache;
#[path = "cache/files.rs"]
mod files;
#[path = "cache/popularity.rs"]
mod popularity;
#[path = "cache/replay.rs"]
mod replay;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use common::print_to_stderr;
use file_cache::{Bytes, FileCache};
use files::{Files, print_unreadable};
use replay::{Failures, Replay, run};

#[derive(Parser)]
#[command(about = "Measures lookups in a file cache: async-trait against value-future")]
struct Options {
    /// Files, and folders with files. The default is the source code of this crate.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

mod with_async_trait {
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
                // The read is boxed separately. Otherwise the box of each hit would include the state of a read.
                None => Box::pin(self.read(key)).await,
            }
        }
    }
}

/// The version with the attribute of this crate. Only one line differs from `with_async_trait`: the `use` of the attribute.
mod with_value_future {
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

/// The version with `#[ready]`, which returns a hit before the future of the method body is created.
mod with_ready {
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

/// Expands to a [`Replay`] that looks up all keys through the trait `Cache` of a module.
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

const REPLAYS: [(&str, Replay); 3] = [
    ("async-trait", replay!(with_async_trait)),
    ("value-future", replay!(with_value_future)),
    ("#[ready]", replay!(with_ready)),
];

fn source_code() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches", "examples"].map(|folder| root.join(folder));
    folders.into_iter().filter(|path| path.exists()).collect()
}

/// Measures all versions with these files. Returns `true` if all files were readable.
fn serve(files: &Files) -> io::Result<bool> {
    let mut failures = Failures::new();
    run(REPLAYS, &files.sizes, &mut failures)?;
    for (key, path) in files.sizes.keys().enumerate() {
        if let Some((count, error)) = failures.get(&key) {
            print_unreadable(path, format!("{error} ({count} lookups failed)"));
        }
    }
    let is_complete = files.unreadable == 0 && failures.is_empty();
    Ok(is_complete)
}

fn main() -> ExitCode {
    let Options { mut paths } = Options::parse();
    if paths.is_empty() {
        paths = source_code();
    }
    let files = Files::find(&paths);
    if files.sizes.is_empty() {
        print_to_stderr("cache: no files found\n");
        return ExitCode::from(2);
    }
    common::exit_code("cache", || serve(&files))
}
