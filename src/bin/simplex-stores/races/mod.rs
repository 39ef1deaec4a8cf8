//! `races`: the race catalogue, as a list or race by race.

mod catalogue;
mod diagram;
mod steps;

use clap::Args;
use serde::Serialize;

use self::catalogue::{Race, number, plain, wrap};
use crate::{
    failure::{Exit, Failure},
    output::Out,
};

/// The pages of the catalogue.
const PAGES: [&str; 6] = [
    include_str!("../../../../docs/races/journal.md"),
    include_str!("../../../../docs/races/formats.md"),
    include_str!("../../../../docs/races/store.md"),
    include_str!("../../../../docs/races/stores.md"),
    include_str!("../../../../docs/races/database.md"),
    include_str!("../../../../docs/races/notifications.md"),
];

/// Its overview: a table with the evidence for each.
const OVERVIEW: &str = include_str!("../../../../docs/races/README.md");

/// The ledger, which names the tests.
const LEDGER: &str = include_str!("../../../../docs/conformance/races.md");

/// List the races of the specification, or show one: its steps, what follows, how it is closed, and the tests.
#[derive(Debug, Args)]
pub(crate) struct RacesArgs {
    /// Which one, as RACE-1 or 1; all of them in a list if none is named.
    id: Option<String>,
    /// Print JSON instead of text: one line for each race, with everything that is known about it.
    #[arg(long)]
    json: bool,
}

/// All that is known about a race.
#[derive(Debug, Serialize)]
struct RaceForm<'a> {
    id: &'a str,
    title: &'a str,
    how: String,
    steps: Vec<StepForm>,
    so: String,
    closed: String,
    evidence: &'static str,
    /// The scenarios explored under loom, each with the number of its executions.
    explored: &'static str,
    tests: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct StepForm {
    thread: &'static str,
    step: &'static str,
}

impl<'a> RaceForm<'a> {
    fn of(race: &'a Race) -> Self {
        let cells = catalogue::row(OVERVIEW, &race.id).unwrap_or_default();
        let cell = |number: usize| cells.get(number).copied().unwrap_or_default();
        let steps = steps_of(&race.id).into_iter().map(|(thread, step)| StepForm { thread, step });
        Self {
            id: &race.id,
            title: &race.title,
            how: plain(&race.how),
            steps: steps.collect(),
            so: plain(&race.so),
            closed: plain(&race.closed),
            evidence: cell(2),
            explored: cell(3),
            tests: catalogue::tests(LEDGER, &race.id),
        }
    }

    fn print(&self, out: &mut Out) {
        out.line(format_args!("{}: {}", self.id, self.title));
        paragraph(out, "How", &self.how);
        let steps: Vec<_> = self.steps.iter().map(|step| (step.thread, step.step)).collect();
        if !steps.is_empty() {
            out.line("");
            diagram::lines(&steps).iter().for_each(|line| out.line(format_args!("  {line}")));
        }
        paragraph(out, "So", &self.so);
        paragraph(out, "Closed", &self.closed);
        paragraph(out, "Evidence", self.evidence);
        if self.explored != NOT_EXPLORED {
            paragraph(out, "Executions under loom", self.explored);
        }
        out.line("");
        out.line("Tests:");
        self.tests.iter().for_each(|test| out.line(format_args!("  {test}")));
    }
}

/// What the overview says of a race that isn't before loom.
const NOT_EXPLORED: &str = "–";

pub(crate) fn run(args: &RacesArgs, out: &mut Out) -> Result<Exit, Failure> {
    let mut races: Vec<Race> = PAGES.iter().flat_map(|page| catalogue::races(page)).collect();
    races.sort_by_key(|race| number(&race.id));
    if let Some(id) = &args.id {
        let wanted = asked(id);
        races.retain(|race| number(&race.id) == wanted);
        if races.is_empty() {
            return Err(Failure::usage(format!(
                "{id}: no such race in the catalogue; `simplex-stores races` lists them"
            )));
        }
    }
    for race in &races {
        match (args.json, &args.id) {
            (true, _) => out.json(&RaceForm::of(race)),
            (false, Some(_)) => RaceForm::of(race).print(out),
            (false, None) => out.line(format_args!("{:<8} {}", race.id, race.title)),
        }
    }
    Ok(Exit::Fine)
}

/// The number that is asked for: of "RACE-1", "race-1" or "1".
fn asked(id: &str) -> Option<u32> {
    let id = id.to_uppercase();
    number(&id).or_else(|| id.parse().ok())
}

fn steps_of(id: &str) -> Vec<(&'static str, &'static str)> {
    let text = steps::STEPS.iter().find(|(race, _)| *race == id).map(|(_, text)| *text);
    catalogue::steps(text.unwrap_or_default())
}

fn paragraph(out: &mut Out, label: &str, text: &str) {
    out.line("");
    let text = format!("{label}: {text}");
    wrap(&text, diagram::WIDTH).iter().for_each(|line| out.line(line));
}
