//! The other process: this program again, as workers that tell what they do.

use std::io::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simplex_stores::agent_store::AgentStore;
use simplex_stores::agent_store::types::{ConnId, ConnectionMode};
use simplex_stores::sync::thread;

use super::connection_fixture::new_conn_data;
use super::steps::{Habit, Step};
use super::worker::{Worker, open};

/// Says what this test's process is to do when it is somebody's child.
pub(crate) const ROLE: &str = "AGENT_TEST_ROLE";
/// What a line begins with; the test runner writes others.
pub(crate) const MARK: &str = "agent ";

/// What a child does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    /// The file, or the URL.
    pub(crate) database: String,
    pub(crate) workers: Vec<u8>,
    pub(crate) habit: Habit,
    /// How many steps each worker does; without it, until it is killed or something fails.
    pub(crate) steps: Option<u32>,
    pub(crate) fault: Option<Fault>,
}

/// What a bad store would do, after a few steps that are right: what watches has to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// A transaction is told as done before it is committed.
    Early,
    /// What belongs to one transaction is done in two.
    Torn,
}

/// What a child tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It is about to open the database.
    Opening,
    /// It has opened it, and waits for a line.
    Ready,
    /// This worker begins this step.
    Begin(u8, Step),
    /// The transaction of what it began has returned.
    Done(u8),
    /// The transaction failed, and the worker stops.
    Failed(u8, String),
    /// The fault was made, and now somebody has to end the process.
    Faulty,
}

/// One write a line, so that lines of several threads never mix.
fn tell(line: &Line) {
    let line = format!("{MARK}{}\n", serde_json::to_string(line).unwrap());
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn wait() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// Does nothing unless a test started it.
#[test]
fn the_other_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let role: Role = serde_json::from_str(&role).unwrap();
    // What the test runner wrote stands on a line of its own.
    std::io::stdout().write_all(b"\n").unwrap();
    tell(&Line::Opening);
    let store = Arc::new(open(&AgentStore::config(&role.database).unwrap()));
    let resume = |number: &u8| Worker::resume(&store, *number, role.habit);
    let workers: Vec<Worker> = role.workers.iter().map(resume).collect();
    tell(&Line::Ready);
    wait();
    let start = |worker| {
        let (store, role) = (Arc::clone(&store), role.clone());
        thread::spawn(move || work(&store, &role, worker))
    };
    let workers: Vec<_> = workers.into_iter().map(start).collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

fn work(store: &AgentStore, role: &Role, mut worker: Worker) {
    let (mut done, number) = (0, worker.number);
    while role.steps.is_none_or(|steps| done < steps) {
        if let Some(fault) = role.fault.filter(|_| done == 5) {
            return misbehave(store, &mut worker, fault);
        }
        let step = worker.choose();
        tell(&Line::Begin(number, step.clone()));
        match worker.take(store, &step) {
            Ok(()) => tell(&Line::Done(number)),
            Err(error) => return tell(&Line::Failed(number, error.to_string())),
        }
        done += 1;
    }
}

fn misbehave(store: &AgentStore, worker: &mut Worker, fault: Fault) {
    let number = worker.number;
    let step = Step::Connect { conn: format!("{number}-with a fault") };
    tell(&Line::Begin(number, step.clone()));
    match fault {
        Fault::Early => {
            let early = || {
                tell(&Line::Done(number));
                tell(&Line::Faulty);
                wait();
            };
            worker.take_and(store, &step, early).unwrap();
        }
        Fault::Torn => {
            let data = new_conn_data(worker.user(), &format!("{number}-with a fault"));
            let half = |tx: &mut simplex_stores::agent_store::AgentTx<'_>| {
                tx.create_new_conn(&mut rand::rng(), &data, ConnectionMode::Invitation)
            };
            let _: ConnId = store.transaction("half a step", half).unwrap();
            tell(&Line::Faulty);
            wait();
        }
    }
}
