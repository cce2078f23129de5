//! The files that are served, and what the program says of them.

use std::{
    collections::BTreeMap,
    env,
    fmt::Display,
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

const USAGE: &str = "\
usage: cache [PATH...]

Serves the files at and below each PATH from a cache, through three kinds of
methods, and prints what a lookup costs with each. Without a PATH it serves the
sources of this crate.
";
/// What is served at most; each of the three caches may hold nearly all of it.
const MOST_MEBIBYTES: u64 = 256;

/// The files to serve with their sizes, and how many paths are not served.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) sizes: BTreeMap<PathBuf, u64>,
    bytes: u64,
    left_out: usize,
    pub(crate) unreadable: usize,
}

impl Files {
    /// The files at and below these paths.
    pub(crate) fn find(paths: &[PathBuf]) -> Self {
        let mut files = Files::default();
        for path in paths {
            files.add(path, true);
        }
        end_progress();
        if files.left_out > 0 {
            let count = files.left_out;
            say(&format!(
                "no more than {MOST_MEBIBYTES} MiB are served; files left out: {count}\n"
            ));
        }
        files
    }

    fn add(&mut self, path: &Path, named: bool) {
        if let Err(error) = self.try_add(path, named) {
            complain(path, error);
            self.unreadable += 1;
        }
    }

    fn add_file(&mut self, path: &Path, size: u64) {
        if self.bytes + size > MOST_MEBIBYTES << 20 {
            self.left_out += 1;
        } else if self.sizes.insert(path.to_owned(), size).is_none() {
            self.bytes += size;
            if self.sizes.len() % 5_000 == 0 {
                progress(&format!("{} files found", self.sizes.len()));
            }
        }
    }

    fn try_add(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() {
            fs::File::open(path)?;
            self.add_file(path, metadata.len());
        } else if metadata.is_dir() {
            // A link that nobody named may lead back to where we come from.
            if named || !path.is_symlink() {
                for entry in fs::read_dir(path)? {
                    self.add(&entry?.path(), false);
                }
            }
        } else if named {
            // A pipe, say, which might never answer. Below a folder it is passed over.
            return Err(io::Error::other("neither a file nor a folder"));
        }
        Ok(())
    }
}

fn own_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches", "examples"].map(|folder| root.join(folder));
    folders.into_iter().filter(|path| path.exists()).collect()
}

/// Writes to stderr and ignores errors.
pub(crate) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Writes to stdout. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

pub(crate) fn complain(path: &Path, reason: impl Display) {
    end_progress();
    say(&format!("cannot read {}: {reason}\n", path.display()));
}

/// One line that changes on a terminal, a line of its own elsewhere.
pub(crate) fn progress(text: &str) {
    end_progress();
    say(text);
    if !io::stderr().is_terminal() {
        say("\n");
    }
}

pub(crate) fn end_progress() {
    if io::stderr().is_terminal() {
        say("\r\x1b[K");
    }
}

/// What the command line asks for.
pub(crate) enum Asked {
    Paths(Vec<PathBuf>),
    Help(&'static str),
    Unknown(String),
}

pub(crate) fn arguments() -> Asked {
    let mut paths = Vec::new();
    for argument in env::args_os().skip(1) {
        match argument.to_str() {
            Some("-h" | "--help") => return Asked::Help(USAGE),
            Some(option) if option.starts_with('-') => {
                return Asked::Unknown(format!("unknown option `{option}`\n\n{USAGE}"));
            }
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    Asked::Paths(if paths.is_empty() { own_sources() } else { paths })
}
