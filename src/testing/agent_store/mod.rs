//! Operations of an agent's store as data, so that random sequences of them can be run on databases of both
//! kinds and compared: each answer, and at the end each row of each table.
//!
//! | file | what is there |
//! |---|---|
//! | `draw`, `sample` | arguments, from pools so small that operations meet each other |
//! | `op`, `ops` | the operations, an area in each file of `ops` |
//! | `answer` | [`Answer`], which is compared whole |
//! | `history` | [`History`]: operations in transactions that are kept or taken back |
//! | `run` | [`run`]: a history on a store |
//! | `tables` | [`rows`]: every row of a database |
//!
//! What two databases need not agree on is made equal: ids come from one seeded generator, numbers that a
//! rollback leaves out are given again ([`run`]), lists without an order are sorted, and a time that the clock
//! gave is the same as any other. Nothing waits for a time: rows are made older instead.

mod answer;
mod draw;
mod history;
mod op;
mod ops;
mod run;
mod sample;
mod tables;

pub use answer::{Answer, Failure, Value};
pub use history::{History, Mode, Transaction};
pub use ops::AgentOp;
pub use run::{clear, run};
pub use tables::{Column, Rows, columns, rows};
