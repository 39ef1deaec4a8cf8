//! The commands that work on databases, on a real PostgreSQL server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "sqlite")]
mod agent;
mod database;
mod kills;
mod refusals;
mod traces;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use simplex_stores::testing::postgres::{Cluster, TestDatabase};
use tempfile::TempDir;

/// The command line, ready to be given arguments; the caller's settings do not reach it.
fn simplex_stores() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simplex-stores"));
    command.env_remove("RUST_LOG").env_remove("SIMPLEX_STORES_DATABASE");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// An exit code, and what was printed.
type Answer = (i32, String, String);

fn answer(output: Output) -> Answer {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A database, and a folder for files.
struct Place {
    database: TestDatabase,
    folder: TempDir,
}

impl Place {
    /// Nothing in either.
    fn empty() -> Self {
        let database = Cluster::shared().unwrap().database().unwrap();
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    /// The schema is there.
    fn initialised() -> Self {
        let place = Self::empty();
        let (code, _, error) = place.run(["db", "init"]);
        assert_eq!(code, 0, "{error}");
        place
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A journal as `generate` makes it, compacted or not.
    fn journal(&self, queues: &str, compact: bool) -> String {
        let (log, made) = (self.file("store.log"), self.file("made.log"));
        let generated = self.run(["generate", "--queues", queues, "--seed", "5", &made]);
        assert_eq!(generated.0, 0, "{}", generated.2);
        if compact {
            assert_eq!(self.run(["compact", "--output", &log, &made]).0, 0);
        } else {
            fs::rename(made, &log).unwrap();
        }
        log
    }

    fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = simplex_stores();
        command.args(args).env("SIMPLEX_STORES_DATABASE", self.database.url());
        command
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Answer {
        answer(self.command(args).output().unwrap())
    }

    fn run_with_input<'a>(&self, args: impl IntoIterator<Item = &'a str>, input: &str) -> Answer {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        answer(child.wait_with_output().unwrap())
    }

    fn client(&self) -> postgres::Client {
        let mut client = self.database.client().unwrap();
        client.batch_execute("SET search_path = smp_server").unwrap();
        client
    }

    /// Everything in the tables, and whether all triggers work.
    fn state(&self) -> Vec<String> {
        let rows = "SELECT msg_queues::text FROM msg_queues UNION ALL
                    SELECT services::text FROM services UNION ALL
                    SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
                    ORDER BY 1";
        self.client().query(rows, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    }

    fn names(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into()).collect();
        names.sort();
        names
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
