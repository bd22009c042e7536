//! What people type, where both sides judge it.

/// The most code points that a password may have; also the bound on what is ever hashed.
pub const PASSWORD_MAX: u32 = 256;

/// The longest path that is gone on to, in octets: a sign-in page that carries the request of
/// another app fits in, and so does the path into the head of a response.
const LOCAL_PATH_MAX: usize = 2_400;

/// The path to go on to after signing in, if it is one of ours: `/` and then neither a slash nor
/// a backslash, which browsers read as another host, and no control characters, which would end
/// a header. Anything else is ignored (security.md XS-6).
pub fn local_path(next: &str) -> Option<&str> {
    let local = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && next.len() <= LOCAL_PATH_MAX
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    local.then_some(next)
}
