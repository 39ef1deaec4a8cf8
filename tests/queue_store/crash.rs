//! A process killed under load: what it acknowledged is there after a restart, as its durability
//! promises, and what is there is what some of its threads did, in their order.
//!
//! The child is this test binary again, running [`child`]: several threads work on one store and
//! print a line for every call that returned success. The parent reads a random number of lines,
//! kills the child, reads what is left in the pipe, and starts the store again from the journal.
//! `SIMPLEX_STORES_KILLS` sets how many times for each durability (default 50 with `Fsync`, 10 with
//! the others).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use simplex_stores::protocol::{AuthKey, RecipientId, SenderId, ServiceParty, ServiceRole};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{Durability, StoreLogConfig};
use simplex_stores::sync::thread;
use simplex_stores::testing::queue_store::sample;

const FOLDER: &str = "SIMPLEX_STORES_CRASH_FOLDER";
const DURABILITY: &str = "SIMPLEX_STORES_CRASH_DURABILITY";
const THREADS: u8 = 3;

/// A child that need not wait for the disk adds hundreds of queues before it is killed, each start
/// reads what all children before it left, and each start keeps a backup of that: on one log the
/// time and the space would grow with the square of the kills.
const KILLS_A_LOG: usize = 20;

/// How far a queue has come: what its thread does with it, one step after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Absent,
    Added,
    Secured,
    Associated,
    Deleted,
}

const STAGES: [(&str, Stage); 4] = [
    ("added", Stage::Added),
    ("secured", Stage::Secured),
    ("associated", Stage::Associated),
    ("deleted", Stage::Deleted),
];

fn config(folder: &Path, durability: Durability) -> StoreLogConfig {
    StoreLogConfig::new(folder.join("store.log")).durability(durability)
}

/// Works until it is killed; does nothing unless the parent started it.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let durability = match std::env::var(DURABILITY).unwrap().as_str() {
        "Memory" => Durability::Memory,
        "Flush" => Durability::Flush,
        _ => Durability::Fsync,
    };
    let config = config(Path::new(&folder), durability);
    let store = Arc::new(StmQueueStore::open(&config, BasicFactory).unwrap().0);
    let workers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let store = Arc::clone(&store);
            thread::spawn(move || work(&store, thread))
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

/// One write a line, so that lines of several threads never mix.
fn acknowledge(thread: u8, stage: &str, id: &RecipientId) {
    let line = format!("ack {thread} {stage} {id}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn work(store: &StmQueueStore, thread: u8) {
    let mut rng = rand::rng();
    loop {
        let service = sample::service(thread, thread, ServiceRole::Messaging);
        let service = store.get_or_create_service(service).unwrap();
        let id = RecipientId::random(&mut rng);
        let mut record = sample::record(1);
        record.sender_id = SenderId::random(&mut rng);
        let queue = store.add_queue(id.clone(), record).unwrap();
        acknowledge(thread, "added", &id);
        store.secure_queue(&queue, AuthKey::X25519([7; 32])).unwrap();
        acknowledge(thread, "secured", &id);
        store.set_queue_service(&queue, ServiceParty::Receiver, Some(service)).unwrap();
        acknowledge(thread, "associated", &id);
        if rng.random_bool(0.3) {
            store.delete_queue(&queue).unwrap();
            acknowledge(thread, "deleted", &id);
        }
    }
}

/// For each thread, its queues in the order in which it made them, with the last stage acknowledged.
type Acknowledged = BTreeMap<String, Vec<(String, Stage)>>;

fn run_and_kill(folder: &Path, durability: Durability, lines: usize) -> Acknowledged {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(DURABILITY, format!("{durability:?}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Acknowledged::new();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, ack)) = line.split_once("ack ") else {
            continue;
        };
        let [thread, stage, id] = ack.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not an acknowledgement: {line}");
        };
        let (_, stage) = STAGES.iter().find(|(name, _)| *name == stage).unwrap();
        let queues = acknowledged.entry(thread.into()).or_default();
        match queues.last_mut() {
            Some((last, reached)) if last == id => *reached = *stage,
            _ => queues.push((id.into(), *stage)),
        }
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= lines, "the child ended after {seen} acknowledgements");
    acknowledged
}

/// What the restarted store says of each queue that it has.
fn stages(store: &StmQueueStore) -> BTreeMap<String, Stage> {
    let stage = |record: &simplex_stores::protocol::QueueRec| match (
        &record.sender_key,
        &record.rcv_service_id,
    ) {
        (None, None) => Stage::Added,
        (Some(_), None) => Stage::Secured,
        (Some(_), Some(_)) => Stage::Associated,
        (None, Some(_)) => panic!("associated before it was secured"),
    };
    let queues = store.snapshot().queues.into_iter();
    queues.map(|queue| (queue.id.to_string(), stage(&queue.record.unwrap()))).collect()
}

/// Kills so many children and checks the journal after each. No more than [`KILLS_A_LOG`] of them
/// share a log.
fn kill_again_and_again(durability: Durability, kills: usize) {
    let mut rng = SmallRng::seed_from_u64(20);
    for first in (0..kills).step_by(KILLS_A_LOG) {
        kill_on_one_log(&mut rng, durability, KILLS_A_LOG.min(kills - first));
    }
}

fn kill_on_one_log(rng: &mut SmallRng, durability: Durability, kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut kept: BTreeMap<String, Stage> = BTreeMap::new();
    for _ in 0..kills {
        let acknowledged = run_and_kill(folder.path(), durability, rng.random_range(1..90));
        let config = config(folder.path(), durability);
        let (store, report) = StmQueueStore::open(&config, BasicFactory).unwrap();
        assert_eq!(report.replay.unreadable, 0);
        store.check_invariants().unwrap();
        let state = stages(&store);
        for (id, stage) in &kept {
            assert_eq!(state.get(id), Some(stage), "{id} was there before this run");
        }
        for queues in acknowledged.values() {
            match durability {
                Durability::Memory => check_prefix(queues, &state),
                Durability::Flush | Durability::Fsync => check_acknowledged(queues, &state),
            }
        }
        kept = state;
        store.close().unwrap();
    }
}

/// Everything acknowledged is there. The call that the kill cut off may be there too.
fn check_acknowledged(queues: &[(String, Stage)], state: &BTreeMap<String, Stage>) {
    for (at, (id, acknowledged)) in queues.iter().enumerate() {
        let is_last = at + 1 == queues.len();
        match state.get(id) {
            Some(stage) => assert!(
                stage >= acknowledged && (is_last || stage == acknowledged),
                "{id} is {stage:?}, and {acknowledged:?} was acknowledged"
            ),
            None => assert!(
                *acknowledged == Stage::Deleted || (is_last && *acknowledged == Stage::Associated),
                "{id} is lost after {acknowledged:?} was acknowledged"
            ),
        }
    }
}

/// Without durability the journal still holds a beginning of what each thread did, and no gaps.
fn check_prefix(queues: &[(String, Stage)], state: &BTreeMap<String, Stage>) {
    let mut cut = false;
    for (id, acknowledged) in queues {
        let reached = state.get(id).copied().unwrap_or(Stage::Absent);
        if *acknowledged == Stage::Deleted && reached == Stage::Absent {
            continue; // deleted, or never written: both look the same
        }
        assert!(!cut || reached == Stage::Absent, "{id} is there, and an earlier call is not");
        cut = cut || reached < *acknowledged;
    }
}

fn kills(default: usize) -> usize {
    let kills = std::env::var("SIMPLEX_STORES_KILLS").ok().and_then(|n| n.parse().ok());
    kills.unwrap_or(default)
}

#[test]
fn killed_process_keeps_everything_acknowledged_with_fsync() {
    kill_again_and_again(Durability::Fsync, kills(50));
}

#[test]
fn killed_process_keeps_everything_acknowledged_with_flush() {
    kill_again_and_again(Durability::Flush, kills(10));
}

#[test]
fn killed_process_keeps_a_beginning_of_each_threads_work_without_durability() {
    kill_again_and_again(Durability::Memory, kills(10));
}
