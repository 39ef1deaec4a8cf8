//! What the parent does: loads, and what must hold after them.

use std::collections::BTreeMap;

use postgres::Client;
use simplex_stores::queue_store::QueueStore as _;
use simplex_stores::queue_store::postgres::maintenance;
use simplex_stores::testing::history::{self, Call};
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, sample};

use super::child::{calls, is_call, is_one_step, marker};
use super::{Children, Made, Said, register};
use crate::fixture::client;
use crate::store::support::{Databases, count, rows, until};

const PROCESSES: usize = 4;
/// How many histories are searched for an order of their calls, and how many calls a process makes in each.
const HISTORIES: u64 = 25;
const STEPS: usize = 6;

/// The locks of processes that have the schema open together.
const GUARDS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND mode = 'ShareLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// Ends the connection on which one of them listens, whichever the server finds.
const END_A_GUARD: &str = "SELECT count(pg_terminate_backend(pid, 10000)) FROM (
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     ORDER BY random() LIMIT 1) guard";

/// What is done to the processes while they work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    None,
    /// Every so many answers, the connection on which a process listens is ended.
    EndGuards(usize),
    /// After so many answers the first process is killed.
    KillFirst(usize),
}

struct Place {
    databases: Databases,
    client: Client,
}

impl Place {
    fn new() -> Self {
        let databases = Databases::new();
        let mut client = client(&databases.database);
        client.batch_execute("CREATE SEQUENCE public.moments").unwrap();
        Self { databases, client }
    }

    fn add_markers(&self) {
        let store = self.databases.empty(&self.databases.config());
        for number in 0..PROCESSES {
            store.add_queue(marker(number), sample::record(200 + number as u8)).unwrap();
        }
        store.close().unwrap();
    }

    fn disturb(&mut self, disturbance: Disturbance, answered: usize, children: &mut Children) {
        match disturbance {
            Disturbance::EndGuards(every) if answered.is_multiple_of(every) => {
                count(&mut self.client, END_A_GUARD);
            }
            Disturbance::KillFirst(at) if answered == at => {
                children.kill(0);
                // What it had begun comes to its end, or to nothing.
                let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'child-0'";
                count(&mut self.client, end);
            }
            _ => {}
        }
    }

    /// Has all of them work; every call that was made, with its answer where there is one.
    fn load(&mut self, children: &mut Children, seed: u64, disturbance: Disturbance) -> Vec<Made> {
        let per_child = std::env::var("SIMPLEX_STORES_CALLS").ok();
        let per_child = per_child.map_or(200, |calls| calls.parse().unwrap());
        let lists: Vec<_> =
            (0..PROCESSES).map(|child| calls(seed + child as u64, per_child, is_call)).collect();
        for child in 0..PROCESSES {
            children.tell(child, &format!("load {seed} {per_child}"));
        }
        let made = self.collect(children, &lists, disturbance);
        let answered = made.iter().filter(|call| call.answer.is_some()).count();
        let killed = matches!(disturbance, Disturbance::KillFirst(_));
        assert_eq!(answered < PROCESSES * per_child, killed);
        made
    }

    fn collect(
        &mut self,
        children: &mut Children,
        lists: &[Vec<QueueOp>],
        disturbance: Disturbance,
    ) -> Vec<Made> {
        let mut made: BTreeMap<(usize, usize), Made> = BTreeMap::new();
        let (mut working, mut answered) = (lists.len(), 0);
        while working > 0 {
            match children.said.recv().unwrap() {
                (child, Said::Begins(number, called)) => {
                    let op = lists[child][number].clone();
                    let call = Call { op, answer: None, called, returned: u64::MAX };
                    made.insert((child, number), call);
                }
                (child, Said::Answered(number, returned, answer)) => {
                    let call = made.get_mut(&(child, number)).unwrap();
                    (call.answer, call.returned) = (Some(answer), returned);
                    answered += 1;
                    self.disturb(disturbance, answered, children);
                }
                (_, Said::Done(_)) => working -= 1,
                (0, Said::Gone) if matches!(disturbance, Disturbance::KillFirst(_)) => working -= 1,
                (child, Said::Gone) => panic!("child {child} is gone"),
            }
        }
        made.into_values().collect()
    }

    /// What holds of the database, whoever has worked on it.
    fn check_database(&mut self, calls: &[Made], serves_dates: bool) {
        let report = maintenance::check(&self.databases.settings()).unwrap();
        assert!(report.holds(), "{report:?}");
        let rows = rows(&mut self.client);
        let notifiers = rows.values().filter_map(|row| Some(&row.notifier.as_ref()?.notifier_id));
        let links = rows.values().filter_map(|row| Some(&row.link.as_ref()?.id));
        let senders = rows.values().map(|row| &row.sender_id);
        assert_unique(notifiers);
        assert_unique(links);
        assert_unique(senders);
        register::check(calls, &rows, serves_dates);
    }

    fn run(mut self, use_cache: [bool; PROCESSES], seed: u64, disturbance: Disturbance) {
        self.add_markers();
        let mut children = Children::start(&self.databases.database, &use_cache);
        let calls = self.load(&mut children, seed, disturbance);
        let first = usize::from(matches!(disturbance, Disturbance::KillFirst(_)));
        children.all.drain(..first);
        // From here on no connection is ended, and the last that was has a successor.
        until(&mut self.client, GUARDS, children.all.len() as i64);
        self.check_database(&calls, use_cache.contains(&true));
        children.tell_all(&format!("trust {PROCESSES}"));
        children.tell_all("mark 1");
        children.tell_all(&format!("see 1 {first} {PROCESSES}"));
        children.tell_all("compare");
        children.end();
    }
}

fn assert_unique<'a, T: Ord + 'a>(ids: impl Iterator<Item = &'a T>) {
    let mut ids: Vec<&T> = ids.collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn race38_four_processes_without_caches_lose_no_change() {
    Place::new().run([false; 4], 100, Disturbance::None);
}

#[test]
fn race53_four_processes_with_caches_lose_no_change_and_come_to_see_the_same() {
    Place::new().run([true; 4], 200, Disturbance::None);
}

#[test]
fn race53_so_do_they_when_the_connections_that_they_listen_on_are_ended_again_and_again() {
    Place::new().run([true; 4], 300, Disturbance::EndGuards(40));
}

#[test]
fn race53_so_do_some_with_caches_and_some_without() {
    Place::new().run([true, false, true, false], 400, Disturbance::EndGuards(100));
}

#[test]
fn race53_when_one_is_killed_the_others_go_on_and_nothing_acknowledged_is_lost() {
    Place::new().run([true, true, false, true], 500, Disturbance::KillFirst(150));
}

/// Without caches their answers are those of one store: some order of all calls explains them.
#[test]
fn race38_the_answers_of_four_processes_without_caches_are_linearizable() {
    let mut place = Place::new();
    let mut children = Children::start(&place.databases.database, &[false; PROCESSES]);
    for history in 0..HISTORIES {
        let seed = 1000 + 10 * history;
        place.client.batch_execute("TRUNCATE msg_queues, services CASCADE").unwrap();
        let lists: Vec<_> =
            (0..PROCESSES).map(|child| calls(seed + child as u64, STEPS, is_one_step)).collect();
        for child in 0..PROCESSES {
            children.tell(child, &format!("steps {seed} {STEPS}"));
        }
        let calls = place.collect(&mut children, &lists, Disturbance::None);
        let calls: Vec<Call<_, _>> = calls
            .into_iter()
            .map(|Call { op, answer, called, returned }| Call {
                op,
                answer: answer.unwrap(),
                called,
                returned,
            })
            .collect();
        if let Err(error) = history::check(&QueueModel::default(), &calls) {
            panic!("{error} in {calls:#?}");
        }
    }
    children.end();
}
