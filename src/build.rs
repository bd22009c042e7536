//! Tells the code whether the browser's program is going to be split into several files.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(split)");
    println!("cargo::rerun-if-changed=src/build.rs");
    // `cargo leptos … --split` asks the linker for what the splitter needs, and says it to nobody
    // else. A program that expects other files where there are none does not start.
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("--emit-relocs") {
        println!("cargo::rustc-cfg=split");
    }
}
