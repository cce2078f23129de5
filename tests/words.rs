//! If there is a standard term for a word, the word does not appear in the code and the documents.

#![cfg(not(miri))]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words, each with the term to write instead. A word matches only as a whole, with or without the ending `s`. The first letter may be a
/// capital.
const WORDS: &[(&str, &str)] = &[
    ("road", "path"),
    ("usual way", "fast path"),
    ("spent", "taken, terminated"),
    ("house", "FutureCell"),
    ("lent", "borrowed"),
    ("Boxable", "ErasedFuture"),
    ("Home", "Recycler"),
    ("by itself", "standalone, alone"),
    ("give up", "release, leave, be cancelled"),
    ("gives up", "releases, leaves, is cancelled"),
    ("given up", "released, left, cancelled"),
    ("let go", "release"),
    ("lets go", "releases"),
    ("give back", "return, release"),
    ("gives back", "returns, releases"),
    ("given back", "returned, released"),
    ("at hand", "cached"),
    ("shut", "closed"),
    ("limbo", "deferred free list"),
    ("tally", "counters"),
    ("hub", "notifier, inner, shared state"),
    ("Polling", "PollGuard"),
    ("Site", "ArmOrigin"),
    ("somebody", "the producer, the consumer, another thread"),
    ("whoever", "the producer, the consumer, the thread that"),
    ("nobody else", "no other thread, no other role"),
    ("nobody will notice", "not noticeable"),
    ("the other way round", "the reverse"),
    ("one's own", "your own"),
    ("given out", "returned, issued"),
    ("gives out", "returns, issues"),
    ("has gone", "was dropped, has left"),
    ("comes back", "is returned"),
    ("twin", "generated type, alternative"),
];

/// Names that contain a word of the list. Lines with one of these names are allowed.
const ALLOWED: &[&str] = &["PoolingAsyncValueTaskMethodBuilder"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let files_of = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.flat_map(files_of).collect()
}

/// Returns `true` if the text has the word as a whole.
fn has_word(text: &str, word: &str) -> bool {
    let is_boundary = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    text.match_indices(word).any(|(start, _)| {
        let after = &text[start + word.len()..];
        let after = after.strip_prefix('s').unwrap_or(after);
        is_boundary(text[..start].chars().next_back()) && is_boundary(after.chars().next())
    })
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[test]
fn words_with_a_standard_term_do_not_appear() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["src", "macros/src", "tests", "benches", "examples", "docs"].map(|name| root.join(name));
    let documents = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        .map(|name| root.join(name));
    let all = folders.iter().flat_map(|folder| files(folder)).chain(documents);
    let all = all.filter(|path| *path != root.join(file!()));
    let mut found = Vec::new();
    for path in all {
        let text = fs::read_to_string(&path).expect("the file is text");
        for (number, line) in text.lines().enumerate() {
            for (word, term) in WORDS {
                let is_there = has_word(line, word) || has_word(line, &capitalized(word));
                if is_there && !ALLOWED.iter().any(|allowed| line.contains(allowed)) {
                    let path = path.strip_prefix(root).expect("the path is in the root").display();
                    found.push(format!("{path}:{}: \"{word}\" is \"{term}\"", number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "see the list in tests/words.rs:\n{}", found.join("\n"));
}

#[test]
fn a_word_matches_as_a_whole() {
    assert!(has_word("two hubs.", "hub") && has_word("(hub)", "hub"));
    assert!(!has_word("GitHub", "hub") && !has_word("hubris", "hub"));
}
