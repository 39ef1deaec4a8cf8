//! Steps as a diagram of text: a column for each thread, time downwards.

use super::catalogue::{threads, wrap};

/// The characters of a line.
pub(crate) const WIDTH: usize = 78;

/// The characters of a column, its gap included.
const COLUMN: usize = 30;

/// The lines of the diagram. A step stands in its thread's column; the other threads wait.
pub(crate) fn lines(steps: &[(&str, &str)]) -> Vec<String> {
    let threads = threads(steps);
    let column = COLUMN.min(WIDTH / threads.len().max(1));
    let mut lines = vec![row(threads.iter().map(|thread| (*thread).to_owned()), column)];
    for (thread, step) in steps {
        for (number, text) in wrap(step, column.saturating_sub(4)).iter().enumerate() {
            let mark = if number == 0 { '●' } else { '│' };
            let cell = |other: &&str| match other == thread {
                true => format!("{mark} {text}"),
                false => "│".to_owned(),
            };
            lines.push(row(threads.iter().map(cell), column));
        }
    }
    lines
}

fn row(cells: impl Iterator<Item = String>, column: usize) -> String {
    let row: String = cells.map(|cell| format!("{cell:<column$}")).collect();
    row.trim_end().to_owned()
}
