//! Four processes on one database.
//!
//! A child is this test binary again, running [`child::child`]: a store of its own, which makes random calls on a
//! few queues that all of them work on. The parent tells it what to do next and reads what each call
//! answered, and between which moments; the moments are numbers of a sequence in the database.
//!
//! `SIMPLEX_STORES_CALLS` says how many calls each makes (default 200).

mod child;
mod load;
mod rates;
mod register;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use simplex_stores::sync::channel::{self, Receiver};
use simplex_stores::sync::thread;
use simplex_stores::testing::history::Call;
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::{Answer, QueueOp};

/// What the child is told by its environment.
const URL: &str = "SIMPLEX_STORES_CHILD_URL";
const USE_CACHE: &str = "SIMPLEX_STORES_CHILD_CACHE";
const NUMBER: &str = "SIMPLEX_STORES_CHILD_NUMBER";

/// What a child's lines begin with; the test runner prints others.
const MARK: &str = "@@ ";

/// The children, and what they say.
struct Children {
    all: Vec<(Child, ChildStdin)>,
    said: Receiver<(usize, Said)>,
}

/// What a child says.
#[derive(Debug)]
enum Said {
    /// The call of this number is made from this moment on.
    Begins(usize, u64),
    /// It answered before this moment.
    Answered(usize, u64, Answer),
    /// It has done what it was told.
    Done(String),
    /// Nothing any more.
    Gone,
}

impl Children {
    /// Starts a child for each, with or without a cache.
    fn start(database: &TestDatabase, use_cache: &[bool]) -> Self {
        let (sender, said) = channel::unbounded();
        let mut all = Vec::new();
        for (number, use_cache) in use_cache.iter().enumerate() {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::processes::child::child", "--nocapture"])
                .env(URL, format!("{} application_name=child-{number}", database.url()))
                .env(USE_CACHE, use_cache.to_string())
                .env(NUMBER, number.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if let Some((_, line)) = line.split_once(MARK) {
                        sender.send((number, said_in(line))).unwrap();
                    }
                }
                let _ = sender.send((number, Said::Gone));
            });
            all.push((child, stdin));
        }
        let mut children = Self { all, said };
        children.answers_of_each("ready");
        children
    }

    fn tell(&mut self, number: usize, what: &str) {
        writeln!(self.all[number].1, "{what}").unwrap();
    }

    /// Tells each of them, and waits until all have done it.
    fn tell_all(&mut self, what: &str) {
        for number in 0..self.all.len() {
            self.tell(number, what);
        }
        self.answers_of_each(what);
    }

    fn answers_of_each(&mut self, what: &str) {
        for _ in 0..self.all.len() {
            match self.said.recv().unwrap() {
                (_, Said::Done(done)) if done == what => {}
                (number, other) => panic!("child {number} instead of {what}: {other:?}"),
            }
        }
    }

    fn kill(&mut self, number: usize) {
        let (child, _) = &mut self.all[number];
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn end(self) {
        for (mut child, stdin) in self.all {
            drop(stdin);
            assert!(child.wait().unwrap().success());
        }
    }
}

fn said_in(line: &str) -> Said {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    match word() {
        "begins" => Said::Begins(word().parse().unwrap(), word().parse().unwrap()),
        "answered" => {
            let (number, moment) = (word().parse().unwrap(), word().parse().unwrap());
            Said::Answered(number, moment, serde_json::from_str(word()).unwrap())
        }
        "done" => Said::Done(line.trim_start_matches("done ").to_owned()),
        _ => panic!("not understood: {line}"),
    }
}

/// A call of a child, or one that a killed child may have made: it has no end.
type Made = Call<QueueOp, Option<Answer>>;
