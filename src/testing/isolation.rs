//! Transactions on a real database in every order of their steps.
//!
//! A *session* is ordinary code with transactions in it, on a thread of its own; it says where another session may
//! go on in its place ([`Steps`]). [`permute`] runs the sessions again and again, each time in another
//! order of their steps, until it has seen all orders. A step that has to wait for another session's
//! lock is left waiting, others go on, and it comes to its end when the lock is given back: as in PostgreSQL's
//! own isolation tester, and as between processes that nobody schedules. What a model checker does to threads, this
//! does to transactions; the database is the real one.
//!
//! ```
//! use simplex_stores::sync::Mutex;
//! use simplex_stores::testing::isolation::{Session, Steps, Writers, permute};
//! use std::ops::ControlFlow;
//!
//! // Two sessions read a number and write it back one greater; between the two, the other may do the same.
//! let add = |number: &Mutex<u8>, steps: &Steps| {
//!     let read = *number.lock();
//!     steps.between();
//!     *number.lock() = read + 1;
//! };
//! let sessions = [Session::new("one", add), Session::new("other", add)];
//! let mut lost = 0;
//! let orders = permute(Writers::One, &sessions, || Mutex::new(0), |number, _, _| {
//!     lost += usize::from(*number.lock() == 1);
//!     ControlFlow::Continue(())
//! });
//! assert_eq!((orders, lost), (6, 4));
//! ```

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::db::fault;
use crate::sync::channel::{Receiver, Sender, TryRecvError, unbounded};
use crate::sync::thread::{self, JoinHandle};

type Run<S, R> = dyn Fn(&S, &Steps) -> R + Send + Sync;

/// Code with transactions in it.
pub struct Session<S, R> {
    name: &'static str,
    run: Arc<Run<S, R>>,
}

impl<S, R> Session<S, R> {
    /// With a name for messages. `run` gets what was prepared for this order, and what it returns is given to the
    /// check.
    pub fn new(name: &'static str, run: impl Fn(&S, &Steps) -> R + Send + Sync + 'static) -> Self {
        Self { name, run: Arc::new(run) }
    }
}

impl<S, R> fmt::Debug for Session<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How many may write at once, and so who waits.
pub enum Writers<'a> {
    /// One, as on SQLite: no session begins a step while another is within a transaction.
    One,
    /// Many, as on a server. The function says how many of the server's processes that the sessions use wait for
    /// a lock; it is asked until that is clear. No session may wait for a connection of a pool.
    Many(&'a mut dyn FnMut() -> usize),
}

/// Where a session may be left for another.
#[derive(Clone, Debug)]
pub struct Steps {
    session: usize,
    go: Receiver<()>,
    told: Sender<(usize, At)>,
}

impl Steps {
    /// Between two steps, in no transaction.
    pub fn between(&self) {
        self.pause(At::Between);
    }

    /// Between two steps of one transaction.
    pub fn within(&self) {
        self.pause(At::Within);
    }

    /// Runs `work`, each of whose statements is a step of a transaction, as is each commit.
    pub fn at_each_statement<T>(&self, work: impl FnOnce() -> T) -> T {
        let steps = self.clone();
        // Who is here was told to go on: the first statement is what that is for.
        let begun = Cell::new(false);
        let step = move |_: &str| {
            if begun.replace(true) {
                steps.within();
            }
        };
        fault::at_each_statement(step, work)
    }

    /// Runs `work`; a step of its transactions begins at each statement with one of these
    /// [names](crate::db::Sql::name), and at a commit, which is called `commit`.
    pub fn at_statements<T>(&self, names: &'static [&'static str], work: impl FnOnce() -> T) -> T {
        let steps = self.clone();
        let step = move |name: &str| {
            if names.contains(&name) {
                steps.within();
            }
        };
        fault::at_each_statement(step, work)
    }

    fn pause(&self, at: At) {
        // When nobody listens or says go, the order was given up: the session goes on by itself.
        let _ = self.told.send((self.session, at));
        let _ = self.go.recv();
    }
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// It may go on, and is in no transaction.
    Between,
    /// It may go on, within a transaction.
    Within,
    /// It was told to go on, and runs or waits for a lock.
    OnItsWay,
    End,
}

/// In which order the steps were begun.
pub struct Order<'a> {
    names: Vec<&'static str>,
    steps: &'a [usize],
}

impl fmt::Display for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().map(|step| self.names.get(*step).copied().unwrap_or("?"));
        f.write_str(&steps.collect::<Vec<_>>().join(", "))
    }
}

/// Runs the sessions in every order of their steps, and `check` after each, until that breaks it off; says how many
/// orders there were.
///
/// For each order `prepare` makes what the sessions share. They must do the same each time that they meet the
/// same: what is left to chance makes orders that don't repeat themselves.
///
/// # Panics
///
/// When a session or `check` does, after writing the order to the standard error.
pub fn permute<S: Send + Sync + 'static, R: Send + 'static>(
    mut writers: Writers<'_>,
    sessions: &[Session<S, R>],
    mut prepare: impl FnMut() -> S,
    mut check: impl FnMut(&S, &[R], &Order<'_>) -> ControlFlow<()>,
) -> usize {
    let mut next = Some(Vec::new());
    let mut orders = 0;
    while let Some(prefix) = next {
        let shared = Arc::new(prepare());
        let mut running = Running::start(sessions, &shared);
        let choices = running.follow(&mut writers, &prefix);
        let steps: Vec<usize> = choices.iter().map(|choice| choice.taken).collect();
        let names = sessions.iter().map(|session| session.name).collect();
        let order = Order { names, steps: &steps };
        let _shown = ShownOnPanic(&order);
        let results = running.results();
        orders += 1;
        next = match check(&shared, &results, &order) {
            ControlFlow::Continue(()) => after(&choices),
            ControlFlow::Break(()) => None,
        };
    }
    orders
}

/// A place where there was a choice.
struct Choice {
    /// Who could go on, in rising order.
    enabled: Vec<usize>,
    taken: usize,
}

/// The beginning of the next order: the last choice that has an alternative left takes that.
fn after(choices: &[Choice]) -> Option<Vec<usize>> {
    (0..choices.len()).rev().find_map(|last| {
        let (choice, before) = (choices.get(last)?, choices.get(..last)?);
        let other = *choice.enabled.iter().find(|enabled| **enabled > choice.taken)?;
        Some(before.iter().map(|choice| choice.taken).chain([other]).collect())
    })
}

/// The sessions of one order.
struct Running<R> {
    at: Vec<At>,
    go: Vec<Sender<()>>,
    told: Receiver<(usize, At)>,
    threads: Vec<JoinHandle<R>>,
}

impl<R: Send + 'static> Running<R> {
    fn start<S: Send + Sync + 'static>(sessions: &[Session<S, R>], shared: &Arc<S>) -> Self {
        let (tell, told) = unbounded();
        let started = sessions.iter().enumerate().map(|(session, Session { run, .. })| {
            let (go, wait) = unbounded();
            let steps = Steps { session, go: wait, told: tell.clone() };
            let (run, shared) = (Arc::clone(run), Arc::clone(shared));
            let thread = thread::spawn(move || {
                let _ended = ToldAtEnd(&steps);
                let _ = steps.go.recv();
                run(&shared, &steps)
            });
            (go, thread)
        });
        let (go, threads) = started.unzip();
        Self { at: vec![At::Between; sessions.len()], go, told, threads }
    }

    /// Begins the steps in the order of the prefix, and then in any. Says where it could have been another.
    fn follow(&mut self, writers: &mut Writers<'_>, prefix: &[usize]) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        loop {
            self.settle(writers);
            let enabled = self.enabled(writers);
            let Some(first) = enabled.first() else {
                if self.at.iter().all(|at| *at == At::End) {
                    return choices;
                }
                // All wait for each other: the database ends one.
                self.hear();
                continue;
            };
            let planned = prefix.get(choices.len()).filter(|taken| enabled.contains(taken));
            let taken = *planned.unwrap_or(first);
            self.set(taken, At::OnItsWay);
            if let Some(go) = self.go.get(taken) {
                let _ = go.send(());
            }
            choices.push(Choice { enabled, taken });
        }
    }

    /// Waits until each session that is on its way has come to the end of its step, or waits for another.
    fn settle(&mut self, writers: &mut Writers<'_>) {
        loop {
            while self.try_hear() {}
            let on_their_way = self.at.iter().filter(|at| **at == At::OnItsWay).count();
            let waiting = match writers {
                _ if on_their_way == 0 => return,
                Writers::One => {
                    self.hear();
                    continue;
                }
                Writers::Many(waiting) => waiting(),
            };
            // Who came to an end meanwhile was not among them.
            if waiting == on_their_way && !self.try_hear() {
                return;
            }
            thread::yield_now();
        }
    }

    fn enabled(&self, writers: &Writers<'_>) -> Vec<usize> {
        let within = self.at.iter().position(|at| *at == At::Within);
        match (writers, within) {
            (Writers::One, Some(writer)) => vec![writer],
            _ => {
                let can = |at: &At| matches!(at, At::Between | At::Within);
                (0..self.at.len())
                    .filter(|session| self.at.get(*session).is_some_and(can))
                    .collect()
            }
        }
    }

    fn hear(&mut self) {
        if let Ok((session, at)) = self.told.recv() {
            self.set(session, at);
        }
    }

    fn try_hear(&mut self) -> bool {
        match self.told.try_recv() {
            Ok((session, at)) => {
                self.set(session, at);
                true
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => false,
        }
    }

    fn set(&mut self, session: usize, at: At) {
        if let Some(place) = self.at.get_mut(session) {
            *place = at;
        }
    }

    fn results(self) -> Vec<R> {
        let joined = self.threads.into_iter().map(JoinHandle::join);
        joined
            .map(|result| match result {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    }
}

/// Says that a session is at its end, also when it panicked.
struct ToldAtEnd<'a>(&'a Steps);

impl Drop for ToldAtEnd<'_> {
    fn drop(&mut self) {
        let _ = self.0.told.send((self.0.session, At::End));
    }
}

struct ShownOnPanic<'a>(&'a Order<'a>);

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = writeln!(std::io::stderr(), "(this was in the order {})", self.0);
        }
    }
}
