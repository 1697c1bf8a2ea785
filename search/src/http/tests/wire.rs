//! The server with a socket before it: slow clients, many requests on a connection, the end.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Desk, Served, jpeg};
use crate::http::{listen, serve};

/// A server that listens on a free port of this machine.
struct Running {
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn run(desk: &Desk) -> Running {
    let listener = listen("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let (router, served) = (desk.router(), desk.site.served.clone());
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        serve(listener, router, &served, stopped).await.expect("served");
    });
    Running { address, stop, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.expect("a connection")
    }

    async fn end(self) {
        drop(self.stop);
        tokio::time::timeout(Duration::from_secs(10), self.task)
            .await
            .expect("ended")
            .expect("ended");
    }
}

/// Reads until the server closes.
async fn rest(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = client.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(Duration::from_secs(10), read).await.expect("it closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_cut() {
    let desk = Desk::served(Served { head_seconds: 0.2, ..Served::default() });
    let running = run(&desk).await;
    let mut client = running.connect().await;
    client
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .await
        .expect("written");
    let began = Instant::now();
    rest(&mut client).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    running.end().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut_and_others_go_on() {
    let desk = Desk::served(Served { pause_seconds: 0.3, ..Served::default() });
    let large = [jpeg(1), vec![7; 24 << 20]].concat();
    let sent = desk.post("/v1/assets?collection=sea", "image/jpeg", large).await;
    let path = format!("{}/original", sent.json()["href"].as_str().expect("a link"));
    let running = run(&desk).await;
    let mut stuck = running.connect().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stuck.write_all(request.as_bytes()).await.expect("written");
    tokio::time::sleep(Duration::from_millis(900)).await;
    let mut other = running.connect().await;
    other
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    assert!(rest(&mut other).await.starts_with("HTTP/1.1 200"));
    // What was in the sockets' buffers still comes, the file's end never does.
    let mut bytes = Vec::new();
    let _ = stuck.read_to_end(&mut bytes).await;
    assert!(bytes.len() < 24 << 20, "{} bytes came", bytes.len());
    running.end().await;
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let desk = Desk::new();
    let running = run(&desk).await;
    let mut client = running.connect().await;
    for _ in 0..3 {
        client
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .expect("written");
        let mut answer = vec![0; 4096];
        let read = client.read(&mut answer).await.expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    }
    drop(client);
    running.end().await;
}

#[tokio::test]
async fn a_shutdown_cuts_an_upload_that_never_ends_and_leaves_nothing_of_it() {
    let desk = Desk::served(Served { drain_seconds: 0.3, ..Served::default() });
    let running = run(&desk).await;
    let mut client = running.connect().await;
    client
        .write_all(
            b"POST /v1/assets?collection=sea HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n\
              Transfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n",
        )
        .await
        .expect("written");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(desk.incoming(), 1, "it is on its way");
    let began = Instant::now();
    running.end().await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(desk.incoming(), 0);
    let tenant = glassplate_pipeline::asset::Tenant::default();
    assert!(desk.site.catalogue.runs(&tenant, None, 1).await.expect("runs").is_empty());
}

#[tokio::test]
async fn a_request_in_hand_is_answered_before_the_end() {
    let desk = Desk::new();
    let running = run(&desk).await;
    let mut client = running.connect().await;
    let picture = jpeg(9);
    let head = format!(
        "POST /v1/assets?collection=sea HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n\
         Content-Length: {}\r\n\r\n",
        picture.len()
    );
    client.write_all(head.as_bytes()).await.expect("written");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ending = tokio::spawn(running.end());
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.write_all(&picture).await.expect("written");
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    ending.await.expect("ended");
}
