//! Generates the source files of the types for one thread from the files of the types for any thread, and checks that they are up to date.
//! So the two types cannot differ by accident. A macro would have the same effect, but compiler errors would then name the macro, and not
//! the file of the type.
//!
//! `UPDATE_GENERATED=1 cargo test --test codegen` writes the files.
//!
//! In the generated file, the types have other names, and no bound contains `Send`. The original file marks all other differences:
//!
//! ```text
//! //~ any thread
//! code of the original
//! //~ one thread
//! //~ code of the generated file
//! //~ end
//! ```

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Names that get the prefix `Local` in all files.
const NAMES: &[&str] = &[
    "Arm",
    "Checked",
    "Completer",
    "Completion",
    "Pool",
    "PoolBuilder",
    "RentWhenVacant",
    "ReaderStream",
    "ReusableCompleter",
    "ReusableSource",
    "Shared",
    "ValueFuture",
    "WeakShared",
];

/// A name in the original and the name in the generated file.
type Renamed = (&'static str, &'static str);

/// For each generated file: the path of the original, the path of the generated file, and the names that change only in this file.
const GENERATED: &[(&str, &str, &[Renamed])] = &[
    ("built_in/value_future.rs", "built_in/local_value_future.rs", &[]),
    ("future/value_future.rs", "future/local_value_future.rs", &[]),
    ("pool/pool.rs", "pool/local_pool.rs", &[]),
    ("pool/completer.rs", "pool/local_completer.rs", &[]),
    ("pool/completion.rs", "pool/local_completion.rs", &[]),
    ("pool/rent_when_vacant.rs", "pool/local_rent_when_vacant.rs", &[]),
    (
        "future_pool/future_pool.rs",
        "future_pool/local_future_pool.rs",
        &[
            ("FuturePool", "LocalFuturePool"),
            ("FuturePoolBuilder", "LocalFuturePoolBuilder"),
            ("SharedCounters", "LocalCounters"),
            ("SharedBudget", "LocalBudget"),
        ],
    ),
    ("reusable/reusable_source.rs", "reusable/local_reusable_source.rs", &[("Arc", "Rc")]),
    ("shared/shared.rs", "shared/local_shared.rs", &[]),
    ("stream/reader_stream.rs", "stream/local_reader_stream.rs", &[]),
];

#[test]
#[cfg_attr(miri, ignore = "runs rustfmt")]
fn the_files_of_the_local_types_are_up_to_date() {
    let update = env::var_os("UPDATE_GENERATED").is_some();
    for &(original, local, names) in GENERATED {
        let text = fs::read_to_string(path(original)).expect("the original can be read");
        let Some(generated) = formatted(&generate(original, &text, names)) else {
            println!("not compared: rustfmt is not installed");
            return;
        };
        if update {
            fs::write(path(local), generated).expect("the generated file can be written");
        } else {
            let stored = fs::read_to_string(path(local)).expect("the generated file can be read");
            assert!(
                stored == generated,
                "src/{local} is not up to date with src/{original}: run `UPDATE_GENERATED=1 cargo test --test codegen`",
            );
        }
    }
}

#[test]
fn generate_replaces_names_and_marked_parts() {
    let original = "\
//! `ValueFuture`.

//~ any thread
/// For any thread.
//~ one thread
//~ /// For one thread.
//~ end
fn value<F: Future + Send>(f: F) -> LocalValueFuture<ValueFuture> {}
";
    let expected = "\
// Generated from `a.rs` by `tests/codegen.rs`.
//! `LocalValueFuture`.

/// For one thread.
fn value<F: Future>(f: F) -> LocalValueFuture<LocalValueFuture> {}
";
    assert_eq!(generate("src/a.rs", original, &[]), expected);
}

#[test]
#[should_panic(expected = "`//~ any thread` without `//~ end`")]
fn a_marked_part_without_an_end_panics() {
    generate("a.rs", "//~ any thread\ncode\n", &[]);
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)
}

fn generate(original: &str, text: &str, names: &[Renamed]) -> String {
    let file = original.rsplit('/').next().expect("a path ends with a name");
    let mut generated = format!("// Generated from `{file}` by `tests/codegen.rs`.\n");
    let mut part = Part::Both;
    for line in text.lines() {
        part = match (line.trim(), part) {
            ("//~ any thread", Part::Both) => Part::Original,
            ("//~ one thread", Part::Original) => Part::Local,
            ("//~ end", Part::Original | Part::Local) => Part::Both,
            ("T: Send,", Part::Both) => {
                // `Send` is the only bound of this `where` clause, so `where` is removed too.
                generated
                    .truncate(generated.strip_suffix("    where\n").unwrap_or(&generated).len());
                Part::Both
            }
            (_, Part::Both) => {
                let line = renamed(line, names)
                    .replace(" + Send", "")
                    .replace(": Send + ", ": ")
                    .replace("<T: Send>", "<T>");
                generated.push_str(&line);
                generated.push('\n');
                Part::Both
            }
            (line, Part::Local) => {
                let line =
                    line.strip_prefix("//~").expect("a line for one thread begins with `//~`");
                generated.push_str(line.strip_prefix(' ').unwrap_or(line));
                generated.push('\n');
                Part::Local
            }
            (_, Part::Original) => Part::Original,
        };
    }
    assert!(matches!(part, Part::Both), "{original}: `//~ any thread` without `//~ end`");
    generated
}

/// The files to which the following lines belong.
#[derive(Clone, Copy)]
enum Part {
    Both,
    Original,
    Local,
}

/// Replaces `AnyThread`, and the identifiers that are in `names` or `NAMES`, with the names for one thread.
fn renamed(line: &str, names: &[Renamed]) -> String {
    let mut renamed = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len()).max(1);
        let end = (end..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail;
        match names.iter().find(|(name, _)| *name == word) {
            Some((_, local)) => renamed.push_str(local),
            None if word == "AnyThread" => renamed.push_str("OneThread"),
            None if NAMES.contains(&word) => renamed.extend(["Local", word]),
            None => renamed.push_str(word),
        }
    }
    renamed
}

/// Formats a text with rustfmt. Returns `None` if rustfmt is not installed.
fn formatted(text: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", env!("CARGO_MANIFEST_DIR")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = rustfmt.stdin.take().expect("stdin is piped");
    stdin.write_all(text.as_bytes()).expect("rustfmt reads its input");
    drop(stdin);
    let output = rustfmt.wait_with_output().expect("rustfmt ends");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("rustfmt writes UTF-8"))
}
