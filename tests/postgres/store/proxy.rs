//! A proxy between a store and a real server, which passes messages on and cuts a connection at a chosen one.
//!
//! What the program says comes in rounds: messages up to the one after which it waits for the server's
//! answer. They are counted, but for those on the connection with the store's lock. The chosen round is cut
//! in one of three ways ([`Cut`]).

use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use simplex_stores::db::postgres::PostgresConfig;
use simplex_stores::sync::atomic::{AtomicBool, Ordering};
use simplex_stores::sync::{Mutex, thread};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};
use tempfile::TempDir;

const SOCKET: &str = ".s.PGSQL.5432";

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The round does not reach the server, and the server learns that the connection is gone.
    Before,
    /// The server has answered; the answer does not reach the program.
    After,
    /// The round reaches the server; the program's side is cut at once, and the server does not learn
    /// of it, as when the network between them is gone.
    Silently,
}

/// A proxy on a socket of its own.
pub(crate) struct Proxy {
    folder: TempDir,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    /// How many rounds pass before which cut.
    cut: Option<(usize, Cut)>,
    /// How many have passed.
    passed: usize,
    made: bool,
    /// The server's ends of connections that were cut silently.
    kept: Vec<UnixStream>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let plan: Arc<Mutex<Plan>> = Arc::default();
        let server = Cluster::shared().unwrap().folder().join(SOCKET);
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            // Until the test's process ends.
            while let Ok((program, _)) = listener.accept() {
                let Some(connection) = Connection::open(program, &server, &shared) else { break };
                connection.run();
            }
        });
        Self { folder, plan }
    }

    /// The settings that lead through it.
    pub(crate) fn settings(&self, database: &TestDatabase) -> PostgresConfig {
        let name = database.name();
        let host = self.folder.path().display();
        PostgresConfig::parse(&format!("host={host} user=postgres dbname={name}")).unwrap()
    }

    /// Cuts after so many more rounds.
    pub(crate) fn cut(&self, rounds: usize, cut: Cut) {
        *self.plan.lock() = Plan { cut: Some((rounds, cut)), ..Plan::default() };
    }

    /// Cuts nothing any more; whether something was cut, and how many rounds passed before.
    pub(crate) fn end(&self) -> (bool, usize) {
        let plan = std::mem::take(&mut *self.plan.lock());
        (plan.made, plan.passed)
    }
}

struct Connection {
    program: UnixStream,
    server: UnixStream,
    plan: Arc<Mutex<Plan>>,
    /// The server's answers aren't passed on, and the next whole one ends it.
    swallows: Arc<AtomicBool>,
}

impl Connection {
    fn open(program: UnixStream, server: &PathBuf, plan: &Arc<Mutex<Plan>>) -> Option<Self> {
        let server = UnixStream::connect(server).ok()?;
        Some(Self { program, server, plan: Arc::clone(plan), swallows: Arc::default() })
    }

    fn run(self) {
        let (program, server) =
            (self.program.try_clone().unwrap(), self.server.try_clone().unwrap());
        let swallows = Arc::clone(&self.swallows);
        thread::spawn(move || {
            let _ = answers(&server, &program, &swallows);
            let _ = program.shutdown(Shutdown::Both);
        });
        thread::spawn(move || {
            if !matches!(self.rounds(), Ok(End::Silent)) {
                let _ = self.server.shutdown(Shutdown::Both);
            }
            let _ = self.program.shutdown(Shutdown::Both);
        });
    }

    /// Passes on what the program says.
    fn rounds(&self) -> io::Result<End> {
        let mut from = BufReader::new(&self.program);
        let mut to = &self.server;
        to.write_all(&message(&mut from, false)?)?;
        let (mut round, mut has_lock) = (Vec::new(), false);
        loop {
            let next = message(&mut from, true)?;
            has_lock |= next.windows(16).any(|text| text == b"pg_advisory_lock");
            round.extend_from_slice(&next);
            if !matches!(next.first(), Some(b'S' | b'Q')) {
                continue;
            }
            match if has_lock { None } else { self.plan.lock().next() } {
                None => {}
                Some(Cut::Before) => return Ok(End::Loud),
                Some(Cut::After) => self.swallows.store(true, Ordering::SeqCst),
                Some(Cut::Silently) => {
                    to.write_all(&round)?;
                    self.plan.lock().kept.push(self.server.try_clone()?);
                    return Ok(End::Silent);
                }
            }
            to.write_all(&round)?;
            round.clear();
        }
    }
}

enum End {
    Loud,
    Silent,
}

impl Plan {
    fn next(&mut self) -> Option<Cut> {
        let (rounds, cut) = self.cut.as_ref()?;
        if self.passed < *rounds {
            self.passed += 1;
            return None;
        }
        let cut = *cut;
        self.cut = None;
        self.made = true;
        Some(cut)
    }
}

/// Passes on what the server says.
fn answers(server: &UnixStream, mut program: &UnixStream, swallows: &AtomicBool) -> io::Result<()> {
    let mut from = BufReader::new(server);
    loop {
        let next = message(&mut from, true)?;
        if !swallows.load(Ordering::SeqCst) {
            program.write_all(&next)?;
        } else if next.first() == Some(&b'Z') {
            return Ok(());
        }
    }
}

/// One message: its kind, but for the very first; its length; and what it says.
fn message(from: &mut impl Read, has_kind: bool) -> io::Result<Vec<u8>> {
    let mut message = vec![0; usize::from(has_kind) + 4];
    from.read_exact(&mut message)?;
    let length = message.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let mut rest = vec![0; (length as usize).saturating_sub(4)];
    from.read_exact(&mut rest)?;
    message.extend(rest);
    Ok(message)
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.path().join(SOCKET));
    }
}
