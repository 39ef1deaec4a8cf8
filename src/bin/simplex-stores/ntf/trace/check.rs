//! `ntf trace --check`: a recorded run, compared in everything that must hold.

use std::{collections::BTreeMap, path::Path};

use simplex_stores::{ntf_store::NtfSnapshot, protocol::Semantics};

use super::{
    TraceArgs,
    call::{Call, Step},
    ledger::Kind,
    runner::Runner,
    strict::{self, Expected},
};
use crate::{
    cli::SemanticsArg,
    failure::{Exit, Failure},
    ntf::forms::state_lines,
    output::Out,
    recorded::{self, for_each_line, lines, snapshots},
};

type Tally = recorded::Tally<Kind>;

pub(super) fn run(args: &TraceArgs, out: &mut Out) -> Result<Exit, Failure> {
    let folder = &args.folder;
    let mut run = Run {
        reference: Runner::new(Semantics::Reference),
        strict: None,
        snapshots: snapshots(&folder.join("snapshots.jsonl"))?,
        tally: Tally::default(),
    };
    if args.semantics == SemanticsArg::Strict {
        let runner = Runner::new(Semantics::Strict);
        let before = runner.store.snapshot();
        run.strict = Some(Strict { runner, before });
    }
    let ops = folder.join("ops.jsonl");
    for_each_line(&ops, |number, line| {
        let step = Step::parse(line).map_err(|error| Failure::content(&ops, number, error))?;
        run.step(&step);
        Ok(true)
    })?;
    let tally = run.finish(folder)?;
    let name = match args.semantics {
        SemanticsArg::Strict => "strict",
        SemanticsArg::Reference => "reference",
    };
    match args.json {
        true => tally.print_json(folder, name, out),
        false => tally.print(folder, name, out),
    }
    Ok(if tally.holds() { Exit::Fine } else { Exit::DoesNotHold })
}

/// A recorded run in progress.
struct Run {
    /// Answers as recorded, whatever semantics are checked: a strict store is measured against it.
    reference: Runner,
    strict: Option<Strict>,
    /// Recorded states by the number of the operation that comes next.
    snapshots: BTreeMap<u64, Vec<String>>,
    tally: Tally,
}

/// The strict store, and its state.
struct Strict {
    runner: Runner,
    before: NtfSnapshot,
}

impl Run {
    fn step(&mut self, step: &Step<'_>) {
        if let Some(expected) = self.snapshots.remove(&step.number) {
            self.compare_states(&format!("snapshot before operation {}", step.number), &expected);
        }
        self.tally.compared("operations", 1);
        let same_state = self
            .strict
            .as_ref()
            .is_none_or(|it| strict::as_reference(&it.before) == self.reference.store.snapshot());
        let outcome = self.reference.run(step);
        if outcome.line != step.line {
            let place = format!("operation {} {}", step.number, step.op);
            self.tally.unlisted(place, step.line, &outcome.line);
        }
        if let Some(strict) = &mut self.strict {
            strict.step(step, same_state, &mut self.tally);
        }
    }

    /// The reference's state against the recorded one; a strict state against its invariants.
    fn compare_states(&mut self, place: &str, expected: &[String]) {
        self.tally.compared("states", 1);
        let got: Vec<String> = state_lines(&self.reference.store.snapshot()).collect();
        self.tally.lines(place, expected, &got);
        let checked = self.strict.as_ref().map(|strict| strict.runner.store.check_invariants());
        for violation in checked.and_then(Result::err).unwrap_or_default() {
            self.tally.unlisted(place, "a sound store", &violation.to_string());
        }
    }

    fn finish(mut self, folder: &Path) -> Result<Tally, Failure> {
        let expected = lines(&folder.join("final.jsonl"))?;
        self.compare_states("final.jsonl", &expected);
        for number in self.snapshots.keys() {
            let place = format!("snapshot before operation {number}");
            self.tally.unlisted(place, "a state", "(no such operation)");
        }
        Ok(self.tally)
    }
}

impl Strict {
    /// Runs a step and compares the answer and the state with what they must be. `same_state`: nothing differed
    /// from the reference's state before.
    fn step(&mut self, step: &Step<'_>, same_state: bool, tally: &mut Tally) {
        let twin = Runner::on(strict::as_reference(&self.before));
        let twin_result = twin.run(step).result;
        let has_object = match &step.call {
            Call::RemoveRivals(token) | Call::RemoveRegistration(token) => self.runner.has(token),
            _ => true,
        };
        let outcome = self.runner.run(step);
        let after = self.runner.store.snapshot();
        let Expected { result, state, kinds } = strict::expected(
            &step.call,
            &self.before,
            has_object,
            twin_result.clone(),
            twin.store.snapshot(),
        );
        let place = format!("operation {} {}", step.number, step.op);
        if outcome.result != result {
            tally.unlisted(&place, &result, &outcome.result);
        }
        compare_state(
            &format!("state after {place}"),
            &state,
            &strict::as_reference(&after),
            tally,
        );
        kinds.iter().for_each(|kind| tally.listed(*kind, 1));
        // The answer itself is no other from this state: then it is the state that differed before.
        if outcome.line != step.line && twin_result == outcome.result {
            match same_state {
                true => tally.unlisted(&place, step.line, &outcome.line),
                false => tally.listed(Kind::Follows, 1),
            }
        }
        self.before = after;
    }
}

/// Compares two states, and only where they differ line by line.
fn compare_state(place: &str, expected: &NtfSnapshot, got: &NtfSnapshot, tally: &mut Tally) {
    if expected == got {
        return;
    }
    let [expected, got] = [expected, got].map(|state| state_lines(state).collect::<Vec<_>>());
    tally.lines(place, &expected, &got);
}
