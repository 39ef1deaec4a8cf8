//! Queues (section 4.4): reading them from rows, inserting and finding them.

mod finding;
pub(super) mod inserting;
pub(super) mod rows;
