//! What all connections share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http_server::{About, Audience, Readiness, Sources, Totals};
use media::{Host, MediaTime, PresentationName};
use playlist::{
    Addressing, Label, LowLatency, OnConflict, Packaging, Registry, Remembered, RungNames, Terms,
    Vacancy,
};
use rtmp_ingest::Budget;
use tokio::sync::{Notify, watch};

use crate::config::{self, App, Config, Ladder, Rtmp};
use crate::governor::Governor;
use crate::repeated::Repeated;
use crate::transcoder::Workshop;

/// The gateway's shared state.
pub(crate) struct House {
    pub(crate) config: Config,
    pub(crate) registry: Registry,
    pub(crate) totals: Arc<Totals>,
    started: SystemTime,
    /// Becomes true when the process is to leave.
    pub(crate) drain: watch::Sender<bool>,
    guests: Mutex<Guests>,
    /// Lines about connections that never published: a port on the internet is scanned all day.
    strangers: Mutex<Repeated>,
    /// Lines about publishes that were refused: who is refused tries again.
    refusals: Mutex<Repeated>,
    governor: Mutex<Governor>,
    /// What messages under way may hold together.
    budget: Budget,
    rung_names: RungNames,
    /// Where ladders are transcoded, if any are.
    workshop: Option<Arc<Workshop>>,
}

/// RTMP connections at the moment.
#[derive(Default)]
struct Guests {
    total: usize,
    by_host: HashMap<Host, usize>,
}

/// One admitted connection; its place is free again when this is dropped.
pub(crate) struct Admission {
    house: Arc<House>,
    host: Host,
}

impl House {
    pub(crate) fn new(config: Config, totals: Arc<Totals>) -> Self {
        let registry = Registry::new(windows(&config));
        let budget =
            Budget::new(usize::try_from(config.rtmp.max_unfinished_bytes).unwrap_or(usize::MAX));
        let governor = Governor::new(config.rtmp.max_failed_publishes);
        let rung_names = rung_names(&config.apps);
        Self {
            config,
            registry,
            totals,
            started: SystemTime::now(),
            drain: watch::Sender::new(false),
            guests: Mutex::default(),
            strangers: Mutex::default(),
            refusals: Mutex::default(),
            governor: Mutex::new(governor),
            budget,
            rung_names,
            workshop: None,
        }
    }

    /// The same, with what transcoders need.
    pub(crate) fn with_workshop(self, workshop: Option<Workshop>) -> Self {
        Self {
            workshop: workshop.map(Arc::new),
            ..self
        }
    }

    /// The ladder that is to be made of a publish, and where: none of one that is a rung by its name.
    pub(crate) fn ladder_of(&self, name: &PresentationName) -> Option<(&Ladder, Arc<Workshop>)> {
        let workshop = self.workshop.clone()?;
        let app = config::find_app(&self.config.apps, &name.app).ok()?;
        let wanted = app.ladder.as_ref()?;
        let mut all = self.config.ladders.iter();
        let ladder = all.find(|ladder| ladder.name == *wanted)?;
        let is_rung = self.rung_names.ladder_over(name).is_some();
        (!is_rung).then_some((ladder, workshop))
    }

    /// What a publish would be called as a rung, if its name looks like one and is none.
    pub(crate) fn nearly_a_rung(&self, name: &PresentationName) -> Option<PresentationName> {
        self.rung_names.nearly(name)
    }

    /// What the sound of a publish is called by the configuration: by the number in its name, as first track without.
    pub(crate) fn label(&self, name: &PresentationName) -> Label {
        let track = RungNames::sound_in(name).unwrap_or(0);
        let audio = config::find_app(&self.config.apps, &name.app)
            .ok()
            .and_then(|app| app.audio.iter().find(|audio| audio.track == track));
        audio.map(|audio| audio.label()).unwrap_or_default()
    }

    /// The sound of track `number` of a publish, by its name: beside the rungs, where the publish is a rung. `None` where
    /// the name is too long.
    pub(crate) fn sound_of(
        &self,
        publish: &PresentationName,
        number: u8,
    ) -> Option<PresentationName> {
        let ladder = self.rung_names.ladder_over(publish);
        RungNames::sound_of(ladder.as_ref().unwrap_or(publish), number).ok()
    }

    /// Somebody publishes it.
    pub(crate) fn is_live(&self, name: &PresentationName) -> bool {
        let there = self.registry.directory().find(name);
        there.is_some_and(|it| it.state() == playlist::State::Live)
    }

    /// Completes when no transcoder runs any more.
    pub(crate) async fn transcoders_gone(&self) {
        if let Some(workshop) = &self.workshop {
            workshop.empty().await;
        }
    }

    /// What an RTMP connection may do.
    pub(crate) fn limits(&self) -> rtmp_ingest::Limits {
        let rtmp = &self.config.rtmp;
        let defaults = rtmp_ingest::Limits::default();
        rtmp_ingest::Limits {
            handshake_time: rtmp.handshake_timeout,
            publish_time: rtmp.publish_timeout,
            idle_time: rtmp.idle_timeout,
            ping_time: defaults.ping_time.min(rtmp.idle_timeout / 2),
            message_bytes: rtmp.max_message_bytes,
            // Two of the largest, interleaved.
            unfinished_bytes: 2 * rtmp.max_message_bytes as usize,
            budget: self.budget.clone(),
            ..defaults
        }
    }

    /// How a publish is cut.
    pub(crate) fn cutting(&self) -> segmenter::Settings {
        let hls = &self.config.hls;
        segmenter::Settings {
            segment_target: hls.segment.into(),
            max_segment: hls.max_segment.into(),
            max_segment_bytes: hls.max_segment_bytes,
            part: (!hls.part.is_zero()).then(|| hls.part.into()),
            hevc_in_ts: hls.hevc_in_ts,
        }
    }

    /// On what terms a publish to `app` that came with `credential` gets its name; `wake` tells it that it
    /// must end.
    pub(crate) fn terms(&self, app: &App, credential: u64, wake: Arc<Notify>) -> Terms {
        Terms {
            wake,
            on_conflict: match app.on_conflict.unwrap_or(self.config.rtmp.on_conflict) {
                config::OnConflict::Takeover => OnConflict::Takeover,
                config::OnConflict::Reject => OnConflict::Reject,
                config::OnConflict::Backup => OnConflict::Backup,
            },
            credential,
            leads: false,
            resume: app.resume.unwrap_or(self.config.hls.resume),
        }
    }

    /// Goes on where another process stopped; what comes back waits for the ends of its presentations.
    pub(crate) fn restore(&self, remembered: &Remembered) -> Vec<Vacancy> {
        self.registry.restore(remembered, |name| {
            let app = config::find_app(&self.config.apps, &name.app);
            let own = app.ok().and_then(|app| app.resume);
            own.unwrap_or(self.config.hls.resume)
        })
    }

    /// Whether a publish from `address` is looked at: not if too many from there have failed.
    pub(crate) fn may_try(&self, address: IpAddr) -> bool {
        self.failures().allows(address, Instant::now())
    }

    /// A publish from `address` was refused for what it is.
    pub(crate) fn failed(&self, address: IpAddr) {
        self.failures().failed(address, Instant::now());
    }

    /// Counts a refusal; whether it is worth a line, and for how many it stands.
    pub(crate) fn refusal_line(&self) -> Option<u64> {
        self.totals.publishes_refused.add(1);
        self.refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .due(Instant::now())
    }

    fn failures(&self) -> MutexGuard<'_, Governor> {
        self.governor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What encoders have to fit.
    pub(crate) fn fitting(&self) -> doctor::Settings {
        let hls = &self.config.hls;
        doctor::Settings {
            segment: hls.segment.into(),
            longest_segment: hls.max_segment.into(),
            // Nobody who can wait sets segments so short.
            latency: if hls.segment <= Duration::from_secs(1) {
                doctor::Latency::Low
            } else {
                doctor::Latency::Usual
            },
        }
    }

    /// What an HTTP listener allows.
    pub(crate) fn http(&self) -> http_server::Settings {
        let http = &self.config.http;
        http_server::Settings {
            request_head: http.header_timeout,
            idle: http.idle_timeout,
            write_progress: http.write_timeout,
            connections: http.max_connections,
            connections_per_address: http.max_connections_per_address,
            first_segment_wait: http.first_segment_wait,
            // A target duration is the segment length rounded up, at most.
            longest_wait: 3 * (self.config.hls.segment + Duration::from_secs(1)),
            drain: self.config.shutdown.deadline,
            ..http_server::Settings::default()
        }
    }

    /// What an HTTP listener serves.
    pub(crate) fn site(&self, audience: Audience, readiness: &Readiness) -> axum::Router {
        let sources = Sources {
            directory: self.registry.directory(),
            totals: self.totals.clone(),
            readiness: readiness.clone(),
            about: About {
                version: env!("CARGO_PKG_VERSION"),
                started: self.started,
                limits: http_server::Limits {
                    rtmp_connections: self.config.rtmp.max_connections as u64,
                    http_connections: self.config.http.max_connections as u64,
                    message_bytes: self.config.rtmp.max_message_bytes.into(),
                    segment_bytes: self.config.hls.max_segment_bytes,
                },
            },
        };
        http_server::router(sources, &self.http(), audience)
    }

    /// The longest target duration of what is live or may be again; `None` if nothing is.
    pub(crate) fn longest_target(&self) -> Option<Duration> {
        let all = self.registry.directory().all();
        let targets = all
            .iter()
            .filter(|there| !there.window().is_ended())
            .filter_map(|there| there.target_duration());
        targets.max().map(|target| target.span().to_duration())
    }

    /// Whether a fault of a peer that never published is worth a line, and for how many it stands.
    pub(crate) fn stranger_line(&self) -> Option<u64> {
        self.strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .due(Instant::now())
    }

    /// Completes when the process is to leave.
    pub(crate) fn draining(&self) -> impl Future<Output = ()> + Send + 'static {
        raised(&self.drain)
    }

    /// Takes a connection from `address` in.
    ///
    /// # Errors
    /// A limit is reached: says which, for the log.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admission, String> {
        let Rtmp {
            max_connections,
            max_connections_per_address,
            ..
        } = self.config.rtmp;
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        if guests.total >= max_connections {
            return Err(format!(
                "rtmp.max_connections is {max_connections}, and so many are here"
            ));
        }
        let host = address.into();
        let from_there = guests.by_host.entry(host).or_default();
        if *from_there >= max_connections_per_address {
            return Err(format!(
                "rtmp.max_connections_per_address is {max_connections_per_address}, and so many are here"
            ));
        }
        *from_there += 1;
        guests.total += 1;
        self.totals.rtmp_connections_now.rise();
        Ok(Admission {
            house: self.clone(),
            host,
        })
    }
}

/// Completes when `flag` becomes true. Its end means the same: it lives as long as the gateway.
pub(crate) fn raised(flag: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut flag = flag.subscribe();
    async move {
        let _ = flag.wait_for(|raised| *raised).await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut guests = self
            .house
            .guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        guests.total -= 1;
        self.house.totals.rtmp_connections_now.fall();
        if let Some(from_there) = guests.by_host.get_mut(&self.host) {
            *from_there -= 1;
            if *from_there == 0 {
                guests.by_host.remove(&self.host);
            }
        }
    }
}

fn windows(
    Config {
        rtmp, hls, apps, ..
    }: &Config,
) -> playlist::Settings {
    playlist::Settings {
        segment: MediaTime::from(hls.segment),
        window: hls.window,
        low_latency: LowLatency {
            packaging: match hls.tracks {
                config::Packaging::Separate => Packaging::Separate,
                config::Packaging::Muxed => Packaging::Muxed,
            },
            addressing: match hls.parts {
                config::Addressing::Files => Addressing::Files,
                config::Addressing::Ranges => Addressing::Ranges,
            },
        },
        hevc_in_ts: hls.hevc_in_ts,
        removed_bytes: hls.removed_bytes,
        linger: hls.linger,
        listed_bytes: hls.listed_bytes,
        presentations: hls.max_presentations,
        stalled: rtmp.stalled_after,
        rung_names: rung_names(apps),
    }
}

fn rung_names(apps: &[App]) -> RungNames {
    let mut names = RungNames::default();
    for app in apps {
        names.declare(&app.name, &app.rungs);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use playlist::TargetDuration;

    #[test]
    fn connections_are_limited_in_all_and_by_address() {
        let mut config = Config::default();
        config.rtmp.max_connections = 3;
        config.rtmp.max_connections_per_address = 2;
        let house = Arc::new(House::new(config, Arc::default()));
        let [a, b]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];

        let first = house.admit(a).ok();
        let _second = house.admit(a).ok();
        assert!(
            house
                .admit(a)
                .err()
                .is_some_and(|why| why.contains("per_address is 2"))
        );
        let _third = house.admit(b).ok();
        assert!(
            house
                .admit(b)
                .err()
                .is_some_and(|why| why.contains("max_connections is 3"))
        );
        drop(first);
        assert!(house.admit(a).is_ok());
    }

    #[test]
    fn a_host_is_one_peer_whichever_of_its_addresses_it_takes() {
        let mut config = Config::default();
        config.rtmp.max_connections_per_address = 1;
        let house = Arc::new(House::new(config, Arc::default()));
        let admit = |text: &str| house.admit(text.parse().expect("an address"));
        let first = admit("2001:db8::1").ok();
        assert!(admit("2001:db8::2").is_err());
        assert!(admit("2001:db8:0:1::1").is_ok());
        drop(first);
        assert!(admit("2001:db8::2").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_has_a_resume_time_of_its_own_before_a_restart_and_after() {
        let own = Duration::from_secs(300);
        let patient = App {
            resume: Some(own),
            ..App::open("patient")
        };
        let config = Config {
            apps: vec![patient, App::open("live")],
            ..Config::default()
        };
        let usual = config.hls.resume;
        let house = House::new(config, Arc::default());
        let name = |app: &App| PresentationName::parse(&app.name, "show").expect("valid");
        let apps = &house.config.apps;
        let remembered = Remembered {
            target_durations: apps
                .iter()
                .map(|app| (name(app), TargetDuration::from_seconds(4)))
                .collect(),
            ..Remembered::default()
        };
        let vacancies = house.restore(&remembered);
        for ((app, vacancy), expected) in apps.iter().zip(vacancies).zip([own, usual]) {
            assert_eq!(house.terms(app, 0, Arc::default()).resume, expected);
            let begun = tokio::time::Instant::now();
            vacancy.expire().await;
            assert_eq!(
                begun.elapsed().as_secs(),
                expected.as_secs(),
                "{}",
                app.name
            );
        }
    }
}
