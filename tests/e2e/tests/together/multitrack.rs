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

/// OpusHead of one channel; a frame of 20 ms without sound.
const OPUS_HEAD: &[u8] = b"OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0";
const OPUS_SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

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

/// `unit` of track `id`, as if that had been published alone: its pictures have its number in them (SEI,
/// user_data_unregistered, ITU-T H.264 §D.1.7).
fn marked(unit: &Unit, id: u8) -> Vec<u8> {
    if unit.kind != Kind::Video || unit.is_header() {
        return unit.body.to_vec();
    }
    let mark = [&[6, 5, 17][..], &[0x46; 16], &[id + 1, 0x80]].concat();
    let size = u32::try_from(mark.len()).expect("few");
    // FrameType and codec, AVCPacketType, composition time.
    let (before, nal_units) = unit.body.split_at(5);
    [before, &size.to_be_bytes(), &mark, nal_units].concat()
}

/// What `unit` says of one track, said of track `id`. The second sound is of another codec.
fn track(unit: &Unit, id: u8) -> Track {
    let is_opus = unit.kind == Kind::Audio && id == 1;
    let (four_cc, body) = match (unit.kind, is_opus, unit.is_header()) {
        // A configuration has no composition time here, which pictures in AVC have in the same place as ever.
        (Kind::Video, _, true) => (*b"avc1", unit.body[5..].to_vec()),
        (Kind::Video, _, false) => (*b"avc1", marked(unit, id)[2..].to_vec()),
        (_, false, _) => (*b"mp4a", unit.body[2..].to_vec()),
        (_, true, true) => (*b"Opus", OPUS_HEAD.to_vec()),
        (_, true, false) => (*b"Opus", OPUS_SILENCE.to_vec()),
    };
    Track { id, four_cc, body }
}

/// What `unit` says of one track, said of so many. ManyTracks is of one codec: sound comes in two messages.
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
    let tracks: Vec<_> = (0..count).map(|id| track(unit, id)).collect();
    match form {
        Form::Obs => {
            let further = tracks[1..].iter().map(|track| header.one_track(track));
            std::iter::once(marked(unit, 0)).chain(further).collect()
        }
        Form::ManyTracks => each_codec(&tracks)
            .map(|tracks| header.many_tracks(tracks))
            .collect(),
        Form::ManyCodecs => vec![header.many_codecs(&tracks)],
        Form::Prefixed => {
            let prefixed = each_codec(&tracks).map(|tracks| {
                let unknown = with_mod_ex(&header.many_tracks(tracks), 9, &[1; 300]);
                with_nanos(&unknown, 500_000)
            });
            prefixed.collect()
        }
    }
}

fn each_codec(tracks: &[Track]) -> impl Iterator<Item = &[Track]> {
    tracks.chunk_by(|one, next| one.four_cc == next.four_cc)
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
    let names = ["show", "show_180p", "show_180p2"];
    let alone = |id: u8| {
        let units = material.play(SECONDS * 1_000);
        let units = units.map(|unit| unit.clone().with_body(marked(&unit, id)).now());
        units.collect::<Vec<_>>().into_iter()
    };
    let mut scripts: Vec<(String, Box<dyn Iterator<Item = Unit> + Send>)> = (0..PICTURES)
        .map(|id| (format!("alone{id}"), Box::new(alone(id)) as Box<_>))
        .collect();
    scripts.push((
        "show".to_owned(),
        Box::new(in_all_forms(&material, SECONDS)),
    ));
    for (name, script) in scripts {
        let publisher = Publisher::publish(gateway.rtmp, "live", &name);
        let left = publisher.play(script, Ending::DeleteStream).join();
        assert!(!left.cut_off, "{name}: {}", left.words);
    }
    let ended = |name: &str| {
        wait::until("the end of the presentation", SOON, || {
            let stream = gateway.get(&format!("/api/v1/streams/live/{name}")).json();
            (stream["state"] == "ended").then_some(stream)
        })
    };
    // Two of one height are told apart by their numbers.
    for (id, name) in names.into_iter().enumerate() {
        ended(&format!("alone{id}"));
        let expected = current_ffmpeg::read(gateway.http_url(&format!("live/alone{id}/main.m3u8")));
        assert_eq!(expected.video.len(), 200);
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
    let sound = ended("show_audio1");
    assert_eq!(sound["tracks"][0]["codec"], "Opus", "{sound:#}");
    let (pictures, sounds) =
        current_ffmpeg::decode(gateway.http_url("live/show_audio1/index.m3u8"));
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
