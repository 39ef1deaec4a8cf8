//! The connection that keeps others out, or tells what they change, and the thread that watches it.
//!
//! The connection holds a lock of the server as long as it lives, and listens to the announcements of
//! other processes. When it breaks, nobody knows what they change: the cache is told so, at once when the
//! connection is closed, and after a heartbeat and a look at the latest when it ends silently (later only while
//! the thread tells the cache what came before). Then a new one is made, the lock taken and the listening begun,
//! and only after that the cache is told that all is well.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::announcement::{Heard, LISTEN, Sender};
use super::config::Sharing;
use super::locks::schema_key;
use crate::db::postgres::{Listener, Notification, PostgresConfig, ServerSession, Statements};
use crate::db::{DbError, DbErrorKind, Sql};
use crate::protocol::RecipientId;
use crate::queue_store::database::CacheEvents;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::channel::{self, Receiver, TryRecvError};
use crate::sync::{Mutex, thread};

/// A database has its advisory locks for itself, so the schema tells stores apart.
const LOCK_ALONE: Sql = Sql::new(
    "lock the schema for one process",
    concat!("SELECT 1 FROM pg_advisory_lock(", schema_key!(), ")"),
);
const LOCK_SHARED: Sql = Sql::new(
    "lock the schema for several processes",
    concat!("SELECT 1 FROM pg_advisory_lock_shared(", schema_key!(), ")"),
);
const UNLOCK: Sql = Sql::new("unlock the schema", "SELECT 1 FROM pg_advisory_unlock_all()");

/// How long a lost connection's successor is waited for at first, and at most. It is a pace, nothing is
/// decided by it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A successor doesn't wait for the lock: it tries again after a pause, which closing can end.
const NO_WAIT: Duration = Duration::from_millis(1);

/// How long an earlier session may take to end.
const END_WAIT: Duration = Duration::from_secs(1);

/// What the connection is made with.
#[derive(Clone)]
pub(super) struct GuardConfig {
    pub(super) database: PostgresConfig,
    pub(super) sharing: Sharing,
    pub(super) sender: Sender,
    pub(super) lock_wait: Duration,
    pub(super) heartbeat: Duration,
}

/// Keeps the lock, from opening to closing.
pub(super) struct Guard {
    config: GuardConfig,
    stage: Mutex<Stage>,
    /// Whether the thread waits for notifications, so that one is needed to wake it.
    listening: Arc<AtomicBool>,
    /// Whether the connection broke and has no successor yet, so that the lock may be another process's.
    lost: Arc<AtomicBool>,
}

enum Stage {
    Locked(Box<Held>),
    Watched { stop: channel::Sender<()>, thread: thread::JoinHandle<()> },
    Closed,
}

impl Guard {
    /// Connects, takes the lock and begins to listen.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::LockTimeout`] when another process keeps this one out; what the server said.
    pub(super) fn open(config: GuardConfig) -> Result<Self, DbError> {
        let held = Held::take(&config, config.lock_wait, None)?;
        let listening = Arc::new(AtomicBool::new(false));
        Ok(Self {
            config,
            stage: Mutex::new(Stage::Locked(Box::new(held))),
            listening,
            lost: Arc::default(),
        })
    }

    /// Whether another process may have the lock meanwhile.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Starts the thread, once.
    ///
    /// # Errors
    ///
    /// When it was started or closed before.
    pub(super) fn watch(&self, events: Arc<dyn CacheEvents>) -> Result<(), DbError> {
        let mut stage = self.stage.lock();
        let held = match std::mem::replace(&mut *stage, Stage::Closed) {
            Stage::Locked(held) => held,
            other => {
                *stage = other;
                let problem = "it is watched already, or closed";
                return Err(DbError::new("watching a database", DbErrorKind::Other, problem));
            }
        };
        let (stop, stopped) = channel::bounded(0);
        let config = self.config.clone();
        let listening = Arc::clone(&self.listening);
        let lost = Arc::clone(&self.lost);
        let watcher = Watcher { config, events, held: *held, stopped, listening, lost };
        *stage = Stage::Watched { stop, thread: thread::spawn(|| watcher.run()) };
        Ok(())
    }

    /// Ends the thread and gives the lock back. `wake` sends a notification of this process's own.
    pub(super) fn close(&self, wake: impl FnOnce()) {
        let stage = std::mem::replace(&mut *self.stage.lock(), Stage::Closed);
        match stage {
            Stage::Closed => {}
            Stage::Locked(held) => held.give_back(),
            Stage::Watched { stop, thread } => {
                drop(stop);
                if self.listening.load(Ordering::SeqCst) {
                    wake();
                }
                // Closing may be called by the cache, on this very thread.
                let own = std::thread::current().id() == thread.thread().id();
                if !own && thread.join().is_err() {
                    tracing::error!("the thread that watched the database had failed");
                }
            }
        }
    }
}

/// A connection with the lock, that listens.
struct Held {
    listener: Listener,
}

impl Held {
    /// Ends an `earlier` session of this process first: the server may not know yet that its connection
    /// is gone, and it would keep the lock.
    fn take(
        config: &GuardConfig,
        wait: Duration,
        earlier: Option<&ServerSession>,
    ) -> Result<Self, DbError> {
        let mut listener = Listener::open(&config.database, wait)?;
        if let Some(earlier) = earlier {
            listener.end(earlier, END_WAIT)?;
        }
        let mut statements = listener.session();
        let schema = config.database.schema_name().as_str();
        let lock = match config.sharing {
            Sharing::Alone => &LOCK_ALONE,
            Sharing::Processes => &LOCK_SHARED,
        };
        statements.query(lock, &[&schema]).map_err(|error| kept_out(error, config))?;
        statements.execute(&LISTEN, &[])?;
        Ok(Self { listener })
    }

    /// The lock would end with the connection, but only when the server has noticed that.
    fn give_back(mut self) {
        if let Err(error) = self.listener.session().query(&UNLOCK, &[]) {
            tracing::debug!(%error, "the connection ended before its lock was given back");
        }
    }
}

fn kept_out(error: DbError, config: &GuardConfig) -> DbError {
    if !matches!(error.kind(), DbErrorKind::LockTimeout | DbErrorKind::Timeout) {
        return error.of_reading();
    }
    let schema = config.database.schema_name();
    let problem = match config.sharing {
        Sharing::Alone => format!(
            "another process has the schema {schema} open; stop it, or open the schema in all of them \
             for several processes"
        ),
        Sharing::Processes => {
            format!("another process has the schema {schema} open for itself alone; stop it")
        }
    };
    DbError::new("opening the queue store", DbErrorKind::LockTimeout, problem)
}

/// The thread's.
struct Watcher {
    config: GuardConfig,
    events: Arc<dyn CacheEvents>,
    held: Held,
    /// Disconnected, when it is to end. Nothing is ever sent.
    stopped: Receiver<()>,
    listening: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
}

impl Watcher {
    fn run(mut self) {
        loop {
            self.listening.store(true, Ordering::SeqCst);
            let listened = self.listen();
            self.listening.store(false, Ordering::SeqCst);
            let Err(error) = listened else { break };
            self.lost.store(true, Ordering::SeqCst);
            self.events.lost();
            tracing::warn!(%error, "what other processes change isn't known");
            let Some(held) = self.reconnect() else { return };
            self.held = held;
            self.lost.store(false, Ordering::SeqCst);
            tracing::info!("what other processes change is known again");
            self.events.regained();
        }
        self.held.give_back();
    }

    /// Until it is to end, or the connection breaks.
    fn listen(&mut self) -> Result<(), DbError> {
        while !self.is_stopped() {
            let came = self.held.listener.wait(self.config.heartbeat)?;
            if came.is_empty() {
                self.held.listener.check(self.config.database.checkout_limit())?;
            }
            self.tell(&came);
        }
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    fn tell(&self, came: &[Notification]) {
        let mut changed = BTreeSet::new();
        for notification in came {
            match self.config.sender.hear(notification.payload()) {
                Heard::Nothing => {}
                Heard::Changed(ids) => changed.extend(ids),
                Heard::Anything => {
                    self.events.lost();
                    self.events.regained();
                    // What else came was committed before that.
                    return;
                }
            }
        }
        if !changed.is_empty() {
            self.events.changed(&changed.into_iter().collect::<Vec<RecipientId>>());
        }
    }

    /// A new connection, or `None` when it is to end.
    fn reconnect(&self) -> Option<Held> {
        let mut pause = FIRST_PAUSE;
        loop {
            let timed_out = self.stopped.recv_timeout(pause).is_err_and(|error| error.is_timeout());
            if !timed_out {
                return None;
            }
            match Held::take(&self.config, NO_WAIT, Some(self.held.listener.server_session())) {
                Ok(held) => return Some(held),
                Err(error) => tracing::warn!(%error, "what other processes change isn't known yet"),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("sharing", &self.config.sharing).finish_non_exhaustive()
    }
}
