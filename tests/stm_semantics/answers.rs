//! The differential test: the same programs have the same answers on every engine.
//!
//! An engine is chosen when the crate is compiled, so no run has two of them. What they are held against is one
//! file instead, `answers.tsv`, which the test compares on whichever engine it runs: engines that both agree with
//! it agree with each other. `./test.sh test` runs it on the native engine, `./test.sh reference` on the other.
//!
//! A line of the file has a seed, a digest of the programs that come of it, and a digest of all that is seen of
//! them: every answer and the heap after each transaction. `UPDATE_ANSWERS=1` writes the file anew, from the
//! *semantics*: no engine decides what is right. The digest of the programs tells a changed generator from a
//! changed engine.

use super::generate::Sequential;
use super::interpreter::Published;
use super::observe::Observation;
use super::sequential::{by_engine, by_rules, seeded};
use quickcheck::Arbitrary;
use sha2::{Digest, Sha256};
use std::fmt::{Debug, Write};
use std::path::Path;
use std::{env, fs};

const SEEDS: u64 = 64;
/// So many of each seed.
const PROGRAMS: usize = 50;

fn programs(seed: u64) -> Vec<Sequential> {
    let mut g = seeded(seed);
    (0..PROGRAMS).map(|_| Sequential::arbitrary(&mut g)).collect()
}

/// The beginning of the SHA-256 of how a value shows itself.
fn digest(value: impl Debug) -> String {
    let digest = Sha256::digest(format!("{value:?}"));
    digest[..16].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn line(seed: u64, run: fn(&Sequential) -> Vec<Observation>) -> String {
    let programs = programs(seed);
    let seen: Vec<_> = programs.iter().map(run).collect();
    format!("{seed}\t{}\t{}", digest(&programs), digest(&seen))
}

#[test]
fn every_engine_gives_the_same_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stm_semantics/answers.tsv");
    if env::var_os("UPDATE_ANSWERS").is_some() {
        let lines = (0..SEEDS).map(|seed| line(seed, by_rules::<Published>) + "\n");
        fs::write(&path, lines.collect::<String>()).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(expected.lines().count() as u64, SEEDS);
    for (seed, expected) in (0..SEEDS).zip(expected.lines()) {
        let found = line(seed, |program| by_engine(program, None));
        let generator =
            |line: &str| line.rsplit_once('\t').map(|(programs, _)| programs.to_owned());
        assert_eq!(
            generator(&found),
            generator(expected),
            "other programs: UPDATE_ANSWERS=1 writes the file anew"
        );
        assert_eq!(found, expected, "other answers to the programs of seed {seed}");
    }
}

/// A program more, or one answer that is another, is another digest.
#[test]
fn a_digest_is_of_everything() {
    let programs = programs(0);
    let seen: Vec<_> = programs.iter().map(by_rules::<Published>).collect();
    assert_ne!(digest(&programs), digest(&programs[1..]));
    assert_ne!(digest(&seen), digest(&seen[1..]));
    assert!((0..SEEDS).all(|seed| seed == 0 || digest(self::programs(seed)) != digest(&programs)));
}
