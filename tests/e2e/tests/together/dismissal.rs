//! Publishes that are ended from outside: an operator's DELETE reaches the right one, and soon.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::raw_rtmp::{Peer, wire};
use e2e::{Gateway, http, wait};

const VIDEO: u8 = 9;
/// Only a failing test waits so long.
const SOON: Duration = Duration::from_secs(30);

fn names(gateway: &Gateway) -> Vec<String> {
    let streams = gateway.get("/api/v1/streams").json();
    let streams = streams["streams"].as_array().expect("a list").iter();
    streams
        .map(|stream| stream["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn disconnect(gateway: &Gateway, name: &str) {
    let answer = http::request(
        gateway.http,
        "DELETE",
        &format!("/api/v1/streams/live/{name}"),
        &[],
    );
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[test]
fn one_of_two_publishes_of_a_connection_is_ended_and_the_other_goes_on() {
    let gateway = Gateway::start();
    let mut peer = Peer::publishing(gateway.rtmp, "live", "one");
    peer.send(&wire::create_stream());
    peer.send(&wire::publish(2, "two"));
    wait::until("both publishes", SOON, || {
        (names(&gateway) == ["one", "two"]).then_some(())
    });
    disconnect(&gateway, "one");
    peer.until_told("an operator disconnected it");
    wait::until("the end of the first", SOON, || {
        (names(&gateway) == ["two"]).then_some(())
    });
    disconnect(&gateway, "two");
    peer.until_closed(SOON);
    // The connection closes before its task has left the registry: the end is seen, not assumed.
    wait::until("the end of the second", SOON, || {
        names(&gateway).is_empty().then_some(())
    });
}

#[test]
fn an_encoder_that_floods_is_disconnected_all_the_same() {
    let gateway = Gateway::start();
    let mut peer = Peer::publishing(gateway.rtmp, "live", "flood");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let many = wire::message(VIDEO, 1, 0, &[0x27]).repeat(10_000);
            while !over.load(Ordering::Relaxed) {
                // Once the connection is closed it takes nothing, and that is as good.
                if peer.send(&many) == 0 {
                    break;
                }
            }
        });
        wait::until("the publish", SOON, || {
            (names(&gateway) == ["flood"]).then_some(())
        });
        disconnect(&gateway, "flood");
        wait::until("its end", SOON, || names(&gateway).is_empty().then_some(()));
        over.store(true, Ordering::Relaxed);
    });
}
