//! `cargo bench --bench cost`: measures the code size and the compile time of a method behind `dyn`, with `Box::pin`, `async-trait` and
//! this crate.
//!
//! ```text
//! cargo bench --bench cost                            # prints the report
//! cargo bench --bench cost -- --check                 # fails if `async_trait` generates more than 1.3 times the code of `Box::pin`
//! cargo bench --bench cost -- --record docs/cost.md   # writes the report
//! ```
//!
//! The bench writes crates into `target/cost`, and builds them as programs. For each form of a method, one program has 11 methods, and
//! another has 111. The figures are those of one method: the difference between the two programs, divided by 100.

#[path = "report/head.rs"]
mod head;
#[path = "report/markdown.rs"]
mod markdown;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use clap::Parser;
use object::{Object, ObjectSection, SectionKind};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A form in which a method is written.
struct Form {
    name: &'static str,
    krate: &'static str,
    attribute: &'static str,
}

const FORMS: [Form; 5] = [
    Form { name: "`Box::pin`", krate: "box_pin", attribute: "" },
    Form { name: "`async-trait`", krate: "theirs", attribute: "#[async_trait::async_trait]" },
    Form { name: "**`async_trait`**", krate: "ours", attribute: "#[value_future::async_trait]" },
    Form {
        name: "**`async_trait(boxed)`**",
        krate: "boxed",
        attribute: "#[value_future::async_trait(boxed)]",
    },
    Form {
        name: "**`async_trait(eager)`**",
        krate: "eager",
        attribute: "#[value_future::async_trait(eager)]",
    },
];
const OURS: usize = 2;

/// The number of methods in the small program. With fewer methods, the compiler would inline more of the standard library.
const FEW: usize = 11;
/// The number of methods in the large program.
const MANY: usize = 111;

/// The number of timed builds. The time of the fastest build is used. With `--check`, one timed build is enough, because only the code size
/// is checked, and it is the same in each build.
const BUILDS: usize = 5;

/// The greatest code size of `async_trait` that `--check` allows, relative to that of `Box::pin`. The options `boxed` and `eager` are not
/// checked.
const MOST_CODE: f64 = 1.3;

const COMMAND: &str = "cargo bench --bench cost -- --record docs/cost.md";

const TEXT: &str = "\
The table has the code size and the compile time of a method behind `dyn`. Each method awaits twice, and formats a text. The figures\n\
are those of one method: the difference between a program with 111 methods and a program with 11 methods, divided by 100. If the\n\
bodies of the methods are longer, the ratios are closer to 1. The compile time is that of the fastest of several builds.\n\n";

impl Form {
    /// Returns the source of a program with this many methods.
    fn program(&self, methods: usize) -> String {
        let by_hand = self.attribute.is_empty();
        let (keyword, output) = if by_hand {
            ("", "std::pin::Pin<Box<dyn Future<Output = String> + Send + '_>>")
        } else {
            ("async ", "String")
        };
        let signature = |n| format!("{keyword}fn m{n}(&self, x: u64) -> {output}");
        let body = |n| {
            let block = format!(
                "let a = one(self.0 + {n}).await; let b = one(x).await; format!(\"{{a}} {{b}} {n}\")"
            );
            if by_hand { format!("Box::pin(async move {{ {block} }})") } else { block }
        };
        let declared = (0..methods).map(|n| signature(n) + ";\n").collect::<String>();
        let defined = (0..methods).map(|n| format!("{} {{ {} }}\n", signature(n), body(n)));
        let (attribute, defined) = (self.attribute, defined.collect::<String>());
        format!(
            "use std::hint::black_box;\n\
             async fn one(x: u64) -> u64 {{ futures::pending!(); x + 1 }}\n\
             {attribute}\ntrait Methods: Sync {{\n{declared}}}\n\
             struct Number(u64);\n\
             {attribute}\nimpl Methods for Number {{\n{defined}}}\n\
             fn main() {{\n\
                 let methods: &dyn Methods = black_box(&Number(1));\n\
                 println!(\"{{}}\", futures::executor::block_on(methods.m0(black_box(3))));\n\
             }}\n"
        )
    }

    fn write(&self, methods: usize) -> Result<Crate> {
        let name = format!("{}_{methods}", self.krate);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/cost").join(&name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nasync-trait = \"0.1\"\nfutures = \"0.3\"\n\
             value-future = {{ path = '{}', features = [\"macros\"] }}\n\n[workspace]\n",
            root.display()
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), self.program(methods))?;
        let built = root.join("target/cost/target/release").join(name);
        Ok(Crate { folder, built })
    }
}

/// A crate on the disk, and the path of the program that cargo builds from it.
struct Crate {
    folder: PathBuf,
    built: PathBuf,
}

impl Crate {
    /// Builds the crate, even if its source is unchanged. Only the first build also builds the dependencies. Returns the build time.
    fn build(&self) -> Result<Duration> {
        let source = self.folder.join("src/main.rs");
        fs::write(&source, fs::read(&source)?)?;
        let start = Instant::now();
        let build = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--target-dir"])
            .arg(self.folder.with_file_name("target"))
            .current_dir(&self.folder)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()?;
        let taken = start.elapsed();
        if !build.status.success() {
            return Err(String::from_utf8_lossy(&build.stderr).into());
        }
        Ok(taken)
    }

    /// Returns the number of bytes of instructions, and the number of bytes of unwind tables.
    fn code(&self) -> Result<[f64; 2]> {
        let file = fs::read(&self.built)?;
        let file = object::File::parse(&*file)?;
        let mut sizes = [0.0; 2];
        for section in file.sections() {
            let unwinds = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table"];
            let is_unwind = section.name().is_ok_and(|name| unwinds.contains(&name));
            if is_unwind || section.kind() == SectionKind::Text {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a section has less than 2^52 bytes"
                )]
                let size = section.size() as f64;
                sizes[usize::from(is_unwind)] += size;
            }
        }
        Ok(sizes)
    }
}

/// The cost of one method: the bytes of instructions and of unwind tables, and the compile time in milliseconds.
struct Cost {
    text: f64,
    unwind: f64,
    time: f64,
}

fn measure(builds: usize) -> Result<Vec<Cost>> {
    let crates = FORMS.iter().map(|form| Ok([form.write(FEW)?, form.write(MANY)?]));
    let crates = crates.collect::<Result<Vec<_>>>()?;
    let mut times = vec![[Duration::MAX; 2]; crates.len()];
    for round in 0..=builds {
        eprintln!("build {round} of {builds} …");
        for (crates, times) in crates.iter().zip(&mut times) {
            for (krate, time) in crates.iter().zip(times) {
                let taken = krate.build()?;
                // The first build is not timed, because it also builds the dependencies.
                if round > 0 {
                    *time = taken.min(*time);
                }
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "the number is 100")]
    let more = (MANY - FEW) as f64;
    let cost = |(crates, times): (&[Crate; 2], &[Duration; 2])| -> Result<Cost> {
        let [few, many] = [crates[0].code()?, crates[1].code()?];
        let time = times[1].saturating_sub(times[0]).as_secs_f64() * 1e3 / more;
        Ok(Cost { text: (many[0] - few[0]) / more, unwind: (many[1] - few[1]) / more, time })
    };
    crates.iter().zip(&times).map(cost).collect()
}

fn report(costs: &[Cost]) -> String {
    let header = [
        "",
        "bytes of instructions",
        "bytes of unwind tables",
        "times the code of `Box::pin`",
        "times the compile time of `async-trait`",
    ];
    let row = |(form, cost): (&Form, &Cost)| {
        let (code, time) = ratios(cost, costs);
        let [text, unwind] = [cost.text, cost.unwind].map(|bytes| format!("{bytes:.0}"));
        vec![form.name.into(), text, unwind, format!("{code:.2}"), format!("{time:.2}")]
    };
    let rows: Vec<_> = FORMS.iter().zip(costs).map(row).collect();
    let table = markdown::table(&header.map(Into::into), &rows);
    head::head("Code size and compile time", COMMAND) + TEXT + table.trim_end() + "\n"
}

/// Returns the code size relative to that of `Box::pin`, and the compile time relative to that of `async-trait`.
fn ratios(cost: &Cost, costs: &[Cost]) -> (f64, f64) {
    let code = |cost: &Cost| cost.text + cost.unwind;
    (code(cost) / code(&costs[0]), cost.time / costs[1].time)
}

#[derive(Parser)]
struct Options {
    /// Measures once, and fails if the code of a method with `async_trait` is too large.
    #[arg(long, conflicts_with = "record")]
    check: bool,
    /// Also writes the report to this file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Cargo passes this option to every bench.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn run(Options { check, record, .. }: Options) -> Result<bool> {
    let costs = measure(if check { 1 } else { BUILDS })?;
    let report = report(&costs);
    print!("{report}");
    if let Some(file) = record {
        fs::write(file, &report)?;
    }
    let (code, _) = ratios(&costs[OURS], &costs);
    let holds = code <= MOST_CODE;
    if !holds {
        println!(
            "the code of `async_trait` is {code:.2} times as large as that of `Box::pin`; at most {MOST_CODE} is allowed"
        );
    }
    Ok(holds || !check)
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
