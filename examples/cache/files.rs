//! [`Files`], the files that the program serves.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs, io,
    path::{Path, PathBuf},
};

use crate::common::print_to_stderr;

/// The maximum total size of the files. Each of the three caches may contain nearly all files. So this limit also bounds the memory of the
/// program.
const MAX_MEBIBYTES: u64 = 256;

/// The paths and sizes of files.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) sizes: BTreeMap<PathBuf, u64>,
    total_size: u64,
    skipped: usize,
    pub(crate) unreadable: usize,
}

impl Files {
    /// Finds all files at and below these paths.
    pub(crate) fn find(paths: &[PathBuf]) -> Self {
        let mut files = Files::default();
        for path in paths {
            files.add(path, true);
        }
        if files.skipped > 0 {
            let count = files.skipped;
            print_to_stderr(&format!(
                "the program serves at most {MAX_MEBIBYTES} MiB, and skips {count} files\n"
            ));
        }
        files
    }

    /// Adds a path. `is_argument` is `false` if the path was found in a folder.
    fn add(&mut self, path: &Path, is_argument: bool) {
        if let Err(error) = self.try_add(path, is_argument) {
            print_unreadable(path, error);
            self.unreadable += 1;
        }
    }

    fn add_file(&mut self, path: &Path, size: u64) {
        if self.total_size + size > MAX_MEBIBYTES << 20 {
            self.skipped += 1;
        } else if self.sizes.insert(path.to_owned(), size).is_none() {
            self.total_size += size;
            if self.sizes.len() % 5_000 == 0 {
                print_to_stderr(&format!("{} files found\n", self.sizes.len()));
            }
        }
    }

    fn try_add(&mut self, path: &Path, is_argument: bool) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() {
            fs::File::open(path)?;
            self.add_file(path, metadata.len());
        } else if metadata.is_dir() {
            // A symbolic link to a folder is followed only if it is an argument. A link that was found in a folder may refer to a folder
            // that contains the link. Following such a link would never end.
            if is_argument || !path.is_symlink() {
                for entry in fs::read_dir(path)? {
                    self.add(&entry?.path(), false);
                }
            }
        } else if is_argument {
            // An argument that is neither a file nor a folder is refused. For example, a read of a pipe might never end. If such a path was
            // found in a folder, it is ignored.
            return Err(io::Error::other("neither a file nor a folder"));
        }
        Ok(())
    }
}

pub(crate) fn print_unreadable(path: &Path, reason: impl Display) {
    print_to_stderr(&format!("cannot read {}: {reason}\n", path.display()));
}
