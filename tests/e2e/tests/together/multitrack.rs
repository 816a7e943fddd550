//! Tracks of one connection in forms of Enhanced RTMP that no encoder at hand sends: all that was sent comes out, as if
//! each track had been published alone.

use e2e::clip::Clip;
use e2e::enhanced::{Header, Packet, Track, with_mod_ex, with_nanos};
use e2e::gateway::Gateway;
use e2e::ladder::SOON;
use e2e::media_playlist::MediaPlaylist;
use e2e::scripted::{Ending, Kind, Material, Publisher, Unit};
use e2e::{current_ffmpeg, wait};

const PICTURES: u8 = 3;
const SOUNDS: u8 = 2;
/// `colorInfo`, an object without a member.
const NO_COLOUR: &[u8] = b"\x02\0\x09colorInfo\x03\0\0\x09";

/// How tracks are put into messages.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// The first as ever, each other in a message of its own: what OBS sends.
    Obs,
    ManyTracks,
    ManyCodecs,
    /// The same behind prefixes: half a millisecond, and one that means nothing.
    Prefixed,
}

/// What `unit` says of one track, said of so many.
fn messages(unit: &Unit, form: Form, count: u8) -> Vec<Vec<u8>> {
    let header = Header {
        kind: unit.kind,
        frame_type: if unit.is_header() || unit.is_random_access() {
            1
        } else {
            2
        },
        packet: if unit.is_header() {
            Packet::SequenceStart
        } else {
            Packet::CodedFrames
        },
    };
    let four_cc = if unit.kind == Kind::Video {
        *b"avc1"
    } else {
        *b"mp4a"
    };
    // A configuration has no composition time here, which pictures in AVC have in the same place as ever.
    let skipped = if unit.is_header() && unit.kind == Kind::Video {
        5
    } else {
        2
    };
    let tracks: Vec<_> = (0..count)
        .map(|id| Track {
            id,
            four_cc,
            body: unit.body[skipped..].to_vec(),
        })
        .collect();
    match form {
        Form::Obs => {
            let further = tracks[1..].iter().map(|track| header.one_track(track));
            std::iter::once(unit.body.to_vec()).chain(further).collect()
        }
        Form::ManyTracks => vec![header.many_tracks(&tracks)],
        Form::ManyCodecs => vec![header.many_codecs(&tracks)],
        Form::Prefixed => {
            let unknown = with_mod_ex(&header.many_tracks(&tracks), 9, &[1; 300]);
            vec![with_nanos(&unknown, 500_000)]
        }
    }
}

/// The clip, each second in another form.
fn in_all_forms(material: &Material, seconds: u64) -> impl Iterator<Item = Unit> + use<> {
    let forms = [
        Form::Obs,
        Form::ManyTracks,
        Form::ManyCodecs,
        Form::Prefixed,
    ];
    let colours = [Track {
        id: 1,
        four_cc: *b"avc1",
        body: NO_COLOUR.to_vec(),
    }];
    let colours = Header {
        kind: Kind::Video,
        frame_type: 1,
        packet: Packet::Metadata,
    }
    .many_tracks(&colours);
    material.play(seconds * 1_000).flat_map(move |unit| {
        let count = match unit.kind {
            Kind::Video => PICTURES,
            Kind::Audio => SOUNDS,
            Kind::Data => return vec![unit],
        };
        let second = usize::try_from(unit.at.as_secs()).expect("few");
        let mut bodies = messages(&unit, forms[second % forms.len()], count);
        if unit.is_random_access() {
            bodies.insert(0, colours.clone());
        }
        let units = bodies
            .into_iter()
            .map(|body| unit.clone().with_body(body).now());
        units.collect()
    })
}

#[test]
fn what_no_encoder_sends_arrives_whole() {
    const SECONDS: u64 = 8;
    let gateway = Gateway::start_on("[hls]\nresume = \"1s\"\n");
    let material = Material::of(&Clip::usual(8));
    let plain: Vec<_> = material.play(SECONDS * 1_000).map(Unit::now).collect();
    let scripts: [(&str, Box<dyn Iterator<Item = Unit> + Send>); 2] = [
        ("plain", Box::new(plain.into_iter())),
        ("show", Box::new(in_all_forms(&material, SECONDS))),
    ];
    for (name, script) in scripts {
        let publisher = Publisher::publish(gateway.rtmp, "live", name);
        let left = publisher.play(script, Ending::DeleteStream).join();
        assert!(!left.cut_off, "{name}: {}", left.words);
    }
    let ended = |name: &str| {
        wait::until("the end of the presentation", SOON, || {
            let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
            (stream["state"] == "ended").then_some(stream)
        })
    };
    ended("plain");
    let expected = current_ffmpeg::read(gateway.http_url("live/plain/main.m3u8"));
    assert_eq!(expected.video.len(), 200);
    // Two of one height are told apart by their numbers.
    for name in ["show", "show_180p", "show_180p2"] {
        let stream = ended(name);
        assert_eq!(stream["faults"]["total"], 0, "{stream:#}");
        let url = gateway.http_url(&format!("live/{name}/main.m3u8"));
        expected.assert_came_out(&current_ffmpeg::read(&url));
        let (pictures, sounds) = current_ffmpeg::decode(&url);
        assert_eq!(
            (pictures, sounds > 0),
            (expected.video.len(), true),
            "{name}"
        );
    }
    ended("show_audio1");
    let (pictures, sounds) = current_ffmpeg::decode(gateway.http_url("live/show_audio1/main.m3u8"));
    assert!(pictures == 0 && sounds > 0, "{sounds}");
}

/// A track that ceases is a rung that leaves; the others go on, and it may come again.
#[test]
fn tracks_come_and_go() {
    let gateway = Gateway::start();
    let material = Material::of(&Clip::usual(8));
    let script = material.endless().flat_map(|unit| {
        let are_both = unit.is_header() || !(4..14).contains(&unit.at.as_secs());
        let bodies = match unit.kind {
            Kind::Video => messages(&unit, Form::Obs, 1 + u8::from(are_both)),
            Kind::Audio | Kind::Data => vec![unit.body.to_vec()],
        };
        let units = bodies.into_iter().map(|body| unit.clone().with_body(body));
        units.collect::<Vec<_>>()
    });
    let publisher = Publisher::publish(gateway.rtmp, "live", "show").play(script, Ending::Silence);
    let stream = |name: &str| gateway.get(&format!("/api/v1/streams/live/{name}")).json();
    for state in ["live", "resuming", "live"] {
        wait::until(state, SOON, || {
            (stream("show_180p")["state"] == state).then_some(())
        });
    }
    wait::until("both to be variants again", SOON, || {
        let text = gateway.get("/live/show/index.m3u8").text();
        (text.matches("#EXT-X-STREAM-INF:").count() >= 3).then_some(())
    });
    let first = stream("show");
    assert_eq!(first["faults"]["total"], 0, "{first:#}");
    let list = MediaPlaylist::parse(&gateway.get("/live/show/main.m3u8").text());
    let breaks = list.entries.iter().filter(|it| it.discontinuity).count();
    assert_eq!((list.discontinuity_sequence, breaks), (0, 0), "{list:?}");
    drop(publisher.stop(Ending::DeleteStream));
}
