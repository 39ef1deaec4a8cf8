//! Chooses the engine of the STM: `native_engine` unless the feature `reference-engine` or a model checker says
//! otherwise. `--cfg native_engine` in RUSTFLAGS overrides both.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_set = |name| std::env::var_os(name).is_some();
    let checked = is_set("CARGO_CFG_LOOM") || is_set("CARGO_CFG_SHUTTLE");
    if !checked && !is_set("CARGO_FEATURE_REFERENCE_ENGINE") && !is_set("CARGO_CFG_NATIVE_ENGINE") {
        println!("cargo::rustc-cfg=native_engine");
    }
}
