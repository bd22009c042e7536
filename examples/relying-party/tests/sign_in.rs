//! A person signs in to this app through a real Cloakroom, and takes it back there.
//!
//! `CLOAKROOM_BIN` names the server; else it is the development build of the folder above.

use openidconnect::reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a quiet lamp over seven stairs";

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and waits until a line of its output has this in it.
fn start(command: &mut Command, ready: &str) -> Running {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let errors = child.stderr.take().unwrap();
    let output = child.stdout.take().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let other = tell.clone();
    for (reader, tell) in [
        (Box::new(errors) as Box<dyn std::io::Read + Send>, tell),
        (Box::new(output), other),
    ] {
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
    }
    let child = Running(child);
    assert!(told.iter().any(|line| line.contains(ready)), "{ready}");
    child
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A browser: one that keeps cookies, and goes where this test says.
struct Browser {
    http: Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header("cookie", cookies.join("; "));
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (pair, _) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    async fn open(&mut self, url: &str) -> Response {
        let request = self.http.get(url);
        self.send(request).await
    }

    /// A form of a page of this origin.
    async fn submit(&mut self, origin: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let mut body = openidconnect::url::form_urlencoded::Serializer::new(String::new());
        let request = self
            .http
            .post(format!("{origin}{path}"))
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.extend_pairs(form).finish());
        self.send(request).await
    }
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_and_takes_it_back() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let cloakroom = std::env::var("CLOAKROOM_BIN")
        .map_or_else(|_| here.join("../../target/debug/cloakroom"), PathBuf::from);
    let folder = std::env::temp_dir().join(format!("relying_party_{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let (server, app) = (free_address(), free_address());
    let issuer = format!("http://{server}");
    let url = format!("http://{app}");
    let command = |words: &[&str]| {
        let mut command = Command::new(&cloakroom);
        command
            .args(words)
            .current_dir(&folder)
            .env("LEPTOS_SITE_ADDR", &server)
            .env("CLOAKROOM_OIDC_ISSUER", &issuer)
            .env("RUST_LOG", "info");
        command
    };
    let mut adding = command(&["user", "add", "--email", EMAIL])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    adding
        .stdin
        .take()
        .unwrap()
        .write_all(PASSWORD.as_bytes())
        .unwrap();
    assert!(adding.wait().unwrap().success());
    let added = command(&["client", "add", "--name", "The Wiki"])
        .args(["--grant-type", "authorization_code"])
        .args(["--grant-type", "refresh_token"])
        .args(["--scope", "openid email", "--redirect-uri"])
        .arg(format!("{url}/callback"))
        .output()
        .unwrap();
    let said = String::from_utf8(added.stdout).unwrap();
    let word = |start: &str| {
        let mut found = said.split(|it: char| it.is_whitespace() || it == '"');
        let found = found.rfind(|word| word.starts_with(start));
        found
            .unwrap_or_else(|| panic!("{start}: {said}"))
            .to_owned()
    };
    let (id, secret) = (word("client-"), word("cs_"));
    let _server = start(&mut command(&[]), "event=\"listening\"");
    let mut wiki = Command::new(env!("CARGO_BIN_EXE_relying-party"));
    wiki.env("ISSUER", &issuer)
        .env("CLIENT_ID", &id)
        .env("CLIENT_SECRET", &secret)
        .env("ADDRESS", &app);
    let _wiki = start(&mut wiki, "listening");

    let mut browser = Browser {
        http: Client::builder().redirect(Policy::none()).build().unwrap(),
        cookies: HashMap::new(),
    };
    let form = [("email", EMAIL), ("password", PASSWORD)];
    assert_eq!(
        browser
            .submit(&issuer, "/api/sign_in", &form)
            .await
            .status(),
        200
    );
    let asks = location(&browser.open(&format!("{url}/sign-in")).await);
    assert!(asks.starts_with(&format!("{issuer}/oauth2/authorize?")));
    let asked = location(&browser.open(&asks).await);
    let request = asked.strip_prefix("/consent?").unwrap();
    let form = [("request", request), ("decision", "allow")];
    let decided = browser
        .submit(&issuer, "/api/decide_authorization", &form)
        .await;
    let decided = decided.text().await.unwrap();
    let next = decided
        .split('"')
        .find(|part| part.starts_with("/oauth2/"))
        .unwrap();
    let back = location(&browser.open(&format!("{issuer}{next}")).await);
    assert!(back.starts_with(&format!("{url}/callback?code=")), "{back}");

    // Another browser that is sent back with this code is not signed in.
    let mut mallory = Browser {
        http: browser.http.clone(),
        cookies: HashMap::new(),
    };
    let refused = mallory.open(&back).await.text().await.unwrap();
    assert!(refused.contains("That was not asked for"));
    // Nor is another provider's answer this one's.
    let asks_too = location(&mallory.open(&format!("{url}/sign-in")).await);
    let (_, state) = asks_too.split_once("&state=").unwrap();
    let state = state.split('&').next().unwrap();
    let other = format!("{url}/callback?code=x&state={state}&iss=https%3A%2F%2Fevil.example");
    let refused = mallory.open(&other).await.text().await.unwrap();
    assert!(refused.contains("That was not asked for"));

    assert_eq!(location(&browser.open(&back).await), "/");
    let hello = format!("Hello {EMAIL}");
    let page = browser.open(&url).await.text().await.unwrap();
    assert!(page.contains(&hello), "{page}");
    // No token is in the page, and none in the browser.
    let cookies: Vec<_> = browser.cookies.values().cloned().collect();
    for text in [page, cookies.join(" ")] {
        assert!(!text.contains("at+jwt") && !text.contains("rt_"));
    }
    assert_eq!(location(&browser.submit(&url, "/refresh", &[]).await), "/");
    assert!(
        browser
            .open(&url)
            .await
            .text()
            .await
            .unwrap()
            .contains(&hello)
    );

    let form = [("client_id", &*id)];
    assert_eq!(
        browser
            .submit(&issuer, "/api/revoke_app", &form)
            .await
            .status(),
        200
    );
    let refused = browser
        .submit(&url, "/refresh", &[])
        .await
        .text()
        .await
        .unwrap();
    assert!(refused.contains("Cloakroom says no"), "{refused}");
    let page = browser.open(&url).await.text().await.unwrap();
    assert!(page.contains("Nobody is signed in"));
    std::fs::remove_dir_all(folder).unwrap();
}
