//! `generate`: a realistic journal.

mod lives;

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use simplex_stores::store_log::LogRecord;

use self::lives::Lives;
use crate::{
    failure::{Exit, Failure},
    output::Out,
    progress,
};

/// Make a realistic journal: the same seed makes the same bytes.
///
/// Messaging and contact queues, secured and not, with links, notifiers and services, older records without
/// a mode, blocked and suspended queues, dates; and about one more queue in twenty that is deleted
/// again. Records of different queues mix as in a running router. Memory use does not grow with the
/// number of queues.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// How many queues there are at the end.
    #[arg(long, short)]
    queues: u64,
    /// What the journal is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Overwrite the file when it is there.
    #[arg(long)]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    /// The journal to make.
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct GenerateForm {
    log: String,
    queues: u64,
    seed: u64,
    records: u64,
    bytes: u64,
}

pub(crate) fn run(args: &GenerateArgs, out: &mut Out) -> Result<Exit, Failure> {
    let file = create(&args.log, args.force)?;
    let bar = progress::count_bar(args.queues);
    bar.set_message("generating");
    let mut writer = RecordWriter::new(file);
    let mut lives = Lives::new(args.seed, args.queues);
    let written = lives.write(&mut writer, &mut |queues| bar.set_position(queues));
    bar.finish_and_clear();
    written.and_then(|()| writer.finish()).map_err(Failure::writing(&args.log))?;
    let form = GenerateForm {
        log: args.log.display().to_string(),
        queues: args.queues,
        seed: args.seed,
        records: writer.records,
        bytes: writer.bytes,
    };
    match args.json {
        true => out.json(&form),
        false => out.line(format_args!(
            "{}: {} queues, {} records, {} bytes",
            form.log, form.queues, form.records, form.bytes
        )),
    }
    Ok(Exit::Fine)
}

fn create(path: &Path, force: bool) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "{}: is there already; name a new file, or overwrite it with --force",
            path.display()
        )),
        _ => Failure::writing(path)(error),
    })
}

/// Writes records as lines, and counts.
struct RecordWriter {
    to: BufWriter<File>,
    line: Vec<u8>,
    records: u64,
    bytes: u64,
}

impl RecordWriter {
    fn new(file: File) -> Self {
        let to = BufWriter::with_capacity(1 << 20, file);
        Self { to, line: Vec::new(), records: 0, bytes: 0 }
    }

    fn write(&mut self, record: &LogRecord) -> io::Result<()> {
        self.line.clear();
        record.encode(&mut self.line);
        self.line.push(b'\n');
        self.to.write_all(&self.line)?;
        self.records += 1;
        self.bytes += self.line.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
