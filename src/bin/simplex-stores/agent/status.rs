//! `agent status`: which migrations a database has, and what would be done to it.

use clap::Args;
use serde::Serialize;
use simplex_stores::agent_store::maintenance::{AgentStatus, status};

use super::place::{Place, PlaceArgs};
use crate::{
    failure::{Exit, Failure},
    migrating,
    output::Out,
};

/// Look at a database without changing it: whether it is there, its migrations, and what `agent migrate` would
/// do. Nothing is made.
///
/// Ends with exit code 1 when the database isn't there or isn't at this program's version.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct StatusForm {
    database: String,
    ready: bool,
    exists: bool,
    applied: Vec<String>,
    pending: Vec<String>,
    unknown: Vec<String>,
    problem: Option<String>,
}

pub(crate) fn run(args: &StatusArgs, out: &mut Out) -> Result<Exit, Failure> {
    let place = args.place.place()?;
    let found = status(&place.config).map_err(|error| place.failed(error))?;
    let form = StatusForm::of(&place, found);
    match args.json {
        true => out.json(&form),
        false => form.print(out),
    }
    Ok(if form.ready { Exit::Fine } else { Exit::DoesNotHold })
}

impl StatusForm {
    fn of(place: &Place, status: AgentStatus) -> Self {
        Self {
            database: place.to_string(),
            ready: status.is_ready(),
            exists: status.exists,
            applied: status.applied,
            pending: status.pending,
            unknown: status.unknown,
            problem: status.problem.map(|problem| problem.to_string()),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!("{}: {}", self.database, self.verdict()));
        migrating::print_lists(&self.applied, &self.pending, &self.unknown, out);
    }

    fn verdict(&self) -> &str {
        if let Some(problem) = &self.problem {
            return problem;
        }
        match (self.exists, self.pending.is_empty(), self.unknown.is_empty()) {
            (false, ..) => "not there; `agent init` makes it",
            (_, false, _) if self.applied.is_empty() => "empty; `agent init` fills it",
            (_, false, _) => "older than this program; `agent migrate --up` brings it up to date",
            (.., false) => {
                "newer than this program; `agent migrate --up-down` undoes what it has more"
            }
            _ => "at this program's version",
        }
    }
}
