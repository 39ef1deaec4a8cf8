//! Who listens to a child, and looks at what it left.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{ChildStdout, Command, Stdio};

use simplex_stores::agent_store::AgentStore;
use simplex_stores::agent_store::maintenance::check;
use simplex_stores::sync::thread;

use super::child::{Fault, Line, MARK, ROLE, Role};
use super::fixture::Place;
use super::state::State;
use super::steps::{Habit, Step};
use super::worker::{load, open};

impl Role {
    /// Workers 0 and 1, until they are killed.
    pub(crate) fn of(place: &Place) -> Self {
        Self {
            database: place.name(),
            workers: vec![0, 1],
            habit: Habit::Mixed,
            steps: None,
            fault: None,
        }
    }

    pub(crate) fn steps(self, steps: u32) -> Self {
        Self { steps: Some(steps), ..self }
    }

    pub(crate) fn hoards(self) -> Self {
        Self { habit: Habit::Hoards, ..self }
    }

    /// One worker, which goes wrong.
    pub(crate) fn with(self, fault: Fault) -> Self {
        Self { workers: vec![0], fault: Some(fault), ..self }
    }
}

/// A child that runs.
pub(crate) struct Child {
    process: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    pub(crate) fn start(role: &Role) -> Self {
        Self::start_as(Command::new(std::env::current_exe().unwrap()), role)
    }

    /// The same by a command that ends with this program's name.
    pub(crate) fn start_as(mut command: Command, role: &Role) -> Self {
        let mut process = command
            .args(["--exact", "child::the_other_process", "--nocapture"])
            .env(ROLE, serde_json::to_string(role).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// What it tells next; nothing more when it has ended.
    pub(crate) fn hear(&mut self) -> Option<Line> {
        let mut marked = self.lines.by_ref().map(Result::unwrap);
        let line = marked.find_map(|line| line.strip_prefix(MARK).map(str::to_owned))?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Waits until it has opened the database.
    pub(crate) fn wait_until_ready(&mut self) {
        assert_eq!(self.hear(), Some(Line::Opening));
        assert_eq!(self.hear(), Some(Line::Ready));
    }

    /// Lets it begin.
    pub(crate) fn go(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// The same when it has opened the database.
    pub(crate) fn set_to_work(role: &Role) -> Self {
        let mut child = Self::start(role);
        child.wait_until_ready();
        child.go();
        child
    }

    /// Kills it; what it told before can still be heard.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Whether it ended well.
    pub(crate) fn ended_well(mut self) -> bool {
        drop(self.process.stdin.take());
        self.process.wait().unwrap().success()
    }
}

/// What workers told: what the database has to hold of each, and what each had begun and not ended.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) states: BTreeMap<u8, State>,
    open: BTreeMap<u8, Step>,
    pub(crate) failed: BTreeMap<u8, String>,
    pub(crate) done: u64,
}

/// What was found in the database of all that had been begun and not ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) there: u64,
    pub(crate) not_there: u64,
}

impl Told {
    /// These workers have done nothing yet.
    pub(crate) fn of(workers: impl IntoIterator<Item = u8>) -> Self {
        let states = workers.into_iter().map(|worker| (worker, State::default())).collect();
        Self { states, ..Self::default() }
    }

    /// Hears one line of the child; says whether there was one.
    pub(crate) fn hear(&mut self, child: &mut Child) -> bool {
        let line = child.hear();
        line.map(|line| self.note(line)).is_some()
    }

    /// Hears everything up to this line.
    pub(crate) fn hear_until(&mut self, child: &mut Child, last: &Line) {
        loop {
            let line = child.hear().expect("it ended by itself");
            if line == *last {
                return;
            }
            self.note(line);
        }
    }

    fn note(&mut self, line: Line) {
        match line {
            Line::Begin(worker, step) => {
                assert_eq!(self.open.insert(worker, step), None);
            }
            Line::Done(worker) => {
                let step = self.open.remove(&worker).unwrap();
                step.apply(self.states.get_mut(&worker).unwrap());
                self.done += 1;
            }
            Line::Failed(worker, error) => {
                self.failed.insert(worker, error);
            }
            Line::Opening | Line::Ready | Line::Faulty => panic!("it told {line:?}"),
        }
    }

    /// Hears everything that is left.
    pub(crate) fn hear_all(&mut self, child: &mut Child) {
        while self.hear(child) {}
    }

    /// Looks at the database: it opens, its check finds nothing, everything that was done is there, and what had
    /// only begun is there whole or not at all. From then on, what was found is what has to be there.
    pub(crate) fn find(&mut self, place: &Place) -> Result<Open, String> {
        let store = settled(place);
        let report = check(&place.config(), |_| ()).map_err(|error| error.to_string())?;
        if !report.findings.is_empty() || report.failed.iter().any(|kind| kind.count > 0) {
            return Err(format!("the check found {:?} and {:?}", report.findings, report.failed));
        }
        let mut open = Open::default();
        for (worker, expected) in &mut self.states {
            let found = load(&store, *worker);
            let Some(step) = self.open.remove(worker) else {
                if found != *expected {
                    return Err(differing(expected, &found));
                }
                continue;
            };
            let mut after = expected.clone();
            step.apply(&mut after);
            let refused =
                self.failed.get(worker).is_some_and(|e| e.contains("nothing was changed"));
            if found == *expected {
                open.not_there += 1;
            } else if found == after && !refused {
                open.there += 1;
            } else {
                return Err(format!("{step:?}\n{}", differing(expected, &found)));
            }
            *expected = found;
        }
        self.failed.clear();
        Ok(open)
    }
}

fn differing(expected: &State, found: &State) -> String {
    format!("told: {expected:#?}\nfound: {found:#?}")
}

/// The database, when nobody else is at work: a server may still be busy with what a killed process began.
fn settled(place: &Place) -> AgentStore {
    if let Place::Server(database) = place {
        let mut client = database.client().unwrap();
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
        // Nothing else says when a server's process has ended.
        while client.query_one(others, &[]).unwrap().get::<_, i64>(0) > 0 {
            thread::yield_now();
        }
    }
    open(&place.config())
}
