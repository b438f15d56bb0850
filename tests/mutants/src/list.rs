//! The list of mutants, in `mutants.txt`: a few lines each.
//!
//! ```text
//! # what is broken, as the run prints it
//! @ the file
//! -what stands there, once
//! +what stands there instead
//! ? why the suite can't see it, if so
//! ```

/// One small change that breaks an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) before: String,
    pub(crate) after: String,
    /// Why the suite is not expected to name it.
    pub(crate) survives: Option<String>,
}

impl Mutant {
    /// Which of the two examples shows it: the rules of both are checked with the faster one.
    pub(crate) fn program(&self) -> &'static str {
        match self.file.starts_with("examples/postgres/") {
            true => "suite_postgres",
            false => "suite_in_memory",
        }
    }

    /// The text of the file with the change.
    ///
    /// # Errors
    /// If what is to be changed is not there exactly once.
    pub(crate) fn applied(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.before).count() {
            1 => Ok(text.replacen(&self.before, &self.after, 1)),
            n => Err(format!(
                "{}: {} has {n} times what is to be changed: correct mutants.txt",
                self.name, self.file
            )),
        }
    }
}

pub(crate) fn mutants() -> Vec<Mutant> {
    let mut mutants: Vec<Mutant> = Vec::new();
    for line in include_str!("../mutants.txt").lines() {
        if let Some(name) = line.strip_prefix("# ") {
            mutants.push(Mutant {
                name: name.to_owned(),
                ..Mutant::default()
            });
            continue;
        }
        let Some(mutant) = mutants.last_mut() else {
            continue;
        };
        let add = |text: &mut String, line: &str| {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        };
        match line.split_at_checked(1) {
            Some(("@", file)) => file.trim().clone_into(&mut mutant.file),
            Some(("-", line)) => add(&mut mutant.before, line),
            Some(("+", line)) => add(&mut mutant.after, line),
            Some(("?", why)) => mutant.survives = Some(why.trim().to_owned()),
            _ => {}
        }
    }
    mutants
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_mutant_is_a_change_of_the_examples_as_they_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mutants = mutants();
        assert!(mutants.len() >= 60, "{}", mutants.len());
        for mutant in &mutants {
            let text = fs::read_to_string(root.join(&mutant.file)).unwrap();
            let changed = mutant.applied(&text).unwrap();
            assert_ne!(changed, text, "{}", mutant.name);
        }
        let names: BTreeSet<&str> = mutants.iter().map(|mutant| &*mutant.name).collect();
        assert_eq!(names.len(), mutants.len());
    }

    #[test]
    fn the_guide_explains_each_mutant_that_survives() {
        let page = include_str!("../../../churnkey-integrator/docs/testing.md");
        let survivors: Vec<Mutant> = mutants()
            .into_iter()
            .filter(|mutant| mutant.survives.is_some())
            .collect();
        for mutant in &survivors {
            assert!(page.contains(&mutant.name), "{}", mutant.name);
        }
        let all = mutants().len();
        let figures = format!("{} of {all}", all - survivors.len());
        assert!(page.contains(&figures), "{figures}");
        assert!(survivors.len() * 10 <= all, "{figures}");
    }
}
