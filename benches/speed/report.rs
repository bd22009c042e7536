//! The table: printed while it grows, and kept in `benches/RESULTS.md`.

use std::{fmt::Write, fs, process::Command, time::Duration};

/// Every figure so far.
#[derive(Default)]
pub struct Figures {
    rows: Vec<[String; 4]>,
    notes: String,
    missed: bool,
}

impl Figures {
    pub fn at_most(&mut self, what: &str, measured: f64, unit: &str, bound: f64) {
        self.row(
            what,
            measured,
            unit,
            &format!("at most {bound}"),
            measured <= bound,
        );
    }

    pub fn at_least(&mut self, what: &str, measured: f64, unit: &str, bound: f64) {
        self.row(
            what,
            measured,
            unit,
            &format!("at least {bound}"),
            measured >= bound,
        );
    }

    /// A figure that nothing is asked of.
    pub fn known(&mut self, what: &str, measured: f64, unit: &str) {
        println!("  {what:66} {measured:9.2} {unit}");
        self.keep(" ", what, measured, unit, "");
    }

    fn row(&mut self, what: &str, measured: f64, unit: &str, asked: &str, holds: bool) {
        let mark = if holds { "✓" } else { "✗" };
        println!("{mark} {what:66} {measured:9.2} {unit:3} {asked} {unit}");
        self.keep(mark, what, measured, unit, &format!("{asked} {unit}"));
        self.missed |= !holds;
    }

    fn keep(&mut self, mark: &str, what: &str, measured: f64, unit: &str, asked: &str) {
        let measured = format!("{measured:.2} {unit}");
        self.rows
            .push([mark.to_owned(), what.to_owned(), measured, asked.to_owned()]);
    }

    /// Something longer than a figure.
    pub fn note(&mut self, text: &str) {
        println!("{text}");
        self.notes.push_str("\n```text\n");
        self.notes.push_str(text);
        self.notes.push_str("```\n");
    }

    /// Writes the table down, if it is the whole of it; the run fails if a bound was missed.
    pub fn close(self, is_whole: bool) {
        if is_whole {
            self.write();
        }
        assert!(!self.missed, "a bound was missed");
    }

    fn write(&self) {
        let mut text = String::from(
            "# Results of `make bench`\n\n\
             Written by the run itself. Ratios are of figures taken in the same run; another machine\n\
             is another speed.\n\n",
        );
        write!(text, "{}", machine()).expect("memory");
        text.push_str("\n| | what | measured | asked |\n|---|---|---|---|\n");
        for [mark, what, measured, asked] in &self.rows {
            writeln!(text, "| {mark} | {what} | {measured} | {asked} |").expect("memory");
        }
        text.push_str(&self.notes);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md");
        fs::write(path, text).expect("to write the results");
        println!("\nWritten to benches/RESULTS.md.");
    }
}

fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    format!(
        "Machine: {}, {cores} cores, {} of memory, Linux {}; {}.\n\
         PostgreSQL runs on the same machine, without waiting for its disk.\n",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        said("uname", &["-r"]),
        said("rustc", &["--version"]),
    )
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
