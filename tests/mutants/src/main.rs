//! `cargo run -p mutants`: breaks the in-memory and the Postgres example in one place after another, and runs the
//! conformance suite against each. It prints which rules named the fault, and which faults nothing named.
//!
//! The changes are those of `mutants.txt`. They are made in a copy of the repository below `target/mutants`, which is built
//! there. It takes about half an hour, and needs PostgreSQL's programs, as `scripts/check` does.

mod list;

use std::{
    collections::BTreeSet,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use clap::Parser;

use crate::list::{Mutant, mutants};

/// A run that takes longer than this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(600);

/// Breaks the examples in many small ways, and tells which the conformance suite names.
#[derive(Debug, Parser)]
struct Options {
    /// Only the mutants that have this in their name or file
    #[arg(long, default_value = "")]
    only: String,
}

/// What became of a mutant.
enum Outcome {
    /// The rules that named it.
    Named(BTreeSet<String>),
    Survived,
    /// It does not compile, or stops before the suite runs, which is the list's fault.
    DoesNotRun,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tree = Tree::copy_of(&root)?;
    for program in ["suite_in_memory", "suite_postgres"] {
        match tree.outcome(program)? {
            Outcome::Survived => println!("{program} passes as it is"),
            Outcome::Named(rules) => {
                return Err(format!("{program} breaks {rules:?} without a change").into());
            }
            Outcome::DoesNotRun => return Err(format!("{program} does not run").into()),
        }
    }

    let chosen = mutants().into_iter().filter(|mutant| {
        mutant.name.contains(&options.only) || mutant.file.contains(&options.only)
    });
    let (mut all, mut named, mut unexpected) = (0_u32, 0_u32, 0_u32);
    for mutant in chosen {
        all += 1;
        let line = match (tree.outcome_of(&mutant)?, &mutant.survives) {
            (Outcome::Named(rules), None) => {
                named += 1;
                format!("named     {}: {}", mutant.name, list(&rules))
            }
            (Outcome::Named(rules), Some(_)) => {
                (named, unexpected) = (named + 1, unexpected + 1);
                let name = &mutant.name;
                format!(
                    "NAMED     {name}, though it is listed as one that survives: {}",
                    list(&rules)
                )
            }
            (Outcome::Survived, Some(why)) => format!("survived  {}: {why}", mutant.name),
            (Outcome::Survived, None) => {
                unexpected += 1;
                format!(
                    "SURVIVED  {}, and mutants.txt does not say why",
                    mutant.name
                )
            }
            (Outcome::DoesNotRun, _) => {
                unexpected += 1;
                format!(
                    "UNUSABLE  {} does not run: correct mutants.txt",
                    mutant.name
                )
            }
        };
        println!("{line}");
    }
    let percent = u64::from(named) * 100 / u64::from(all.max(1));
    println!("{named} of {all} named ({percent} %), {unexpected} unexpected");
    Ok(if unexpected == 0 && percent >= 90 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn list(rules: &BTreeSet<String>) -> String {
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    rules.join(", ")
}

/// A copy of the repository, which is changed and built.
struct Tree {
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// Copies what git knows. Files that are the same are left alone, so that they need not be built again.
    fn copy_of(root: &Path) -> Result<Self, Box<dyn Error>> {
        let work = root.join("target/mutants");
        let tree = Self {
            root: work.join("tree"),
            target: work.join("target"),
        };
        let mut git = Command::new("git");
        git.current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let files = String::from_utf8(git.output()?.stdout)?;
        for file in files.split_terminator('\0') {
            let Ok(content) = fs::read(root.join(file)) else {
                continue;
            };
            write_if_new(&tree.root.join(file), &content)?;
        }
        Ok(tree)
    }

    /// Makes the change, and takes it back.
    fn outcome_of(&self, mutant: &Mutant) -> Result<Outcome, Box<dyn Error>> {
        let path = self.root.join(&mutant.file);
        let text = fs::read_to_string(&path)?;
        fs::write(&path, mutant.applied(&text)?)?;
        let outcome = self.outcome(mutant.program());
        fs::write(&path, text)?;
        outcome
    }

    fn outcome(&self, program: &str) -> Result<Outcome, Box<dyn Error>> {
        let mut build = Command::new(env!("CARGO"));
        build
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .args(["build", "-q", "-p", "mutants", "--bin", program])
            .stderr(Stdio::null());
        if !build.status()?.success() {
            return Ok(Outcome::DoesNotRun);
        }
        let run = Command::new(self.target.join("debug").join(program))
            .current_dir(self.root.join("tests/mutants"))
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        outcome_of_run(run)
    }
}

fn outcome_of_run(mut run: Child) -> Result<Outcome, Box<dyn Error>> {
    let begun = Instant::now();
    let code = loop {
        match run.try_wait()? {
            Some(status) => break status.code(),
            None if begun.elapsed() > LONGEST_RUN => {
                run.kill()?;
                run.wait()?;
                break None;
            }
            None => sleep(Duration::from_millis(50)),
        }
    };
    let printed = run.wait_with_output()?.stdout;
    let rules: BTreeSet<String> = String::from_utf8(printed)?
        .lines()
        .map(str::to_owned)
        .collect();
    Ok(match code {
        Some(_) if !rules.is_empty() => Outcome::Named(rules),
        Some(0) => Outcome::Survived,
        _ => Outcome::DoesNotRun,
    })
}

fn write_if_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}
