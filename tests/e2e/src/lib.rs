//! What the end-to-end tests share: the gateway as a process, a plain HTTP client, waiting for conditions.
//!
//! The tests know the gateway only from outside: its command line, its ports, its answers. What belongs
//! to one kind of test (encoders, players, attackers) stays with that test.

pub mod arrival;
pub mod besieged;
pub mod browser;
pub mod certificate;
pub mod clip;
pub mod current_ffmpeg;
pub mod dash_site;
pub mod delivery;
pub mod encoder;
pub mod enhanced;
pub mod fallback_site;
pub mod ffmpeg_witness;
pub mod footprint;
pub mod gateway;
pub mod http;
pub mod ladder;
pub mod low_latency;
pub mod media_playlist;
pub mod peer;
pub mod player_site;
pub mod raw_rtmp;
pub mod reader;
pub mod received;
pub mod scenario;
pub mod scripted;
pub mod secure;
pub mod test_picture;
pub mod transport;
pub mod wait;
pub mod witness;

pub use gateway::Gateway;
