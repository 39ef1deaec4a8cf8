//! The command line of simplex-stores.
fn main() {}
