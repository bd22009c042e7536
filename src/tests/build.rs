//! `src/build.rs` and `.cargo/config.toml`, in a small project that has nothing else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

const WASM: &str = "wasm32-unknown-unknown";

/// A project that compiles with erased views alone.
struct Project(PathBuf);

impl Project {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("cloakroom_build_{}_{count}", std::process::id()));
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(folder.join("src/server/migrations")).unwrap();
        fs::create_dir(folder.join(".cargo")).unwrap();
        for file in ["src/build.rs", ".cargo/config.toml"] {
            fs::copy(ours.join(file), folder.join(file)).unwrap();
        }
        let manifest = "[package]\nname = \"small\"\nedition = \"2024\"\nbuild = \"src/build.rs\"\n\
                        [lints.rust]\nunexpected_cfgs = \"allow\"\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        let code = "#[cfg(not(erase_components))]\ncompile_error!(\"views are not erased\");\n";
        fs::write(folder.join("src/lib.rs"), code).unwrap();
        Self(folder)
    }

    /// `cargo check` with these arguments, and with these flags in the environment.
    fn check(&self, arguments: &[&str], flags: Option<&str>) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        for (name, _) in std::env::vars() {
            let is_of_another_build = ["CARGO_BUILD_", "CARGO_TARGET_", "CARGO_ENCODED_"]
                .iter()
                .any(|start| name.starts_with(start));
            if is_of_another_build {
                command.env_remove(name);
            }
        }
        command
            .args(["check", "--offline"])
            .args(arguments)
            .current_dir(&self.0)
            .env_remove("RUSTFLAGS");
        if let Some(flags) = flags {
            command.env("RUSTFLAGS", flags);
        }
        command.output().unwrap()
    }

    /// Whether there was anything to compile.
    fn compiles_anew(&self) -> bool {
        let output = self.check(&["--message-format", "json"], None);
        assert!(output.status.success(), "{output:?}");
        let messages = String::from_utf8(output.stdout).unwrap();
        let artifact = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|message| message["target"]["kind"][0] == "lib");
        !artifact.unwrap()["fresh"].as_bool().unwrap()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn views_are_erased_whatever_flags_a_target_has_of_its_own() {
    let project = Project::new();
    let flags = "rustflags = [\"-Cdebug-assertions=on\"]";
    let wasm = format!("target.{WASM}.{flags}");
    let unix = format!("target.'cfg(unix)'.{flags}");
    for arguments in [
        &[][..],
        &["--config", &unix],
        &["--target", WASM],
        &["--target", WASM, "--config", &wasm],
    ] {
        let output = project.check(arguments, None);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_build_whose_flags_do_not_erase_views_fails_and_says_why() {
    let project = Project::new();
    for arguments in [&[][..], &["--target", WASM]] {
        let output = project.check(arguments, Some("-Cdebug-assertions=on"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        for part in ["lack `--cfg erase_components`", "RUSTFLAGS", "unset"] {
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
    }
    let both = "-Cdebug-assertions=on --cfg erase_components";
    let output = project.check(&[], Some(both));
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_new_migration_alone_is_built_in() {
    let project = Project::new();
    assert!(project.compiles_anew());
    assert!(!project.compiles_anew());
    let migration = project.0.join("src/server/migrations/1000_notes.sql");
    fs::write(&migration, "SELECT 1;").unwrap();
    assert!(project.compiles_anew());
}
