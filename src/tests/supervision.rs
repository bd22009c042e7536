//! Tasks that must run for as long as the server does.

use super::app::{Browser, TestApp};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Asks until the server says by this status whether it is ready.
async fn readiness(browser: &Browser, status: u16) {
    let becomes = async {
        while browser.open("/health/ready").await.status != status {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), becomes)
        .await
        .unwrap_or_else(|_| panic!("/health/ready never answered {status}"));
}

#[tokio::test]
async fn a_task_that_dies_makes_the_server_not_ready_until_it_runs_again() {
    let app = TestApp::new().await;
    let browser = app.browser();
    readiness(&browser, 200).await;
    // The task that tells clients of endings asks for the time, and nothing else does just now.
    app.panic_after(0);
    app.state.back_channel.wake();
    readiness(&browser, 503).await;
    readiness(&browser, 200).await;
}
