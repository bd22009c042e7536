//! File descriptors: each connection takes one.

use crate::server::config::Config;

/// Descriptors that the process needs beside those of connections: its database, its log, files of the site.
const OTHERS: u64 = 64;

/// Warns where fewer connections than `server.max_connections` can be open, by the limit of the process.
pub fn warn_if_few(config: &Config) {
    let limits = std::fs::read_to_string("/proc/self/limits");
    let Some(limit) = limits.ok().as_deref().and_then(open_files) else {
        return;
    };
    let max_connections = config.server.max_connections;
    if u64::from(max_connections) + OTHERS > limit {
        tracing::warn!(
            event = "few_file_descriptors",
            max_connections,
            limit,
            "server.max_connections is more than the process may open files: raise the limit \
             (LimitNOFILE= of systemd, ulimit -n), or lower server.max_connections"
        );
    }
}

/// The soft limit; none if it is unlimited.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
