//! What a worker does: random transactions of every area, each of which it knows the outcome of.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::state::{Conn, FileState, Message, State};

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// A connection, with a receive queue.
    Connect {
        conn: String,
    },
    /// Its send queue.
    Join {
        conn: String,
    },
    /// It goes, with everything below it.
    Disconnect {
        conn: String,
    },
    Receive {
        conn: String,
        text: String,
    },
    Acknowledge {
        conn: String,
        id: i64,
    },
    Delete {
        conn: String,
        id: i64,
    },
    /// One body to several connections.
    Send {
        conns: Vec<String>,
        text: String,
    },
    /// The message goes, and the body with its last one.
    Deliver {
        conn: String,
        id: i64,
    },
    Command {
        conn: String,
        number: i64,
    },
    /// The oldest command is done.
    Done {
        conn: String,
    },
    Subscribe {
        conn: String,
    },
    Subscribed {
        conn: String,
    },
    Unsubscribe {
        conn: String,
    },
    ReceiveFile {
        path: String,
    },
    Received {
        path: String,
    },
    ForgetReceived {
        path: String,
    },
    SendFile {
        path: String,
    },
    Encrypted {
        path: String,
    },
    ForgetSent {
        path: String,
    },
}

/// How many chunks a file has, each with two replicas where it is received.
pub(crate) const CHUNKS: i64 = 3;

fn file(status: &str, chunks: i64, replicas: i64) -> FileState {
    FileState { status: status.to_owned(), chunks, replicas }
}

impl Step {
    /// What the database holds after it.
    pub(crate) fn apply(&self, state: &mut State) {
        match self {
            Self::Connect { conn } => {
                state.conns.insert(conn.clone(), Conn { rcv_queues: 1, ..Conn::default() });
            }
            Self::Join { conn } => on(state, conn).snd_queues = 1,
            Self::Disconnect { conn } => {
                state.conns.remove(conn);
                state.drop_bodies();
            }
            Self::Receive { conn, text } => on(state, conn).receive(text),
            Self::Acknowledge { conn, id } => {
                on(state, conn).messages.get_mut(id).unwrap().received = Some(true);
            }
            Self::Delete { conn, id } => drop(on(state, conn).messages.remove(id)),
            Self::Send { conns, text } => {
                conns.iter().for_each(|conn| on(state, conn).send(text));
                state.bodies.insert(text.clone());
            }
            Self::Deliver { conn, id } => {
                let conn = on(state, conn);
                conn.messages.remove(id);
                conn.deliveries.remove(id);
                state.drop_bodies();
            }
            Self::Command { conn, number } => {
                on(state, conn).commands.push(format!("CLIENT ACK {number}"));
            }
            Self::Done { conn } => drop(on(state, conn).commands.remove(0)),
            Self::Subscribe { conn } => on(state, conn).ntf = Some("NEW N".to_owned()),
            Self::Subscribed { conn } => on(state, conn).ntf = Some("KEY C".to_owned()),
            Self::Unsubscribe { conn } => on(state, conn).ntf = None,
            Self::ReceiveFile { path } => {
                let made = file("receiving", CHUNKS, 2 * CHUNKS);
                state.rcv_files.insert(path.clone(), made);
            }
            Self::Received { path } => {
                state.rcv_files.get_mut(path).unwrap().status = "complete".to_owned();
            }
            Self::ForgetReceived { path } => drop(state.rcv_files.remove(path)),
            Self::SendFile { path } => {
                drop(state.snd_files.insert(path.clone(), file("new", 0, 0)))
            }
            Self::Encrypted { path } => {
                state.snd_files.insert(path.clone(), file("encrypted", CHUNKS, 0));
            }
            Self::ForgetSent { path } => drop(state.snd_files.remove(path)),
        }
    }
}

fn on<'s>(state: &'s mut State, conn: &str) -> &'s mut Conn {
    state.conns.get_mut(conn).unwrap()
}

impl State {
    /// Bodies go with the last message that shares them.
    fn drop_bodies(&mut self) {
        let messages = self.conns.values().flat_map(|conn| conn.messages.values());
        let used: Vec<&String> = messages.filter_map(|message| message.sent.as_ref()).collect();
        self.bodies.retain(|body| used.contains(&body));
    }
}

impl Conn {
    fn receive(&mut self, text: &str) {
        self.last[0] += 1;
        self.last[1] += 1;
        self.hashes += 1;
        self.heads[0] = hash_of(text);
        let message = Message { body: text.to_owned(), received: Some(false), sent: None };
        self.messages.insert(self.last[0], message);
    }

    fn send(&mut self, text: &str) {
        self.last[0] += 1;
        self.last[2] += 1;
        self.heads[1] = hash_of(text);
        let message = Message { sent: Some(text.to_owned()), ..Message::default() };
        self.messages.insert(self.last[0], message);
        self.deliveries.insert(self.last[0]);
    }
}

/// Stands for the hash of a message: its beginning, which no other message has.
pub(crate) fn hash_of(text: &str) -> String {
    text.chars().take(32).collect()
}

/// What a worker is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Habit {
    /// A bit of everything, deleting as much as it makes.
    Mixed,
    /// Long messages, and deletes nothing.
    Hoards,
}

/// Makes the steps of one worker.
pub(crate) struct Chooser {
    worker: u8,
    habit: Habit,
    rng: SmallRng,
}

impl Chooser {
    pub(crate) fn new(worker: u8, habit: Habit, seed: u64) -> Self {
        Self { worker, habit, rng: SmallRng::seed_from_u64(seed) }
    }

    /// A step that is possible in this state.
    pub(crate) fn choose(&mut self, state: &State) -> Step {
        loop {
            let kind = match self.habit {
                Habit::Mixed => self.rng.random_range(0..19),
                Habit::Hoards => *[0, 1, 3, 3, 3, 6].choose(&mut self.rng).unwrap(),
            };
            if let Some(step) = self.possible(kind, state) {
                return step;
            }
        }
    }

    /// A name that nothing else has.
    fn name(&mut self) -> String {
        format!("{}-{:016x}", self.worker, self.rng.random::<u64>())
    }

    /// What nothing can compress.
    fn text(&mut self) -> String {
        let words = if self.habit == Habit::Hoards { 500 } else { self.rng.random_range(1..50) };
        let mut text = self.name();
        (0..words).for_each(|_| text.push_str(&format!("{:016x}", self.rng.random::<u64>())));
        text
    }

    /// One of the connections with this.
    fn conn(&mut self, state: &State, with: impl Fn(&Conn) -> bool) -> Option<String> {
        let found: Vec<&String> =
            state.conns.iter().filter(|(_, conn)| with(conn)).map(|(name, _)| name).collect();
        found.choose(&mut self.rng).map(|name| (*name).clone())
    }

    fn conn_to_send(&mut self, state: &State) -> Option<Vec<String>> {
        let found: Vec<String> = state
            .conns
            .iter()
            .filter(|(_, conn)| conn.snd_queues == 1)
            .map(|(name, _)| name.clone())
            .collect();
        let count = self.rng.random_range(1..=3);
        let chosen: Vec<String> = found.sample(&mut self.rng, count).cloned().collect();
        (!chosen.is_empty()).then_some(chosen)
    }

    /// One of the messages with this.
    fn message(&mut self, state: &State, with: impl Fn(&Message) -> bool) -> Option<(String, i64)> {
        let all =
            state.conns.iter().flat_map(|(conn, it)| it.messages.iter().map(move |m| (conn, m)));
        let found: Vec<(&String, i64)> = all
            .filter(|(_, (_, message))| with(message))
            .map(|(conn, (id, _))| (conn, *id))
            .collect();
        found.choose(&mut self.rng).map(|(conn, id)| ((*conn).clone(), *id))
    }

    fn possible(&mut self, kind: u8, state: &State) -> Option<Step> {
        Some(match kind {
            0 if state.conns.len() < 6 => Step::Connect { conn: self.name() },
            1 => Step::Join { conn: self.conn(state, |conn| conn.snd_queues == 0)? },
            2 if state.conns.len() > 4 => Step::Disconnect { conn: self.conn(state, |_| true)? },
            3 => Step::Receive { conn: self.conn(state, |_| true)?, text: self.text() },
            4 => {
                let (conn, id) = self.message(state, |message| message.received == Some(false))?;
                Step::Acknowledge { conn, id }
            }
            5 => {
                let (conn, id) = self.message(state, |message| message.received == Some(true))?;
                Step::Delete { conn, id }
            }
            6 => Step::Send { conns: self.conn_to_send(state)?, text: self.text() },
            7 | 8 => {
                let (conn, id) = self.message(state, |message| message.sent.is_some())?;
                Step::Deliver { conn, id }
            }
            9 => {
                let number = self.rng.random_range(0..1_000_000);
                Step::Command { conn: self.conn(state, |_| true)?, number }
            }
            10 => Step::Done { conn: self.conn(state, |conn| !conn.commands.is_empty())? },
            11 => Step::Subscribe { conn: self.conn(state, |conn| conn.ntf.is_none())? },
            12 => Step::Subscribed { conn: self.conn(state, |conn| conn.ntf.is_some())? },
            13 => Step::Unsubscribe { conn: self.conn(state, |conn| conn.ntf.is_some())? },
            14 if state.rcv_files.len() + state.snd_files.len() < 6 => {
                match self.rng.random_bool(0.5) {
                    true => Step::ReceiveFile { path: self.name() },
                    false => Step::SendFile { path: self.name() },
                }
            }
            15 => Step::Received { path: first(state.rcv_files.iter(), "receiving")? },
            16 => Step::ForgetReceived { path: first(state.rcv_files.iter(), "complete")? },
            17 => Step::Encrypted { path: first(state.snd_files.iter(), "new")? },
            18 => Step::ForgetSent { path: first(state.snd_files.iter(), "encrypted")? },
            _ => return None,
        })
    }
}

fn first<'s>(
    mut files: impl Iterator<Item = (&'s String, &'s FileState)>,
    status: &str,
) -> Option<String> {
    files.find(|(_, file)| file.status == status).map(|(path, _)| path.clone())
}
