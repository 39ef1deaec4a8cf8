//! The example of a race in a user's own code: the model checkers catch it, too.
#![cfg(any(loom, shuttle))]

#[allow(dead_code, reason = "the example's entry is called below")]
#[path = "../../examples/quota.rs"]
mod quota;

#[test]
fn the_race_in_the_example_is_caught_and_the_right_code_is_not_accused() {
    quota::main().unwrap();
}
