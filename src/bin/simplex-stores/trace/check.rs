//! `trace --check`: a recorded run, compared in everything that must hold.

use std::{collections::BTreeMap, path::Path};

use simplex_stores::{
    protocol::Semantics,
    queue_store::{BasicQueue, QueueKey, QueueStore},
};

use super::{
    Tally, TraceArgs,
    call::{Call, Step},
    difference::kind_of,
    journal,
    ledger::Kind,
    live,
    runner::{Outcome, Runner},
    state,
};
use crate::{
    cli::SemanticsArg,
    failure::{Exit, Failure},
    files::ScratchFolder,
    output::Out,
    recorded::{for_each_line, lines, snapshots, text},
};

pub(super) fn run(args: &TraceArgs, out: &mut Out) -> Result<Exit, Failure> {
    let semantics = args.semantics.into();
    let mut tally = Tally::default();
    if !args.live_queues {
        let scratch = ScratchFolder::new()?;
        let path = scratch.join("store.log");
        let runner = Runner::with_journal(semantics, &path)?;
        operations(&args.folder, semantics, runner, &path, &mut tally)?;
        journal::check(&args.folder, semantics, &mut tally)?;
    }
    if semantics == Semantics::Strict {
        live::check(&args.folder, &mut tally)?;
    }
    report(args, &tally, out)
}

pub(super) fn report(args: &TraceArgs, tally: &Tally, out: &mut Out) -> Result<Exit, Failure> {
    let name = match args.semantics {
        SemanticsArg::Strict => "strict",
        SemanticsArg::Reference => "reference",
    };
    match args.json {
        true => tally.print_json(&args.folder, name, out),
        false => tally.print(&args.folder, name, out),
    }
    Ok(if tally.holds() { Exit::Fine } else { Exit::DoesNotHold })
}

/// Runs every operation and compares its line, then the states and the journal.
pub(super) fn operations<S: QueueStore<Queue = BasicQueue>>(
    folder: &Path,
    semantics: Semantics,
    runner: Runner<S>,
    journal: &Path,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut run = Run {
        semantics,
        runner,
        oracle: (semantics == Semantics::Strict).then(|| Runner::in_memory(Semantics::Reference)),
        snapshots: snapshots(&folder.join("snapshots.jsonl"))?,
        recorded_log: String::new(),
        expected_log: String::new(),
        tally,
    };
    let ops = folder.join("ops.jsonl");
    for_each_line(&ops, |number, line| {
        let step = Step::parse(line).map_err(|error| Failure::content(&ops, number, error))?;
        run.step(&step)?;
        Ok(true)
    })?;
    run.finish(folder, journal)
}

/// A recorded run in progress.
struct Run<'a, S> {
    semantics: Semantics,
    runner: Runner<S>,
    /// A store with the reference's answers beside a strict one, to explain differences.
    oracle: Option<Runner>,
    /// Recorded states by the number of the operation that comes next.
    snapshots: BTreeMap<u64, Vec<String>>,
    /// The log lines of the recorded operations.
    recorded_log: String,
    /// The same, with the lines of operations that listed differences account for.
    expected_log: String,
    tally: &'a mut Tally,
}

impl<S: QueueStore<Queue = BasicQueue>> Run<'_, S> {
    fn step(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        if let Some(expected) = self.snapshots.remove(&step.number) {
            let place = format!("snapshot before operation {}", step.number);
            let got = self.runner.state()?;
            state::compare(&place, &expected, &got, self.semantics, self.tally);
        }
        self.tally.compared("operations", 1);
        self.tally.compared("log lines", step.log.len() as u64);
        let outcome = self.runner.run(step)?;
        append(&mut self.recorded_log, &step.log);
        match outcome.line == step.line {
            true => append(&mut self.expected_log, &step.log),
            false => self.differs(step, &outcome)?,
        }
        self.ask_oracle(step)
    }

    fn differs(&mut self, step: &Step<'_>, outcome: &Outcome) -> Result<(), Failure> {
        let kind = self.oracle.as_ref().and_then(|oracle| kind_of(step, outcome, oracle));
        let Some(kind) = kind else {
            let place = format!("operation {} {}", step.number, step.op);
            self.tally.unlisted(place, step.line, &outcome.line);
            append(&mut self.expected_log, &step.log);
            return Ok(());
        };
        self.tally.listed(kind, 1);
        append(&mut self.expected_log, &outcome.log);
        match kind {
            Kind::RecipientIdReused | Kind::LinkIdReused => self.take_back(step),
            _ => Ok(()),
        }
    }

    /// A queue that the reference refused is deleted again, so that both stay in step.
    fn take_back(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        let Call::AddQueue(id, _) = &step.call else {
            return Ok(());
        };
        let store = &self.runner.store;
        let queue = store.get_queue(&QueueKey::Recipient(id.clone()));
        let deleted = queue.and_then(|queue| store.delete_queue(&queue));
        deleted.map_err(|error| Failure::store("taking a queue back", &error))?;
        let log = self.runner.appended()?;
        self.tally.lines("the record of taking a queue back", &[format!("DELETE {id}")], &log);
        append(&mut self.expected_log, &log);
        Ok(())
    }

    /// The oracle explains differences, so it must itself answer as recorded.
    fn ask_oracle(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        let Some(oracle) = &mut self.oracle else {
            return Ok(());
        };
        let outcome = oracle.run(step)?;
        if outcome.args != step.args || outcome.result != step.result {
            let place =
                format!("operation {} {} of the reference store beside", step.number, step.op);
            self.tally.unlisted(place, step.result, &outcome.result);
        }
        Ok(())
    }

    /// The final state and the whole journal.
    fn finish(self, folder: &Path, journal: &Path) -> Result<(), Failure> {
        let expected = lines(&folder.join("final.jsonl"))?;
        let got = self.runner.state()?;
        state::compare("final.jsonl", &expected, &got, self.semantics, self.tally);
        let store = &self.runner.store;
        store.close().map_err(|error| Failure::store("closing the journal", &error))?;
        for number in self.snapshots.keys() {
            let place = format!("snapshot before operation {number}");
            self.tally.unlisted(place, "a state", "(no such operation)");
        }
        let recorded = text(&folder.join("store.log"))?;
        if self.recorded_log != recorded {
            let place = "store.log against the log lines of ops.jsonl";
            self.tally.unlisted(place, &recorded, &self.recorded_log);
        }
        let written = text(journal)?;
        if self.expected_log != written {
            self.tally.unlisted("the journal written", &self.expected_log, &written);
        }
        self.tally.compared("journal bytes", written.len() as u64);
        Ok(())
    }
}

fn append(log: &mut String, lines: &[String]) {
    for line in lines {
        log.push_str(line);
        log.push('\n');
    }
}
