//! The law suite of the STM, on the model engine: the same files as on real threads.
#![cfg(any(loom, shuttle))]

#[path = "../../tests/stm_laws/main.rs"]
mod laws;
