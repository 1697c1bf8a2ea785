//! `glassplate serve` end to end: the real binary, a socket, another process that ingests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use glassplate_tests::archivist::Archivist;
use glassplate_tests::pictures::jpeg;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How soon a new picture must be found after its ingest ended.
const SOON: Duration = Duration::from_secs(2);

/// A server of an archivist's home, killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn of(archivist: &Archivist) -> Self {
        let mut command = archivist.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with("serving")));
        let line = line.expect("it says where it serves");
        let address = line.rsplit("http://").next().expect("an address").to_owned();
        // Whatever it says besides must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn ask(&self, request: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: image/jpeg\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("written");
        stream.write_all(body).expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer[9..12].parse().expect("a status");
        (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
    }

    fn total(&self, query: &str) -> u64 {
        let (status, body) = self.ask(&format!("GET /v1/search?q={query}"), b"");
        assert_eq!(status, 200, "{body}");
        let found: Value = serde_json::from_str(&body).expect("JSON");
        found["total"].as_u64().expect("a number")
    }

    /// Waits until something is found.
    fn finds_soon(&self, query: &str) {
        let began = Instant::now();
        while self.total(query) == 0 {
            assert!(began.elapsed() < SOON, "{query} is not found");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn ends_well(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a signal");
        assert_eq!(self.child.wait().expect("an end").code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_another_process_ingests_is_found_within_two_seconds() {
    let archivist = Archivist::new();
    let server = Server::of(&archivist);
    archivist.put("heron-on-a-pier.jpg", &jpeg(160, 120, 1));
    archivist.ingest("birds").exits(0);
    server.finds_soon("heron");
    server.ends_well();
}

#[test]
fn what_is_uploaded_is_found_within_two_seconds_and_stays_after_the_end() {
    let archivist = Archivist::new();
    let server = Server::of(&archivist);
    let request = "POST /v1/assets?collection=birds&filename=kingfisher.jpg";
    let (status, body) = server.ask(request, &jpeg(160, 120, 2));
    assert_eq!(status, 201, "{body}");
    server.finds_soon("kingfisher");
    server.ends_well();
    assert_eq!(archivist.records().len(), 1);
}

#[test]
fn a_server_that_cannot_listen_says_why() {
    let archivist = Archivist::new();
    archivist.run(&["serve", "--listen", "nowhere"]).exits(2).says("cannot listen on nowhere");
    archivist.run(&["serve", "--listen", "0.0.0.0:0"]).exits(1).says("key");
}
