//! The race catalogue. Every test is compiled only under `--cfg loom`.
