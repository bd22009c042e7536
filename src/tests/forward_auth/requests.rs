//! Requests that a documented proxy lets through, refuses, or sends to sign in.

use super::{behind::Behind, proxies::variable, way_back};
use crate::app::{COOKIE, EMAIL};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

impl Behind {
    pub async fn sends_browsers_to_sign_in(&self) {
        let target = "/wiki?page=1&of=2%2B3&q=a%20b+c&name=%C3%A9";
        let request = self.browser().request(Method::GET, target);
        let request = request
            .header("accept", "text/html")
            .header("sec-fetch-mode", "navigate");
        let sent = self.browser().send(request).await;
        assert_eq!(sent.status, 303);
        let back = way_back(sent.header("location"));
        assert_eq!(back, format!("http://{}{target}", self.at));
        // An old browser says nothing but what it accepts.
        let sent = self.browser().open(target).await;
        assert_eq!(
            (sent.status, way_back(sent.header("location"))),
            (303, back)
        );
    }

    pub async fn answers_scripts_with_401(&self) {
        for (mode, accept) in [
            ("cors", "*/*"),
            ("same-origin", "application/json"),
            // Some libraries fetch pages and put them in.
            ("cors", "text/html, */*"),
            ("websocket", ""),
        ] {
            let request = self
                .browser()
                .request(Method::GET, "/data?page=1")
                .header("accept", accept)
                .header("sec-fetch-mode", mode);
            let answer = self.browser().send(request).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (401, ""),
                "{mode} {accept}"
            );
            let back = way_back(answer.header("x-sign-in"));
            assert_eq!(back, format!("http://{}/data?page=1", self.at));
        }
    }

    pub async fn lets_odd_paths_through(&self) {
        let browser = self.signed_in().await;
        for target in [
            &b"/a\\b"[..],
            b"/a?q=\\",
            b"/a?q=`",
            b"/caf\xc3\xa9",
            b"/a?q=caf\xc3\xa9",
            b"/a?q=caf\xe9",
            b"/a?q=\"b\"",
            b"/a?filter={\"a\":[1|2]}",
            b"/a%",
            b"//a",
            b"/a?to=https://evil.example/",
        ] {
            let answer = self.ask(&browser, target, "").await;
            let shown = String::from_utf8_lossy(target);
            // The proxy and the app have limits of their own; Cloakroom adds none.
            assert_ne!(answer.status, 403, "{shown}: {}", answer.body);
            assert_ne!(answer.status, 401, "{shown}: {}", answer.body);
        }
        for target in [&b"/a?q=\\"[..], b"/a?q=`"] {
            let answer = self.ask(&browser, target, "").await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(variable(&answer, "HTTP_REMOTE_EMAIL"), [EMAIL]);
        }
    }

    pub async fn upgrades_to_websockets_alone(&self) {
        let browser = self.signed_in().await;
        let session = browser.session().unwrap();
        let mut socket = TcpStream::connect(self.at).await.unwrap();
        let handshake = format!(
            "GET /live HTTP/1.1\r\nhost: {0}\r\ncookie: {COOKIE}={session}\r\norigin: http://{0}\r\n\
             upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.at
        );
        socket.write_all(handshake.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        assert!(
            head.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&head)
        );
        socket.write_all(b"hello").await.unwrap();
        let mut echo = [0; 5];
        socket.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, b"hello");

        let request = browser
            .request(Method::GET, "/")
            .header("upgrade", "h2c")
            .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")
            .header("connection", "upgrade, http2-settings");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            variable(&answer, "HTTP_UPGRADE").is_empty(),
            "{}",
            answer.body
        );
    }

    pub async fn hands_on_no_other_upgrade_beside_a_websocket(&self) {
        let browser = self.signed_in().await;
        let session = browser.session().unwrap();
        for offers in [["h2c", "websocket"], ["websocket", "h2c"]] {
            let request = format!(
                "GET / HTTP/1.1\r\nhost: {0}\r\ncookie: {COOKIE}={session}\r\norigin: http://{0}\r\n\
                 connection: upgrade, http2-settings\r\nupgrade: {1}\r\nupgrade: {2}\r\n\
                 http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
                self.at, offers[0], offers[1]
            );
            let mut socket = TcpStream::connect(self.at).await.unwrap();
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            if head.starts_with("http/1.1 101") {
                assert!(head.contains("upgrade: websocket"), "{offers:?}: {head}");
                continue;
            }
            // The app says what it was sent.
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split('\r').next()?.parse().ok());
            let mut body = vec![0; length.unwrap_or_else(|| panic!("{head}"))];
            socket.read_exact(&mut body).await.unwrap();
            let body = String::from_utf8(body).unwrap();
            assert!(
                !body.contains("h2c") && !body.contains("HTTP2_SETTINGS"),
                "{offers:?}: {body}"
            );
        }
    }

    pub async fn refuses_ended_sessions(&self) {
        let direct = self.app.signed_up(EMAIL).await;
        let browser = self.browser();
        browser.keep(&direct);
        assert_eq!(browser.open("/").await.status, 200);
        direct.call("sign_out", &[]).await;
        assert_eq!(browser.open("/").await.status, 303);
    }

    pub async fn lets_preflights_through(&self) {
        let browser = self.browser();
        let preflight = |method| {
            browser
                .request(method, "/data")
                .header("origin", "https://page.example")
                .header("access-control-request-method", "PUT")
                .header("remote-user", "admin")
        };
        let answer = browser.send(preflight(Method::OPTIONS)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["method"], "OPTIONS");
        assert!(!answer.body.contains("REMOTE"), "{}", answer.body);
        // A visitor cannot have another request taken for one.
        for method in [Method::GET, Method::POST, Method::PUT] {
            let request = preflight(method).header("x-forwarded-method", "OPTIONS");
            assert_eq!(browser.send(request).await.status, 401);
        }
        let plain = browser.request(Method::OPTIONS, "/data");
        assert_eq!(browser.send(plain).await.status, 401);
    }
}
