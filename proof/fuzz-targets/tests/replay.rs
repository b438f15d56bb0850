//! Every input that fuzzing has kept is run again.
use std::{collections::BTreeSet, fs, path::Path};

use fuzz_targets::TARGETS;

#[test]
fn every_input_of_the_corpora_keeps_the_rules() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let kept: BTreeSet<String> = fs::read_dir(&corpora)
        .unwrap()
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    let named: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(kept, named);

    for (name, target) in TARGETS {
        let inputs: Vec<_> = fs::read_dir(corpora.join(name)).unwrap().collect();
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in inputs {
            let path = input.unwrap().path();
            // A panic is reported with the name of the input before it.
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
}
