//! A whole server for one test: own database, own clock, own port.

use cloakroom::server::{
    api_keys::PREFIX, clock::Clock, config::Config, listen, random::Random, router::router,
    settings::Settings, state::State,
};
use reqwest::{Method, RequestBuilder, Response, header};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU32, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OnceCell, mpsc, oneshot},
};

pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "a quiet lamp over seven stairs";
pub const COOKIE: &str = "__Host-Http-session";

static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct TestApp {
    pub url: String,
    pub state: State,
    now_ms: Arc<AtomicI64>,
    elapsed_ms: Arc<AtomicI64>,
    clock_fault: Fault,
    clock_hold: Hold,
    random_fault: Fault,
    folder: Arc<Folder>,
    _stop: oneshot::Sender<()>,
}

/// The data of a server; it goes when no server has it any more.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Panics when it has been asked so many times; never, below zero.
#[derive(Clone)]
struct Fault(Arc<AtomicI64>);

impl Default for Fault {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(-1)))
    }
}

impl Fault {
    fn ask(&self) {
        let left = self.0.fetch_sub(1, Ordering::SeqCst);
        assert_ne!(left, 0, "a fault for a test");
    }
}

/// Holds the server up at each question, until the test drops what it receives for it.
#[derive(Clone, Default)]
struct Hold(Arc<Mutex<Option<mpsc::UnboundedSender<Held>>>>);

/// A question that waits for its answer.
pub struct Held(
    #[expect(dead_code, reason = "dropping it is what counts")] std::sync::mpsc::Sender<()>,
);

impl Hold {
    fn ask(&self) {
        let asked = self.0.lock().unwrap().clone();
        let Some(asked) = asked else { return };
        let (held, dropped) = std::sync::mpsc::channel();
        if asked.send(Held(held)).is_ok() {
            // Other tasks of this thread go on, on another.
            let _ = tokio::task::block_in_place(|| dropped.recv());
        }
    }
}

impl TestApp {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom_{}_{count}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        let mut settings = Settings::load(None).unwrap();
        settings.config.data.dir.clone_from(&folder);
        settings.config.database.url = match std::env::var("CLOAKROOM_TEST_POSTGRES") {
            Ok(admin) => copy_database(&admin, &name).await,
            Err(_) => String::new(),
        };
        // The least that Argon2 knows: these tests are not about its cost.
        settings.config.passwords.memory_kib = 64;
        settings.config.passwords.iterations = 1;
        settings.config.limits.sign_ups_per_address = 1000;
        settings.config.limits.sign_ins_per_address = 1000;
        settings.config.limits.new_keys_per_user = 1000;
        change(&mut settings.config);
        let now_ms = Arc::new(AtomicI64::new(1_800_000_000_000));
        Self::serve(settings, now_ms, Arc::new(Folder(folder))).await
    }

    /// Another process that serves the same data: another node on PostgreSQL, or the same one after a
    /// restart.
    pub async fn restarted(&self) -> Self {
        self.restarted_with(|_| {}).await
    }

    /// Another process that serves the same data with other settings.
    pub async fn restarted_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut settings = Settings::load(None).unwrap();
        settings.config = self.state.config.clone();
        change(&mut settings.config);
        Self::serve(settings, Arc::clone(&self.now_ms), Arc::clone(&self.folder)).await
    }

    async fn serve(settings: Settings, now_ms: Arc<AtomicI64>, folder: Arc<Folder>) -> Self {
        let (clock_fault, random_fault) = (Fault::default(), Fault::default());
        let clock_hold = Hold::default();
        let elapsed_ms = Arc::new(AtomicI64::new(0));
        let reading = |time: &Arc<AtomicI64>| {
            let (time, fault) = (Arc::clone(time), clock_fault.clone());
            let hold = clock_hold.clone();
            move || {
                fault.ask();
                hold.ask();
                time.load(Ordering::SeqCst)
            }
        };
        let clock = Clock::from_fns(reading(&now_ms), reading(&elapsed_ms));
        let random = Random::from_fn({
            let fault = random_fault.clone();
            move |bytes| {
                fault.ask();
                aws_lc_rs::rand::fill(bytes).unwrap();
                Ok(())
            }
        });
        let state = State::open(settings, clock, random).await.unwrap();
        state.begin_to_serve().await.unwrap();
        while !state.hearing.is_good(&state.sessions, &state.db) {
            tokio::task::yield_now().await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = state.clone();
        tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            listen::serve(listener, router(serving.clone()), &serving, stopped).await
        });
        Self {
            url,
            state,
            now_ms,
            elapsed_ms,
            clock_fault,
            clock_hold,
            random_fault,
            folder,
            _stop: stop,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.elapsed_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.set_clock(seconds);
    }

    /// Sets the wall clock forward, or back below zero, by so many seconds; no time passes.
    pub fn set_clock(&self, seconds: i64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Makes the server panic when it asks for the time, after so many more answers; never,
    /// below zero.
    pub fn panic_after(&self, answers: i64) {
        self.clock_fault.0.store(answers, Ordering::SeqCst);
    }

    /// Holds the server up whenever it asks for the time, until the receiver is dropped. Needs a
    /// runtime of several threads.
    pub fn hold_at_each_time(&self) -> mpsc::UnboundedReceiver<Held> {
        let (asked, asks) = mpsc::unbounded_channel();
        *self.clock_hold.0.lock().unwrap() = Some(asked);
        asks
    }

    /// Makes the server panic when it asks for random bytes, after so many more answers.
    pub fn panic_after_random(&self, answers: i64) {
        self.random_fault.0.store(answers, Ordering::SeqCst);
    }

    /// Changes rows behind the server's back, as a thief or a fault would.
    pub async fn tamper(&self, sql: &'static str) {
        sqlx::query(sql)
            .execute(self.state.db.pool())
            .await
            .unwrap();
        self.state.sessions.clear();
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::at(self.url.clone())
    }

    /// A browser in which somebody has just signed up.
    pub async fn signed_up(&self, email: &str) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_up(email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }

    /// What a client gets that writes its request by hand.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        // A server that has had enough may reset the connection.
        let _ = socket.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A plain connection.
    pub async fn connect(&self) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).await.unwrap()
    }

    /// What the database says: one number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let (count,): (i64,) = sqlx::query_as(sql)
            .fetch_one(self.state.db.pool())
            .await
            .unwrap();
        count
    }
}

/// A database on the server that this URL of another of its databases names.
pub async fn create_database(admin: &str, name: &str) -> String {
    let mut connection = PgConnection::connect(admin).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    let (server, _) = admin.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A database with the tables of this version: the migrations run once in each process of tests, and each
/// test has a copy of what they made.
async fn copy_database(admin: &str, name: &str) -> String {
    static ORIGINAL: OnceCell<String> = OnceCell::const_new();
    let original = ORIGINAL.get_or_init(async || {
        let original = format!("cloakroom_original_{}", std::process::id());
        let url = create_database(admin, &original).await;
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let migrations = sqlx::migrate!("src/server/migrations");
        migrations.run(&mut connection).await.unwrap();
        // PostgreSQL copies no database that is in use.
        connection.close().await.unwrap();
        original
    });
    create_database(admin, &format!("{name} TEMPLATE {}", original.await)).await;
    let (server, _) = admin.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// Keeps cookies as a browser does, by name.
pub struct Browser {
    url: String,
    http: reqwest::Client,
    cookies: Mutex<Vec<(String, String)>>,
}

/// Somebody's program: it has a key, and no cookies.
pub struct Program {
    browser: Browser,
    key: String,
}

impl Program {
    pub fn new(url: &str, key: &str) -> Self {
        Self {
            browser: Browser::at(url.to_owned()),
            key: key.to_owned(),
        }
    }

    /// What it shows.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A request with the key where it belongs.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.browser.request(method, path);
        request.header(header::AUTHORIZATION, format!("Bearer {}", self.key))
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.browser.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Browser {
    /// Opened at this origin, with no cookie yet.
    pub fn at(url: String) -> Self {
        Self {
            url,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                // No test speaks TLS, and reading the system's certificates takes longer than a request.
                .tls_certs_only([])
                .build()
                .unwrap(),
            cookies: Mutex::default(),
        }
    }

    /// Where it is opened.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes over the cookies of another.
    pub fn keep(&self, other: &Self) {
        let cookies = other.cookies.lock().unwrap().clone();
        *self.cookies.lock().unwrap() = cookies;
    }

    /// What it sends with.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A request as this browser would send it, cookies and all.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        let cookies = self.cookies.lock().unwrap();
        if cookies.is_empty() {
            return request;
        }
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header(header::COOKIE, pairs.join("; "))
    }

    /// Sends it, and keeps the cookies of the answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response: Response = request.send().await.unwrap();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        };
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            cookies.retain(|(other, _)| other != name);
            if !attributes.contains("Max-Age=0") {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// What WASM does: a form, posted by `fetch` from our own page.
    pub async fn call(&self, function: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, &format!("/api/{function}"))
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin");
        self.send(with_form(request, form)).await
    }

    /// The same from an address, as the proxy in front names it.
    pub async fn call_from(&self, address: &str, function: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, &format!("/api/{function}"))
            .header("origin", &self.url)
            .header("x-forwarded-for", address);
        self.send(with_form(request, form)).await
    }

    /// What a page without JavaScript does: it goes past the check of a new session's cookie.
    pub async fn submit(&self, page: &str, function: &str, form: &[(&str, &str)]) -> Answer {
        let mut answer = self.submit_and_stop(page, function, form).await;
        let check = answer.header("location").to_owned();
        if check.starts_with("/signed-in?") {
            let checked = self.open(&check).await;
            let next = checked.headers[header::LOCATION].clone();
            answer.headers.insert(header::LOCATION, next);
        }
        answer
    }

    /// The same, as far as the first answer.
    pub async fn submit_and_stop(
        &self,
        page: &str,
        function: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let request = self
            .request(Method::POST, &format!("/api/{function}"))
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin")
            .header("referer", format!("{}{page}", self.url))
            .header("accept", "text/html,application/xhtml+xml");
        self.send(with_form(request, form)).await
    }

    /// Throws every cookie away.
    pub fn forget_cookies(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// Opens a page.
    pub async fn open(&self, path: &str) -> Answer {
        self.send(
            self.request(Method::GET, path)
                .header("accept", "text/html"),
        )
        .await
    }

    pub async fn sign_up(&self, email: &str, password: &str) -> Answer {
        self.call("sign_up", &[("email", email), ("password", password)])
            .await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.call("sign_in", &[("email", email), ("password", password)])
            .await
    }

    /// The address of whoever is signed in.
    pub async fn viewer(&self) -> Option<String> {
        let answer = self.send(self.request(Method::GET, "/api/viewer")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["email"].as_str().map(str::to_owned)
    }

    /// What is signed in to the account.
    pub async fn list_sessions(&self) -> serde_json::Value {
        let answer = self
            .send(self.request(Method::GET, "/api/list_sessions"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// The apps that may know about the account.
    pub async fn list_apps(&self) -> Vec<serde_json::Value> {
        let answer = self.send(self.request(Method::GET, "/api/list_apps")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["apps"].as_array().unwrap().clone()
    }

    /// What happened to the account: the kinds of the newest entries.
    pub async fn list_activity(&self) -> Vec<String> {
        let answer = self
            .send(self.request(Method::GET, "/api/list_activity"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let entries = answer.json()["entries"].clone();
        let kind = |entry: &serde_json::Value| entry["kind"].as_str().unwrap().to_owned();
        entries.as_array().unwrap().iter().map(kind).collect()
    }

    /// Makes an API key with these scopes, for a day; the whole answer.
    pub async fn mint(&self, scopes: &str) -> serde_json::Value {
        let form = [
            ("label", "a program"),
            ("scopes", scopes),
            ("expires_in_days", "1"),
        ];
        let answer = self.call("create_api_key", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// The same; the key alone.
    pub async fn key(&self, scopes: &str) -> String {
        self.mint(scopes).await["key"].as_str().unwrap().to_owned()
    }

    /// The account's API keys.
    pub async fn list_api_keys(&self) -> Vec<serde_json::Value> {
        let answer = self
            .send(self.request(Method::GET, "/api/list_api_keys"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["keys"].as_array().unwrap().clone()
    }

    /// Texts of the keys that the page of API keys shows in full, the newest first.
    pub async fn shown_keys(&self) -> Vec<String> {
        let page = self.open("/account/keys").await;
        assert_eq!(page.status, 200, "{}", page.body);
        let is_key = |it: &&str| it.starts_with(PREFIX) && it.len() > 100;
        let mut keys: Vec<String> = Vec::new();
        for key in page
            .body
            .split(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
            .filter(is_key)
        {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        }
        keys
    }

    /// The session cookie's value: what only the browser and the server have.
    pub fn session(&self) -> Option<String> {
        self.cookie(COOKIE)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        let mut named = cookies.iter().filter(|(other, _)| other == name);
        named.next().map(|(_, value)| value.clone())
    }

    /// Plants a cookie, as malware with access to the disk could.
    pub fn plant(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.push((name.to_owned(), value.to_owned()));
    }
}

pub fn with_form(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(encoded(form))
}

/// A form as browsers write it.
pub fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}
