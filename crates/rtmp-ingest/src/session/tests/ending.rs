//! How publishes and sessions end, from either side.

use super::*;

#[test]
fn the_three_ways_to_end_a_publish() {
    let done = "20@1 \"onStatus\" 0 null {level:\"status\" code:\"NetStream.Unpublish.Success\" description:\"the publish has ended\"}\n";
    for (input, answer) in [
        (
            command(0, "FCUnpublish", 0.0, &[Null, Text("show?x=y")]),
            format!(
                "{done}20@0 \"onFCUnpublish\" 0 null {{code:\"NetStream.Unpublish.Success\" description:\"show\"}}\n"
            ),
        ),
        (
            command(0, "FCUnpublish", 0.0, &[]),
            format!(
                "{done}20@0 \"onFCUnpublish\" 0 null {{code:\"NetStream.Unpublish.Success\" description:\"\"}}\n"
            ),
        ),
        (command(1, "closeStream", 0.0, &[Null]), done.to_owned()),
        (
            command(0, "deleteStream", 0.0, &[Null, Number(1.0)]),
            String::new(),
        ),
        (command(1, "deleteStream", 0.0, &[Null]), String::new()),
    ] {
        let mut client = Client::publishing();
        client.send(&input);
        assert_eq!(
            client.events(),
            [Event::Unpublish {
                stream: MessageStreamId(1)
            }]
        );
        assert_eq!(client.answers(), answer);
        assert_eq!(client.session.phase(), Phase::Connected);
        client.send(&input);
        assert_eq!(client.events(), []);
    }
    let mut client = Client::publishing();
    client.send(&command(0, "FCUnpublish", 0.0, &[Null, Text("another")]));
    client.send(&command(0, "deleteStream", 0.0, &[Null, Text("1")]));
    assert_eq!(client.events(), []);
}

#[test]
fn several_publishes_on_one_connection() {
    let mut client = Client::publishing();
    client.send(&create());
    client.send(&publish(2, "second"));
    client.send(&message(9, 1, 5, b"first"));
    assert_eq!(
        client.events().len(),
        1,
        "the first waits while the second is decided"
    );
    client.session.accept(MessageStreamId(2));
    client.send(&message(9, 2, 6, b"second"));
    client.send(&command(0, "deleteStream", 0.0, &[Null, Number(1.0)]));
    client.send(&message(9, 1, 7, b"late"));
    client.send(&create());
    assert!(
        client.answers().ends_with("\"_result\" 2 null 1\n"),
        "the number is free again"
    );
    assert_eq!(
        client.events(),
        [
            media(1, MessageKind::Video, 5, b"first"),
            media(2, MessageKind::Video, 6, b"second"),
            Event::Unpublish {
                stream: MessageStreamId(1)
            },
        ]
    );
    assert_eq!(client.session.phase(), Phase::Publishing);
    client.send(&publish(2, "third"));
    assert!(
        client
            .answers()
            .contains("this message stream publishes already")
    );
}

#[test]
fn one_of_several_publishes_is_ended_from_this_side() {
    let mut client = Client::publishing();
    client.send(&create());
    client.send(&publish(2, "second"));
    client.events();
    client.session.accept(MessageStreamId(2));
    client.send(&message(9, 1, 5, b"not pulled yet"));
    client.send(&message(9, 2, 5, b"kept"));
    client.answers();
    client
        .session
        .end_publish(MessageStreamId(1), "by an operator");
    assert_eq!(
        client.answers(),
        "20@1 \"onStatus\" 0 null {level:\"status\" code:\"NetStream.Unpublish.Success\" description:\"by an operator\"}\n"
    );
    client.send(&message(9, 1, 6, b"late"));
    client.send(&message(9, 2, 6, b"goes on"));
    assert_eq!(
        client.events(),
        [
            media(2, MessageKind::Video, 5, b"kept"),
            media(2, MessageKind::Video, 6, b"goes on"),
        ]
    );
    assert_eq!(client.session.dropped_messages(), 2);
    for stream in [1, 3] {
        client.session.end_publish(MessageStreamId(stream), "again");
    }
    assert_eq!(client.answers(), "", "nothing to end");

    // The stream may publish again, with or without being closed before.
    client.send(&command(1, "closeStream", 0.0, &[Null]));
    client.send(&publish(1, "show"));
    assert_eq!(requested(&client.events()).stream, MessageStreamId(1));
    client
        .session
        .end_publish(MessageStreamId(1), "not decided");
    assert_eq!(client.session.phase(), Phase::Deciding);
    client.session.accept(MessageStreamId(1));
    client.session.end_publish(MessageStreamId(2), "last");
    client.session.end_publish(MessageStreamId(1), "last");
    assert_eq!(client.session.phase(), Phase::Connected);
}

#[test]
fn the_end_and_the_ping_reach_the_encoder() {
    let mut client = Client::publishing();
    client.session.ping();
    client.session.end("replaced by another publisher");
    assert_eq!(
        client.answers(),
        "4@0 [00, 06, 00, 00, 00, 00]\n\
         20@1 \"onStatus\" 0 null {level:\"status\" code:\"NetStream.Unpublish.Success\" description:\"replaced by another publisher\"}\n"
    );
}
