//! Queues (section 4.4): reading them from rows, inserting, finding, changing and deleting them.

mod changing;
mod finding;
pub(super) mod inserting;
pub(super) mod rows;
