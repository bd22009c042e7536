//! A terminal at which a command asks, by Python's `pty`.

use super::place::Place;
use std::process::{Command, Stdio};

/// Types at a terminal of its own, and says how that was left.
const TERMINAL: &str = r#"
import os, pty, signal, sys, termios, time, select
answers = sys.argv[1].split("|")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
before = termios.tcgetattr(terminal)[3]
seen = b""
def read_until(text):
    global seen
    while text not in seen:
        if not select.select([terminal], [], [], 20)[0]:
            sys.exit("no prompt: " + repr(seen))
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            sys.exit("it ended: " + repr(seen))
for answer in answers:
    prompt, typed = answer.split("=")
    read_until(prompt.encode())
    # A key before the terminal is raw would be echoed.
    while prompt.startswith(("New", "The same")) and termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.005)
    seen = b""
    os.write(terminal, typed.encode().decode("unicode_escape").encode())
try:
    while True:
        some = os.read(terminal, 4096)
        if not some:
            break
        seen += some
except OSError:
    pass
left = "as it was"
try:
    left = "as it was" if termios.tcgetattr(terminal)[3] == before else "changed"
except termios.error:
    pass
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status), left, seen.decode(errors="replace"))
"#;

/// Runs a command at a terminal, and types `PROMPT=ANSWER|…`: its exit code, how it left the terminal, and
/// what it showed since the last answer.
pub fn at_a_terminal(place: &Place, answers: &str, words: &[&str]) -> String {
    let mut python = Command::new("python3");
    python
        .args(["-c", TERMINAL, answers, env!("CARGO_BIN_EXE_cloakroom")])
        .args(words)
        .current_dir(place.folder())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::null());
    let output = python.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
