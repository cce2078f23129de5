//! Tests of the statements of the documentation about files, programs and versions.

use std::{fs, path::Path};

use crate::words::documented;

const README: &str = include_str!("../../README.md");
const BENCHMARKS: &str = include_str!("../../docs/benchmarks.md");

/// Returns the number of lines of code from `from` (included) to `to` (excluded).
fn lines(text: &str, from: &str, to: &str) -> usize {
    let text = &text[text.find(from).expect(from)..];
    let text = &text[..text.find(to).expect(to)];
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    text.lines().filter(code).count()
}

#[test]
fn the_custom_source_has_the_documented_number_of_lines() {
    let example = include_str!("../../examples/custom_source.rs");
    let lines = lines(example, "#[derive(Default)]\nstruct Measurement", "/// The producer");
    assert!(!example.contains("unsafe"));
    documented!("examples/custom_source.rs", "are {lines} lines without comments");
}

#[test]
fn versions_and_features_are_those_of_the_manifest() {
    documented!("README.md", "The oldest supported Rust is {}.", env!("CARGO_PKG_RUST_VERSION"));
    documented!("Cargo.toml", "default = [\"std\"]");
    documented!("Cargo.toml", "std = [\"alloc\"]");
    documented!("README.md", "`alloc` (enabled by `std`)");
    documented!("Cargo.toml", "undocumented_unsafe_blocks = \"deny\"");
    documented!("README.md", "Clippy enforces a SAFETY comment for each unsafe block");
}

/// The package on crates.io does not contain the scripts. In this package, the test checks nothing.
#[test]
#[cfg_attr(miri, ignore = "looks for files")]
fn the_scripts_run_the_tests_as_documented() {
    let scripts = ["run", "full", "steps.sh"].map(|name| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci").join(name)).ok()
    });
    let [Some(run), Some(full), Some(steps)] = scripts else { return };
    for step in ["miri_x86_64", "miri_i686", "miri_s390x", "loom_models", "thread_sanitizer"] {
        assert!(run.contains(&format!(" {step}")), "{step}");
    }
    for step in ["all_miri_x86_64", "all_miri_i686", "all_miri_s390x", "all_miri_seeds"] {
        assert!(full.contains(&format!(" {step}")), "{step}");
    }
    assert!(full.contains(" .ci/run\n") && full.contains(" all_tests_under_address_sanitizer"));
    let seeds = "MIRI_SEEDS=0..32 miri \"$HOST\" --test pool_threads";
    for part in [seeds, "--cfg loom", "-Zmiri-strict-provenance", "i686", "s390x"] {
        assert!(steps.contains(part), "{part}");
    }
    documented!(
        "src/guide/guarantees.md",
        "on a 32-bit and on a big-endian target too, and `tests/pool_threads.rs` with 32 seeds."
    );
    let part = |from: &str, to: &str| {
        steps.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned()
    };
    assert_eq!(part("\nWITH_RACES=\"", "\"").split_whitespace().count(), 4);
    documented!("src/guide/guarantees.md", "The thread sanitizer runs the tests in four files.");
    assert!(part("all_tests_under_address_sanitizer() {", "}").contains("$(tests_without "));
    documented!(
        "src/guide/guarantees.md",
        "The address sanitizer then runs all tests, except those"
    );
}

#[test]
fn figures_of_examples_and_tests_are_as_documented() {
    documented!("examples/cache/replay.rs", "const RUN_TIME: Duration = Duration::from_secs(12);");
    documented!("examples/cache.rs", "For twelve seconds");
    documented!("tests/task_context.rs", "{{ 10_000 }}");
    documented!(
        "src/family.md",
        "`tests/task_context.rs` checks this with ten thousand operations"
    );
}

/// Looks for the files in `tests`, `examples` and `benches` that five texts name, and for the programs and benches that the README and
/// `docs/benchmarks.md` name.
#[test]
#[cfg_attr(miri, ignore = "looks for files")]
fn files_and_programs_that_texts_name_exist() {
    let texts = [
        README,
        include_str!("../../src/lib.rs"),
        include_str!("../../src/family.md"),
        include_str!("../../src/guide/guarantees.md"),
        BENCHMARKS,
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for word in texts.iter().flat_map(|text| text.split(|c: char| "`() ,;\n".contains(c))) {
        let word = word.trim_end_matches(['.', ':']);
        if ["tests/", "examples/", "benches/"].iter().any(|folder| word.starts_with(folder)) {
            assert!(root.join(word).exists(), "{word}");
            found += 1;
        }
    }
    assert!(found > 8, "{found}");
    for (option, folder) in [("--example", "examples"), ("--bench", "benches")] {
        for line in README.split(option).chain(BENCHMARKS.split(option).skip(1)).skip(1) {
            let name = line.split_whitespace().next().unwrap().trim_end_matches(['`', '.']);
            assert!(root.join(folder).join(name).with_extension("rs").exists(), "{name}");
        }
    }
}
