//! What is released has nothing of the lab in it.

use crate::place::Place;

/// Of each of its files, its events, its hosts and its notes.
const WORDS: [&str; 8] = [
    "evil.shop.localhost",
    "lab.example",
    "/lab/lab",
    "lab_request",
    "lab_open",
    "attackers-client",
    "list_notes",
    "write_note",
];

#[tokio::test]
async fn there_is_no_lab() {
    let mut place = Place::new();
    let browser = place.serve("info");
    for path in ["/lab", "/lab/lab.js", "/lab/record", "/lab/notes", "/notes"] {
        assert_eq!(browser.open(path).await.status, 404, "{path}");
    }
    let log = place.stop();
    assert!(!log.contains("lab"), "{log}");
    assert!(!place.folder().join("data/lab").exists());

    let binary = std::fs::read(env!("CARGO_BIN_EXE_cloakroom")).unwrap();
    let binary = String::from_utf8_lossy(&binary);
    let has = |word: &str| binary.contains(word);
    // It is the binary that is looked into.
    assert!(has("/api/sign_in") || has("sign_in"));
    for word in WORDS {
        assert!(!has(word), "{word}");
    }
}
