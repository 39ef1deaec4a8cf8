//! The race catalogue: a file for each race of the specification that can be put before loom.
//!
//! Each has the *witness*, a small replica of the documented steps in which loom must find the race; the *proof*, the
//! library's own store and journal in every interleaving up to the stated bound; and the *twin*, the same with the
//! guard taken out, which must fail. The steps of a witness are kept in `docs/races/steps/`, from
//! which the pictures are drawn.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod ntf_whole;
mod race_01;
mod race_02;
mod race_03;
mod race_04;
mod race_05;
mod race_06;
mod race_19;
mod race_20;
mod race_21;
mod race_22;
mod race_23;
mod race_24;
mod race_25;
mod race_26;
mod race_27;
mod race_28;
mod race_29;
mod race_31;
mod race_32;
mod race_34;
mod race_35;
mod race_36;
mod race_37;
mod race_38;
mod race_39;
mod race_40;
mod race_41;
mod race_42;
mod race_46;
mod race_48;
mod race_53;
mod race_63;
mod race_64;
mod race_65;
mod race_66;
mod race_67;
mod race_68;
mod race_70;
mod waiting;
mod whole;
