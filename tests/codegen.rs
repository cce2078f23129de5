//! Each type for one thread is the twin of a type for any thread, and its file is generated from the file of that
//! type. So the two cannot differ by accident, each has its own source text, and errors name it.
//!
//! `UPDATE_GENERATED=1 cargo test --test codegen` writes the files.
//!
//! A twin has other names, and no `Send` in bounds. What else differs stands in the file of the original:
//!
//! ```text
//! //~ any thread
//! what the original has
//! //~ one thread
//! //~ what the twin has
//! //~ end
//! ```

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Names that change in all files.
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

/// A name, and what it is in the twin.
type Renamed = (&'static str, &'static str);

/// The original, the twin, and the names that change in this file only.
const TWINS: &[(&str, &str, &[Renamed])] = &[
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
            ("AtomicPtr", "Cell"),
            ("SharedTally", "LocalTally"),
            ("SharedBudget", "LocalBudget"),
        ],
    ),
    ("reusable/reusable_source.rs", "reusable/local_reusable_source.rs", &[("Arc", "Rc")]),
    ("shared/shared.rs", "shared/local_shared.rs", &[]),
    ("stream/reader_stream.rs", "stream/local_reader_stream.rs", &[]),
];

#[test]
#[cfg_attr(miri, ignore = "runs rustfmt")]
fn twins_are_as_generated() {
    let update = env::var_os("UPDATE_GENERATED").is_some();
    for &(original, twin, names) in TWINS {
        let text = fs::read_to_string(path(original)).expect("the original can be read");
        let Some(generated) = formatted(&generate(original, &text, names)) else {
            println!("not compared: there is no rustfmt");
            return;
        };
        if update {
            fs::write(path(twin), generated).expect("the twin can be written");
        } else {
            let stored = fs::read_to_string(path(twin)).expect("the twin can be read");
            assert!(
                stored == generated,
                "src/{twin} differs from what src/{original} generates: run `UPDATE_GENERATED=1 cargo test --test codegen`",
            );
        }
    }
}

#[test]
fn a_twin_has_its_own_names_and_parts() {
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
fn a_part_without_an_end_is_an_error() {
    generate("a.rs", "//~ any thread\ncode\n", &[]);
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)
}

fn generate(original: &str, text: &str, names: &[Renamed]) -> String {
    let file = original.rsplit('/').next().expect("a path ends with a name");
    let mut twin = format!("// Generated from `{file}` by `tests/codegen.rs`.\n");
    let mut part = Part::Both;
    for line in text.lines() {
        part = match (line.trim(), part) {
            ("//~ any thread", Part::Both) => Part::Original,
            ("//~ one thread", Part::Original) => Part::Twin,
            ("//~ end", Part::Original | Part::Twin) => Part::Both,
            ("T: Send,", Part::Both) => {
                // There is no other bound.
                twin.truncate(twin.strip_suffix("    where\n").unwrap_or(&twin).len());
                Part::Both
            }
            (_, Part::Both) => {
                let line = renamed(line, names)
                    .replace(" + Send", "")
                    .replace(": Send + ", ": ")
                    .replace("<T: Send>", "<T>");
                twin.push_str(&line);
                twin.push('\n');
                Part::Both
            }
            (of_twin, Part::Twin) => {
                let of_twin =
                    of_twin.strip_prefix("//~").expect("a line of the twin begins with `//~`");
                twin.push_str(of_twin.strip_prefix(' ').unwrap_or(of_twin));
                twin.push('\n');
                Part::Twin
            }
            (_, Part::Original) => Part::Original,
        };
    }
    assert!(matches!(part, Part::Both), "{original}: `//~ any thread` without `//~ end`");
    twin
}

/// Whose lines follow.
#[derive(Clone, Copy)]
enum Part {
    Both,
    Original,
    Twin,
}

/// The line with each identifier that is one of the names replaced.
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

/// As rustfmt formats it; `None` without rustfmt.
fn formatted(text: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path", env!("CARGO_MANIFEST_DIR")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = rustfmt.stdin.take().expect("it is piped");
    stdin.write_all(text.as_bytes()).expect("rustfmt reads");
    drop(stdin);
    let output = rustfmt.wait_with_output().expect("rustfmt ends");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("rustfmt writes UTF-8"))
}
