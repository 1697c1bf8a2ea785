//! `glassplate serve` on a port of its own, for tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::archivist::Archivist;

/// How soon a new picture must be found after its ingest ended.
const SOON: Duration = Duration::from_secs(2);

/// A server of an archivist's home, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    /// Panics when it does not.
    pub fn of(archivist: &Archivist) -> Self {
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

    /// Asks without a key: method and target, and a picture; answers status and body.
    ///
    /// # Panics
    /// Panics when no answer comes.
    pub fn ask(&self, request: &str, body: &[u8]) -> (u16, String) {
        self.ask_with("", request, body)
    }

    /// The same with a key.
    ///
    /// # Panics
    /// Panics when no answer comes.
    pub fn ask_with_key(&self, secret: &str, request: &str, body: &[u8]) -> (u16, String) {
        self.ask_with(&format!("Authorization: Bearer {secret}\r\n"), request, body)
    }

    fn ask_with(&self, header: &str, request: &str, body: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: image/jpeg\r\n\
             {header}Content-Length: {}\r\n\r\n",
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

    /// How many pictures a query finds.
    ///
    /// # Panics
    /// Panics when it is refused.
    pub fn total(&self, query: &str) -> u64 {
        let (status, body) = self.ask(&format!("GET /v1/search?q={query}"), b"");
        assert_eq!(status, 200, "{body}");
        let found: Value = serde_json::from_str(&body).expect("JSON");
        found["total"].as_u64().expect("a number")
    }

    /// Waits until something is found.
    ///
    /// # Panics
    /// Panics when it is not within two seconds.
    pub fn finds_soon(&self, query: &str) {
        let began = Instant::now();
        while self.total(query) == 0 {
            assert!(began.elapsed() < SOON, "{query} is not found");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator would.
    ///
    /// # Panics
    /// Panics when it does not end well.
    pub fn ends_well(mut self) {
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
