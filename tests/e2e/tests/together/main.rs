//! What is tested end to end and mostly waits for segments, as one program, so that it waits together. What a browser has
//! to show without being disturbed is in programs of its own, `browser…`, one after the other.

mod any_stumble;
mod backup;
mod captions;
mod cmaf;
mod codecs;
mod continuity;
mod dash;
mod dismissal;
mod doctor;
mod encoders;
mod hostile_http;
mod hostile_rtmp;
mod i_frames;
mod ladder;
mod life;
mod low_latency;
mod low_latency_players;
mod low_latency_requests;
mod low_latency_segments;
mod media_changes;
mod multitrack;
mod offline;
mod players;
mod publishing;
mod restart;
mod second_life;
mod sounds;
mod time;
mod timed_metadata;
mod tls;
mod transcoding;
