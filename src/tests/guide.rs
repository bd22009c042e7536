//! `docs/build-on-it.md` quotes the code that there is.

use std::path::Path;

/// A quoted block: the file that it names, and its lines.
fn quotes(text: &str) -> Vec<(String, String)> {
    let mut quotes = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, file)) = info.split_once(' ') {
            quotes.push((file.to_owned(), block.join("\n")));
        }
    }
    quotes
}

#[test]
fn every_quoted_block_stands_in_the_file_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/build-on-it.md")).unwrap();
    let quotes = quotes(&guide);
    for (file, block) in &quotes {
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        assert!(!block.trim().is_empty(), "{file}");
        assert!(
            format!("\n{source}\n").contains(&format!("\n{block}\n")),
            "{file} has no such lines:\n{block}"
        );
    }
    // In the order in which a newcomer writes them.
    let mut files: Vec<&str> = quotes.iter().map(|(file, _)| file.as_str()).collect();
    files.dedup();
    let mut at = 0;
    for step in [
        "src/server/notes.sql",
        "src/wire/notes.rs",
        "src/server/notes.rs",
        "src/api/notes.rs",
        "src/app/pages/notes.rs",
        "src/tests/notes.rs",
    ] {
        let found = files[at..].iter().position(|file| *file == step);
        at += found.unwrap_or_else(|| panic!("{step} is not quoted, or not in its place"));
    }
}
