//! Compiles many programs with one run of cargo, and compares the errors of each program with the expected error.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    ops::RangeInclusive,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// A program: the items of a module that imports the items of `prelude.rs`.
pub(crate) struct Program {
    name: String,
    /// The code of the expected error, or several codes separated by commas. If the error has no code, this is a part of its message. If
    /// the program compiles, this is `None`. A program may have several errors with this code. For example, the compiler reports each part
    /// that is not `Send`.
    error: Option<&'static str>,
    items: String,
}

impl Program {
    pub(crate) fn refused(
        name: impl Into<String>,
        error: &'static str,
        items: impl Into<String>,
    ) -> Self {
        Program { name: name.into(), error: Some(error), items: items.into() }
    }

    pub(crate) fn compiles(name: impl Into<String>, items: impl Into<String>) -> Self {
        Program { name: name.into(), error: None, items: items.into() }
    }

    /// Returns the name of the binary that contains the program. There is one binary for each expected error. If there were only one
    /// binary, its type errors would keep the compiler from running the borrow checker.
    fn binary(&self) -> String {
        self.error.unwrap_or("compiles").replace([' ', ','], "_")
    }

    /// Returns a report if the errors are not as expected.
    fn deviation(&self, errors: &[Error]) -> Option<String> {
        let as_expected = match (self.error, errors) {
            (None, []) => true,
            (Some(expected), [_, ..]) => {
                errors.iter().all(|error| expected.split(", ").any(|code| error.is(code)))
            }
            _ => false,
        };
        let Program { name, error, items } = self;
        (!as_expected).then(|| {
            let expected = error.unwrap_or("no error");
            let errors = errors.iter().map(Error::to_string).collect::<Vec<_>>().join("; ");
            let found = if errors.is_empty() { "none" } else { &errors };
            format!("{name}: expected {expected}, found {found}, in\n{items}\n")
        })
    }
}

/// Creates a program that is refused and a fixed program that compiles, from two function bodies.
pub(crate) fn refused_and_fixed(
    name: &str,
    error: &'static str,
    refused: &str,
    fixed: &str,
) -> [Program; 2] {
    let function = |body: &str| format!("fn case() {{\n{body}\n}}");
    [
        Program::refused(name, error, function(refused)),
        Program::compiles(format!("{name}, fixed"), function(fixed)),
    ]
}

struct Error {
    code: Option<String>,
    message: String,
    /// The binary and the line of the error, if the compiler names them.
    place: Option<(String, usize)>,
}

impl Error {
    fn is(&self, expected: &str) -> bool {
        match &self.code {
            Some(code) => code == expected,
            None => self.message.contains(expected),
        }
    }

    /// Parses a line of cargo's output. Returns `None` if the line is not an error.
    fn of(line: &str) -> Option<Error> {
        let line: Value = serde_json::from_str(line).ok()?;
        let diagnostic = &line["message"];
        let message = diagnostic["message"].as_str()?.to_owned();
        if diagnostic["level"] != "error" || message.starts_with("aborting due to") {
            return None;
        }
        let primary =
            diagnostic["spans"].as_array()?.iter().find(|span| span["is_primary"] == true);
        let place = primary.and_then(|span| {
            let binary = Path::new(span["file_name"].as_str()?).file_stem()?.to_str()?.to_owned();
            Some((binary, usize::try_from(span["line_start"].as_u64()?).ok()?))
        });
        Some(Error { code: diagnostic["code"]["code"].as_str().map(str::to_owned), message, place })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.code.as_deref().unwrap_or("error"), self.message)
    }
}

/// Compiles the programs. Returns a report for each program whose errors are not as expected.
pub(crate) fn deviations(package: &str, programs: &[Program]) -> Vec<String> {
    let mut binaries = BTreeMap::<String, Binary<'_>>::new();
    for program in programs {
        binaries.entry(program.binary()).or_default().push(program);
    }
    let output = check(package, &binaries);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let mut deviations = Vec::new();
    for error in stdout.lines().filter_map(Error::of) {
        let here = error.place.as_ref().and_then(|(binary, line)| {
            let programs = &mut binaries.get_mut(binary)?.programs;
            programs.iter_mut().find(|(_, lines, _)| lines.contains(line))
        });
        match here {
            Some((_, _, errors)) => errors.push(error),
            None => deviations.push(format!("not in a program: {error}")),
        }
    }
    if !stdout.contains(r#""reason":"build-finished""#) {
        deviations.push(format!("cargo failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let programs = binaries.values().flat_map(|binary| &binary.programs);
    deviations.extend(programs.filter_map(|(program, _, errors)| program.deviation(errors)));
    deviations
}

/// The source file of a binary, with the lines and the errors of each program in it.
struct Binary<'p> {
    text: String,
    programs: Vec<(&'p Program, RangeInclusive<usize>, Vec<Error>)>,
}

impl Default for Binary<'_> {
    fn default() -> Self {
        Binary { text: include_str!("prelude.rs").into(), programs: Vec::new() }
    }
}

impl<'p> Binary<'p> {
    fn push(&mut self, program: &'p Program) {
        let first = self.text.lines().count() + 1;
        let number = self.programs.len();
        self.text +=
            &["mod p", &number.to_string(), " {\nuse crate::*;\n", &program.items, "\n}\n"]
                .concat();
        self.programs.push((program, first..=self.text.lines().count(), Vec::new()));
    }
}

/// Writes the package, and runs `cargo check`. The package gets a copy of the lock file of this crate, so cargo usually needs no network.
fn check(package: &str, binaries: &BTreeMap<String, Binary<'_>>) -> Output {
    let this = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("types");
    let package = target.join(package);
    let sources = package.join("src/bin");
    // An earlier version of the tables may have written other binaries.
    let _ = fs::remove_dir_all(&sources);
    fs::create_dir_all(&sources).expect("the directory can be created");
    let write = |path: &Path, text: &str| fs::write(path, text).expect("the file can be written");
    write(
        &package.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"programs\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nfutures-core = {{ version = \"0.3\", default-features = false }}\n\
             value-future = {{ path = {:?} }}\n\n[workspace]\n",
            this.to_str().expect("the path is UTF-8"),
        ),
    );
    for (name, binary) in binaries {
        write(&sources.join(name).with_extension("rs"), &binary.text);
    }
    let _ = fs::copy(this.join("Cargo.lock"), package.join("Cargo.lock"));
    let check = |network: &[&str]| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["check", "--bins", "--keep-going", "--quiet", "--message-format=json"]);
        cargo.args(network).current_dir(&package).arg("--target-dir").arg(target.join("target"));
        // The environment may have flags for another target, or for a sanitizer.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(variable);
        }
        cargo.output().expect("cargo runs")
    };
    let output = check(&["--offline"]);
    if output.stdout.is_empty() { check(&[]) } else { output }
}
