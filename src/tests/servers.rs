//! PostgreSQL servers and poolers of a test's own. Each has a folder in `/tmp` and a free port, and
//! ends with the value that stands for it.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

const OPERATE: &str = include_str!("../../docs/operate.md");
/// Password of the user `postgres` on every server here.
const PASSWORD: &str = "a-password-of-the-test";
/// Data that lives for seconds need not reach the disk.
const SETTINGS: &str = "
unix_socket_directories = ''
shared_buffers = 16MB
max_connections = 40
fsync = off
synchronous_commit = off
full_page_writes = off
";

/// A PostgreSQL server.
pub struct Postgres {
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts a server with these lines at the end of its `postgresql.conf`.
    pub fn with(lines: &str) -> Self {
        Self::made(|_| lines.to_owned())
    }

    /// Starts a server with `ssl = on`. Its certificate for `localhost` is made as `docs/operate.md`
    /// says, and signed by an authority of its own, [`Self::authority`].
    pub fn with_tls(lines: &str) -> Self {
        Self::made(|folder| {
            done(as_postgres("bash", folder).args(["-ec", &documented_commands()]));
            let file = |name: &str| folder.join(name).display().to_string();
            format!(
                "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'\n{lines}",
                file("server.pem"),
                file("server.key"),
                file("ca.pem")
            )
        })
    }

    fn made(lines: impl FnOnce(&Path) -> String) -> Self {
        let folder = new_folder();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        new_data(&folder);
        let conf = folder.join("data/postgresql.conf");
        let text = fs::read_to_string(&conf).unwrap();
        fs::write(conf, format!("{text}{SETTINGS}{}\n", lines(&folder))).unwrap();
        let mut server = Self { folder, port: 0 };
        server.start();
        server
    }

    /// Starts a standby that follows this server.
    pub fn standby(&self) -> Self {
        let folder = new_folder();
        let from = format!("--dbname={}", self.url());
        let copy = ["--pgdata=.", "--write-recovery-conf", "--checkpoint=fast"];
        let data = data_of(&folder, true);
        done(program("pg_basebackup", &data).args(copy).arg(from));
        let mut standby = Self { folder, port: 0 };
        standby.start();
        standby
    }

    /// Makes a standby a server that takes writes.
    pub fn promote(&self) {
        done(self.control("promote").arg("--wait"));
    }

    /// Starts it, on the port that it had if it had one.
    pub fn start(&mut self) {
        let first = self.port == 0;
        for last in [false, false, true] {
            // Another process may take a free port in between.
            if first {
                self.port = free_port();
            }
            let options = format!("-p {} -c listen_addresses=127.0.0.1,::1", self.port);
            let mut start = self.control("start");
            start.args(["--wait", "--log=../log", "--options", &options]);
            let started = start.output().unwrap();
            if started.status.success() {
                return;
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(!last, "{started:?}: {log}");
        }
    }

    /// Stops it and ends its connections.
    pub fn stop(&self) {
        self.signal("CONT");
        done(self.control("stop").args(["--wait", "--mode=immediate"]));
    }

    /// Stops its processes where they are, as a frozen machine does: connections stay open.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets frozen processes go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// The address of its database `postgres`.
    pub fn url(&self) -> String {
        self.url_at("127.0.0.1", "postgres", "")
    }

    /// The address of a database at this name of the host, with this end, such as `?sslmode=…`.
    pub fn url_at(&self, host: &str, database: &str, end: &str) -> String {
        let port = self.port;
        format!("postgres://postgres:{PASSWORD}@{host}:{port}/{database}{end}")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that signed this server's.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate for the database user of this name, signed by the same authority, and its key.
    pub fn client_certificate(&self, user: &str) -> (PathBuf, PathBuf) {
        sign(&self.folder, user, "extendedKeyUsage=clientAuth");
        let file = |kind| self.folder.join(format!("{user}.{kind}"));
        (file("pem"), file("key"))
    }

    /// Puts these lines in the place of `pg_hba.conf`; they hold for new connections.
    pub fn admit(&self, lines: &str) {
        fs::write(self.folder.join("data/pg_hba.conf"), lines).unwrap();
        done(&mut self.control("reload"));
    }

    /// Runs statements in the database `postgres`.
    pub async fn sql(&self, statements: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.unwrap();
        let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        statements.execute(&mut connection).await.unwrap();
    }

    fn control(&self, action: &str) -> Command {
        let mut command = program("pg_ctl", &data_of(&self.folder, false));
        command.args([action, "--pgdata=.", "--silent"]);
        command
    }

    /// Sends a signal to the server's first process and to its children.
    fn signal(&self, name: &str) {
        let running = fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let Some(first) = running
            .ok()
            .and_then(|it| Some(it.lines().next()?.to_owned()))
        else {
            return;
        };
        let ask = ["--no-headers", "-o", "pid", "--ppid", &first];
        let children = Command::new("ps").args(ask).output().unwrap().stdout;
        let children = String::from_utf8(children).unwrap();
        let pids = [&*first].into_iter().chain(children.split_whitespace());
        // A child may have ended in between.
        let _ = Command::new("kill")
            .arg(format!("-{name}"))
            .args(pids)
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal("CONT");
        let _ = self.control("stop").args(["--mode=immediate"]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A pgbouncer in front of a server.
pub struct Pgbouncer {
    folder: PathBuf,
    port: u16,
    running: Child,
}

impl Pgbouncer {
    /// Starts one with this `pool_mode`, and these lines at the end of its settings.
    pub fn before(server: &Postgres, pool_mode: &str, lines: &str) -> Self {
        let folder = new_folder();
        let port = free_port();
        let users = format!("\"postgres\" \"{PASSWORD}\"\n");
        fs::write(folder.join("users"), users).unwrap();
        let behind = server.port;
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={behind}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = users\npool_mode = {pool_mode}\n{lines}\n"
        );
        fs::write(folder.join("settings"), settings).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = as_postgres("pgbouncer", &folder);
        command.arg("settings").stdout(Stdio::null()).stderr(log);
        let running = command.spawn().unwrap();
        let mut pooler = Self {
            folder,
            port,
            running,
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = pooler.running.try_wait().unwrap();
            assert!(ended.is_none(), "{}", pooler.log());
            std::thread::yield_now();
        }
        pooler
    }

    /// The address of the database `postgres` behind it.
    pub fn url(&self) -> String {
        let port = self.port;
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder for the user that the servers run as. `TMPDIR` may be closed to that user.
fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("cloakroom_servers_{}_{count}", std::process::id());
    let folder = Path::new("/tmp").join(name);
    fs::create_dir(&folder).unwrap();
    give_to_postgres(&folder);
    folder
}

fn data_of(folder: &Path, is_new: bool) -> PathBuf {
    let data = folder.join("data");
    if is_new {
        std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), 0o700)
            .create(&data)
            .unwrap();
        give_to_postgres(&data);
    }
    data
}

/// Makes the data of a new server; a copy of those of a test before, where there was one.
fn new_data(folder: &Path) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let version = program("initdb", folder).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let version = version.split_whitespace().nth(2).unwrap();
    let owner = fs::metadata(folder).unwrap().uid();
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("postgresql-{version}-{owner}"));
    let data = folder.join("data");
    let copy = |from: &Path, to: &Path| done(Command::new("cp").arg("-a").args([from, to]));
    if kept.exists() {
        copy(&kept, &data);
        return;
    }
    let made = [
        "--username=postgres",
        "--auth=scram-sha-256",
        "--pwfile=../password",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--pgdata=.",
    ];
    done(program("initdb", &data_of(folder, true)).args(made));
    let new = kept.with_extension(std::process::id().to_string());
    copy(&data, &new);
    // Another process may have kept its own meanwhile.
    if fs::rename(&new, &kept).is_err() {
        fs::remove_dir_all(&new).unwrap();
    }
}

/// Both servers refuse to run as root, which may act as the user of PostgreSQL's package.
fn give_to_postgres(folder: &Path) {
    if fs::metadata(folder).unwrap().uid() == 0 {
        done(Command::new("chown").arg("postgres:").arg(folder));
    }
}

fn as_postgres(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let owner = fs::metadata(folder).unwrap();
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// A program of the newest PostgreSQL here, which Debian keeps off `PATH`.
fn program(name: &str, folder: &Path) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| path.file_name()?.to_str()?.parse::<u32>().ok());
    let program = newest.map_or_else(|| name.into(), |newest| newest.join("bin").join(name));
    as_postgres(program, folder)
}

/// The commands that make an authority and a server's certificate, for the name `localhost`.
fn documented_commands() -> String {
    let (_, section) = OPERATE.split_once("## PostgreSQL over TLS").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (commands, _) = block.split_once("```").unwrap();
    assert!(commands.contains("db.internal"), "{commands}");
    commands.replace("db.internal", "localhost")
}

/// Makes `NAME.pem` and `NAME.key`, signed by the authority `ca.pem` of the folder.
fn sign(folder: &Path, name: &str, extension: &str) {
    fs::write(folder.join(format!("{name}.ext")), extension).unwrap();
    let commands = format!(
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} \
         -keyout {name}.key -out {name}.csr
         openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
         -extfile {name}.ext -out {name}.pem"
    );
    done(as_postgres("bash", folder).args(["-ec", &commands]));
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// A port below those that the system hands to outgoing connections.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(97).wrapping_add(count) % 12_000;
        let port = 20_000 + u16::try_from(offset).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
