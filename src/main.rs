//! The one binary: reads the command line and hands over to the server room.

/// Argon2 takes 19 MiB a sign-in. This allocator gives such blocks back to the system; glibc
/// keeps them in its arenas, 1.6 GB of them after 300 sign-ins.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cloakroom::server::run()
}
