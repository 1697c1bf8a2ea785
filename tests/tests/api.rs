//! `glassplate serve` end to end: the real binary, a socket, another process that ingests.

use glassplate_tests::archivist::Archivist;
use glassplate_tests::pictures::jpeg;
use glassplate_tests::server::Server;

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
