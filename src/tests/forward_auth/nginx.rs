//! The configuration of `docs/forward-auth.md`, run by a real nginx in front of an app that says
//! what it was sent.

use crate::app::{Browser, COOKIE, EMAIL, TestApp, encoded};
use axum::{Json, Router, http::HeaderMap};
use reqwest::Method;
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::net::TcpListener;

const GUIDE: &str = include_str!("../../../docs/forward-auth.md");

/// Runs in a folder of its own until it is dropped.
struct Nginx {
    process: Child,
    folder: PathBuf,
}

impl Nginx {
    /// Ready when it listens at this address.
    async fn start(at: SocketAddr, cloakroom: &str, app: SocketAddr) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloakroom_nginx_{}_{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        let (_, rest) = GUIDE.split_once("```nginx\n").unwrap();
        let (written, _) = rest.split_once("```").unwrap();
        let lines = written.lines();
        let lines = lines.filter(|line| !line.trim_start().starts_with("ssl_certificate"));
        let mut servers = lines.collect::<Vec<_>>().join("\n");
        for (said, here) in [
            ("listen 8443 ssl;", format!("listen {at};")),
            ("http://127.0.0.1:3000;", format!("{cloakroom};")),
            ("http://127.0.0.1:9000;", format!("http://{app};")),
        ] {
            assert!(servers.contains(said), "{said}");
            servers = servers.replace(said, &here);
        }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};\n"))
            .concat();
        std::fs::write(
            folder.join("nginx.conf"),
            format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
                 events {{}}\nhttp {{ access_log off;\n{temporary}{servers} }}\n"
            ),
        )
        .unwrap();
        // Debian keeps it off the PATH of users.
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
        let mut process = Command::new("nginx")
            .env("PATH", path)
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(&folder)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx, which scripts/setup test installs: {error}"));
        while TcpStream::connect(at).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "nginx has ended");
            tokio::task::yield_now().await;
        }
        Self { process, folder }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One that nothing listens at. It lies below the ports that the system hands to connections: one of
/// those could be taken before nginx listens there, even by the connection that looks whether it does.
async fn free_address() -> SocketAddr {
    loop {
        let port = 20_000 + RandomState::new().hash_one(0) % 12_000;
        if let Ok(listener) = TcpListener::bind(format!("127.0.0.1:{port}")).await {
            return listener.local_addr().unwrap();
        }
    }
}

/// An app that has no accounts: it says what it was sent.
async fn other_app() -> SocketAddr {
    let say = async |headers: HeaderMap| {
        let sent: BTreeMap<String, String> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Json(sent)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(say)).await });
    address
}

/// All three, and a browser of the app's.
async fn behind_nginx() -> (TestApp, Nginx, String) {
    let at = free_address().await;
    let app = TestApp::with(|config| {
        config.forward_auth.allowed_hosts = vec![at.to_string()];
        "http://cloakroom.test".clone_into(&mut config.oidc.issuer);
    })
    .await;
    let nginx = Nginx::start(at, &app.url, other_app().await).await;
    (app, nginx, format!("http://{at}"))
}

#[tokio::test]
async fn nginx_sends_whoever_is_not_signed_in_to_sign_in() {
    let (_app, _nginx, url) = behind_nginx().await;
    let answer = Browser::at(url.clone()).open("/wiki?page=1&of=2").await;
    assert_eq!(answer.status, 303);
    let back = encoded(&[("to", &format!("{url}/wiki?page=1&of=2"))]);
    let location = answer.header("location");
    assert!(location.starts_with("http://cloakroom.test/sign-in?next=/auth/return"));
    let (_, next) = location.split_once("next=").unwrap();
    let next = percent_encoding::percent_decode_str(next)
        .decode_utf8()
        .unwrap();
    let to: Vec<_> = form_urlencoded::parse(next.split_once('?').unwrap().1.as_bytes()).collect();
    assert_eq!(encoded(&[("to", &to[0].1)]), back);
}

#[tokio::test]
async fn nginx_tells_the_app_who_is_signed_in_and_believes_no_client() {
    let (app, _nginx, url) = behind_nginx().await;
    let browser = Browser::at(url.clone());
    browser.keep(&app.signed_up(EMAIL).await);
    for (name, value) in [("theme", "dark"), ("lang", "en")] {
        browser.plant(name, value);
    }
    let request = browser
        .request(Method::POST, "/anything")
        .header("remote-user", "root")
        .header("Remote-Email", "root@example.com")
        .header("remote_user", "root")
        .header("x-original-url", "https://evil.example/")
        .body("a body");
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sent = answer.json();
    assert_eq!(sent["remote-email"], EMAIL);
    assert_ne!(sent["remote-user"], "root");
    assert!(sent.get("remote_user").is_none(), "{sent}");
    assert!(!sent["remote-session"].as_str().unwrap().is_empty());
    // What signs in stays with the proxy.
    let cookies = sent["cookie"].as_str().unwrap();
    assert!(!cookies.contains(COOKIE), "{cookies}");
    assert!(cookies.contains("theme=dark") && cookies.contains("lang=en"));

    let stranger = Browser::at(url);
    let request = stranger
        .request(Method::GET, "/anything")
        .header("remote-user", "root");
    assert_eq!(stranger.send(request).await.status, 303);
}

#[tokio::test]
async fn nginx_hands_the_renewed_cookie_on_and_refuses_an_ended_session() {
    let (app, _nginx, url) = behind_nginx().await;
    let direct = app.signed_up(EMAIL).await;
    let browser = Browser::at(url);
    browser.keep(&direct);
    app.pass(300);
    let answer = browser.open("/").await;
    assert_eq!((answer.status, answer.set_cookies().len()), (200, 1));
    assert_eq!(browser.open("/").await.status, 200);
    direct.keep(&browser);
    direct.call("sign_out", &[]).await;
    assert_eq!(browser.open("/").await.status, 303);
}
