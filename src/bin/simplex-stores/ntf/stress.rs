//! `ntf stress`: concurrent random work on a notification store, then every check.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use serde::Serialize;
use simplex_stores::{
    ntf_store::{NtfFile, NtfFileForm, NtfSaveReport, NtfStore},
    protocol::Semantics,
};

use super::{
    loading::{config, form_name},
    verify::print_checked,
    work::{Field, Worker},
};
use crate::{
    cli::SemanticsArg,
    failure::{Exit, Failure},
    load::{self, LoadArgs, LoadForm},
    output::Out,
    progress,
    stress::print_problems,
};

/// So many tokens at most: the field of work is made beforehand.
const MAX_TOKENS: u64 = 10_000_000;

/// Do concurrent random work on a notification store, then check every invariant.
///
/// With --file the store is saved afterwards, loaded again and compared; the file must be new unless --force is given,
/// which starts from what it has. Ends with exit code 1 when something does not hold. With --semantics reference that
/// is to be expected: the reference's own defects show.
#[derive(Debug, Args)]
pub(crate) struct StressArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// How many tokens there may be: fewer make more conflicts.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=MAX_TOKENS))]
    tokens: u64,
    /// Whose answers the store gives.
    #[arg(long, value_enum, default_value_t)]
    semantics: SemanticsArg,
    /// Save the store to this file at the end.
    #[arg(long)]
    file: Option<PathBuf>,
    /// The form of the file.
    #[arg(long, value_enum, default_value_t, requires = "file")]
    form: FormArg,
    /// Start from the file when it is there already.
    #[arg(long, requires = "file")]
    force: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// The form of a file, as an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FormArg {
    /// The reference's records, one a line; they have no place for services and removed registrations.
    #[default]
    Text,
    /// A snapshot with a checksum, which has everything.
    Binary,
}

impl From<FormArg> for NtfFileForm {
    fn from(arg: FormArg) -> Self {
        match arg {
            FormArg::Text => Self::Text,
            FormArg::Binary => Self::Binary,
        }
    }
}

#[derive(Debug, Serialize)]
struct StressForm {
    holds: bool,
    problems: Vec<String>,
    saved: Option<SavedForm>,
    #[serde(flatten)]
    load: LoadForm,
}

/// A save in numbers.
#[derive(Debug, Serialize)]
struct SavedForm {
    file: String,
    form: &'static str,
    bytes: u64,
    tokens: u64,
    subscriptions: u64,
    last_ntfs: u64,
    services: u64,
    kept: Option<String>,
    /// What the form has no place for.
    not_held: u64,
}

impl From<&NtfSaveReport> for SavedForm {
    fn from(report: &NtfSaveReport) -> Self {
        Self {
            file: report.path.display().to_string(),
            form: form_name(report.form),
            bytes: report.bytes,
            tokens: report.tokens,
            subscriptions: report.subscriptions,
            last_ntfs: report.last_ntfs,
            services: report.services,
            kept: report.kept.as_ref().map(|kept| kept.display().to_string()),
            not_held: report.not_held.total(),
        }
    }
}

pub(super) fn run(args: &StressArgs, out: &mut Out) -> Result<Exit, Failure> {
    let (file, store) = open(args)?;
    let store = Arc::new(store);
    let size = usize::try_from(args.tokens).unwrap_or(usize::MAX);
    let field = Arc::new(Field::new(args.load.seed, size));
    let plan = args.load.plan();
    let worker = |seed| Worker::new(Arc::clone(&store), Arc::clone(&field), seed);
    let load = load::run_workers(plan, &progress::spinner(), &[], worker)?;
    let checked = store.check_invariants();
    let mut problems = load.failures.clone();
    if let Err(violations) = &checked {
        problems.extend(violations.iter().map(ToString::to_string));
    }
    let mut saved = None;
    if let Some(file) = file {
        let (report, differ) = save_and_compare(args, file, &store)?;
        problems.extend(differ);
        saved = Some(SavedForm::from(&report));
    }
    let holds = problems.is_empty();
    if args.json {
        out.json(&StressForm { holds, problems, saved, load });
    } else {
        load.print(out);
        if let Ok(report) = &checked {
            print_checked(out, report);
        }
        if let Some(saved) = &saved {
            print_saved(out, saved);
        }
        print_problems(out, &problems);
    }
    Ok(if holds { Exit::Fine } else { Exit::DoesNotHold })
}

fn open(args: &StressArgs) -> Result<(Option<NtfFile>, NtfStore), Failure> {
    let Some(file) = &args.file else {
        return Ok((None, NtfStore::new(args.semantics.into())));
    };
    if file.exists() && !args.force {
        return Err(Failure::usage(format!(
            "{}: is there already; name a new file, or work on it with --force",
            file.display()
        )));
    }
    let bar = progress::log_bar();
    let config = config(file, args.semantics).form(args.form.into());
    let opened = NtfFile::open(&config.progress(progress::on_bar(&bar)));
    bar.finish_and_clear();
    let (file, store, _) = opened?;
    Ok((Some(file), store))
}

/// Saves the store, loads it again, and says what differs though the report of the save does not, a sentence each.
fn save_and_compare(
    args: &StressArgs,
    mut file: NtfFile,
    store: &NtfStore,
) -> Result<(NtfSaveReport, Vec<String>), Failure> {
    let report = file.save(store)?;
    let name = report.path.display();
    let (loaded, read) = NtfStore::load(&config(&report.path, args.semantics))?;
    let mut problems: Vec<String> =
        read.warnings.iter().map(|warning| format!("{name}: {warning}")).collect();
    let (memory, disk) = (store.snapshot(), loaded.snapshot());
    let not_held = &report.not_held;
    let sound = memory.semantics == Semantics::Strict || not_held.index_entries == 0;
    let parts = [
        ("tokens", memory.tokens == disk.tokens),
        (
            "registrations",
            memory.registrations == disk.registrations || not_held.registrations > 0 || !sound,
        ),
        ("subscriptions", memory.subscriptions == disk.subscriptions),
        ("sets of subscriptions", memory.token_subscriptions == disk.token_subscriptions || !sound),
        ("index of queues", memory.queue_subscriptions == disk.queue_subscriptions || !sound),
        ("last notifications", memory.last_ntfs == disk.last_ntfs),
        ("services", memory.services == disk.services || not_held.services > 0),
    ];
    problems.extend(
        parts
            .iter()
            .filter(|(_, same)| !same)
            .map(|(part, _)| format!("{name}: loading it gives other {part} than the store had")),
    );
    Ok((report, problems))
}

fn print_saved(out: &mut Out, saved: &SavedForm) {
    let SavedForm { file, form, bytes, not_held, .. } = saved;
    out.line(format_args!("{file}: saved as {form}, {bytes} bytes, and loaded again"));
    if let Some(kept) = &saved.kept {
        out.line(format_args!("  {kept}: what was there before, with records that were lost"));
    }
    if *not_held > 0 {
        out.line(format_args!("  things that a {form} has no place for: {not_held}"));
    }
}
