//! The statements: one file for each group of them, each with the SQL beside the function that runs it.
//!
//! **One statement where one will do.** A change of a queue is a single statement with its condition in
//! it, so it holds whoever else works on the row (RACE-38), and a transaction by itself. What it
//! replaces, it gives back. Where its answer leaves open why nothing was changed, or an id is held by a
//! row that is deleted softly, a transaction of several statements finds out and decides (`ids`).
//!
//! **The order of locks.** Whoever holds several rows takes them in one order, so that no two wait for
//! each other in a circle (RACE-49): queues by recipient id; then ids in the unique indexes; then
//! services, those for messages before those for notifications, each by id. The triggers update
//! services after the statement that changes queues, a queue's receiving service first; so a statement
//! that touches one queue and one service of each role keeps the order by itself. What touches two
//! services of one role (an association moved from one to another, a notifier replaced by one of
//! another service) locks queues and services first. Rows that are deleted softly are locked after a
//! live one, and whoever holds one wants no live one.
//!
//! Messages and their routines lock one queue and nothing of the above after it.

mod associations;
mod change;
mod counts;
mod deletion;
mod fields;
mod ids;
mod insertion;
mod links;
mod lookups;
mod notifiers;
mod services;

pub(super) use change::Change;
