//! Refuses a build whose pages would stay dead, tells the code whether the browser's program is going
//! to be split into several files, and has new migrations built in.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    // The code names the files that there were; only the folder shows that there is another.
    println!("cargo::rerun-if-changed=src/server/migrations");
    println!("cargo::rustc-check-cfg=cfg(split)");
    if env::var_os("CARGO_CFG_ERASE_COMPONENTS").is_none() {
        println!(
            "cargo::error=The flags of this build lack `--cfg erase_components`, so the browser's \
             program would not fit the server's pages. RUSTFLAGS and its like in the environment \
             replace the flags of .cargo/config.toml: unset them, or add `--cfg erase_components`."
        );
    }
    // The linker's flags alone show that cargo-leptos was called with `--split`. A program that
    // expects other files where there are none does not start.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("--emit-relocs") {
        println!("cargo::rustc-cfg=split");
    }
}
