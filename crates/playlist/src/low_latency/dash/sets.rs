//! Which AdaptationSets there are: pictures of all rungs together, the sound of one of them, and what is to be heard
//! instead. A presentation is a ladder of one.
//!
//! What does not belong here: which rungs stand well (`ladder`), and what a set looks like in a Period.

use std::time::{SystemTime, UNIX_EPOCH};

use media::{Captions, Rendition, Track, TrackKind};

use super::super::segment::{CmafSegment, index};
use super::super::window::LowLatencyWindow;
use crate::Label;
use crate::ladder::CLOCKS_AGREE;

use super::periods::{Period, Share};

/// AdaptationSet@id of pictures in a further codec is so much more.
const NEXT_CODEC: usize = 1_000;
/// AdaptationSet@id of the sound that has the number 0 in its name, if there were such.
const SOUNDS: usize = 3;

/// A presentation in a description. It lists something.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) window: &'a LowLatencyWindow,
    /// What stands before its URLs, and before the ids of its Representations.
    pub(crate) folder: String,
    pub(crate) id: String,
    /// What its sound is called.
    pub(crate) label: Label,
    /// The number of the sound that it is, if it is that.
    pub(crate) number: Option<u8>,
}

/// What a description is made of.
#[derive(Debug)]
pub(crate) struct Description<'a> {
    /// Its runs are the Periods.
    pub(super) leading: &'a LowLatencyWindow,
    /// Wall clock at the beginning of time.
    pub(super) begun: SystemTime,
    /// In the pictures of any rung: a viewer chooses once, and all have the captions of their source.
    pub(super) captions: Captions,
    pub(super) sets: Vec<Set<'a>>,
}

/// An AdaptationSet.
#[derive(Debug)]
pub(super) struct Set<'a> {
    pub(super) id: usize,
    /// Of sound.
    pub(super) label: Option<Label>,
    /// Players begin with it, of several.
    pub(super) is_main: bool,
    pub(super) representations: Vec<Representation<'a>>,
}

/// One rendition of a member.
#[derive(Debug)]
pub(super) struct Representation<'a> {
    pub(super) member: Member<'a>,
    pub(super) rendition: Rendition,
}

impl<'a> Description<'a> {
    /// Of rungs, what is preferred first, and of sound beside theirs; time begins at `begun`, which is no later than
    /// the beginning of any. `None` without a rung.
    pub(crate) fn new(
        rungs: &[Member<'a>],
        sounds: &[Member<'a>],
        begun: Option<SystemTime>,
    ) -> Option<Self> {
        let leading = leading(rungs)?.window;
        let mut sets = pictures(rungs);
        let own = rungs.iter().find_map(|rung| {
            let has = rung.window.renditions().contains(&Rendition::Audio);
            has.then(|| Set::of_sound(index(Rendition::Audio) + 1, rung, Rendition::Audio))
        });
        let beside = sounds.iter().filter_map(|sound| {
            let rendition = sound.window.renditions().first().copied()?;
            let id = SOUNDS + usize::from(sound.number.unwrap_or_default());
            Some(Set::of_sound(id, sound, rendition))
        });
        let mut heard: Vec<_> = own.into_iter().chain(beside).collect();
        if heard.len() > 1 {
            let is_default = |set: &Set<'_>| set.label.as_ref().is_some_and(Label::is_default);
            let main = heard.iter().position(is_default).unwrap_or(0);
            if let Some(set) = heard.get_mut(main) {
                set.is_main = true;
            }
        }
        sets.append(&mut heard);
        let mut captions = Captions::NONE;
        for rung in rungs {
            captions |= rung.window.measured().captions;
        }
        Some(Self {
            leading,
            begun: begun.unwrap_or(UNIX_EPOCH),
            captions,
            sets,
        })
    }

    /// More than one presentation is in it.
    pub(super) fn is_of_several(&self) -> bool {
        let mut all = self.sets.iter().flat_map(|set| &set.representations);
        all.any(|it| !std::ptr::eq(it.member.window, self.leading))
    }
}

/// Whose runs are the Periods: the first of those that have gone on for longest, so that no rung that comes back makes
/// a Period for the others.
fn leading<'a, 'b>(rungs: &'b [Member<'a>]) -> Option<&'b Member<'a>> {
    let since = |rung: &Member<'_>| {
        let newest = rung.window.all().next_back();
        newest.map(|segment| segment.run.date)
    };
    let oldest = rungs.iter().filter_map(since).min()?;
    let together = oldest + CLOCKS_AGREE.to_duration();
    rungs
        .iter()
        .find(|rung| since(rung).is_some_and(|it| it <= together))
}

/// Pictures, or all there is in one rendition: players switch within a set, which therefore has one codec.
fn pictures<'a>(rungs: &[Member<'a>]) -> Vec<Set<'a>> {
    let mut sets: Vec<(String, Set<'a>)> = Vec::new();
    for rung in rungs {
        let rendition = rung.window.renditions().first().copied();
        let Some(rendition) = rendition.filter(|it| *it != Rendition::Audio) else {
            continue;
        };
        let representation = Representation {
            member: rung.clone(),
            rendition,
        };
        let tracks = rung.window.tracks();
        let codec = tracks.first().map(|track| track.codec.rfc6381());
        let codec = codec.unwrap_or_default();
        // What comes behind the dot is a profile and a level.
        let family = codec.split('.').next().unwrap_or_default().to_owned();
        match sets.iter_mut().find(|(there, _)| *there == family) {
            Some((_, set)) => set.representations.push(representation),
            None => {
                let id = index(rendition) + 1 + NEXT_CODEC * sets.len();
                let set = Set {
                    id,
                    label: None,
                    is_main: false,
                    representations: vec![representation],
                };
                sets.push((family, set));
            }
        }
    }
    sets.into_iter().map(|(_, set)| set).collect()
}

impl<'a> Set<'a> {
    fn of_sound(id: usize, member: &Member<'a>, rendition: Rendition) -> Self {
        Self {
            id,
            label: Some(member.label.clone()),
            is_main: false,
            representations: vec![Representation {
                member: member.clone(),
                rendition,
            }],
        }
    }

    /// Its segments may have timed metadata. Further sound of a connection has none, and what an encoder of sound alone
    /// says beside what is said with the pictures would come twice where it is the same.
    pub(super) fn has_events(&self) -> bool {
        let mut all = self.representations.iter();
        all.any(|it| it.member.number.is_none())
    }
}

impl Representation<'_> {
    /// The tracks it has in `segments`, and the name of its init section; `None` where it has nothing in any of them.
    fn carried<'s>(&self, segments: &[&'s CmafSegment]) -> Option<(u64, Vec<&'s Track>)> {
        if segments
            .iter()
            .all(|segment| segment.is_gap(self.rendition))
        {
            return None;
        }
        let mut newest = segments.iter().rev();
        let section = newest.find_map(|segment| segment.section(self.rendition))?;
        let tracks = section.tracks.iter();
        let carried = tracks.filter(|track| self.rendition.carries(track.kind()));
        Some((section.id, carried.collect()))
    }

    /// The share of the bit rate, which was measured of all tracks, that is its own in what is on hand; bit/s.
    pub(super) fn bandwidth(&self) -> u64 {
        let window = self.member.window;
        let peak = window.measured().all.peak();
        let bytes = |rendition| -> u64 { window.all().map(|it| it.bytes(rendition)).sum() };
        let (own, all) = (bytes(self.rendition), bytes(Rendition::Muxed).max(1));
        let share = u128::from(peak) * u128::from(own) / u128::from(all);
        u64::try_from(share).unwrap_or(peak).max(1)
    }
}

/// What a Representation is in a Period.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) representation: &'a Representation<'a>,
    pub(super) share: Share<'a>,
    /// The name of its init section.
    pub(super) section: u64,
    /// The tracks in that.
    pub(super) carried: Vec<&'a Track>,
}

impl<'a> Shown<'a> {
    /// `None` where it has nothing in `period`.
    pub(super) fn within(
        period: &Period<'a>,
        representation: &'a Representation<'a>,
    ) -> Option<Self> {
        let share = period.share(representation.member.window)?;
        let (section, carried) = representation.carried(&share.segments)?;
        Some(Self {
            representation,
            share,
            section,
            carried,
        })
    }

    pub(super) fn has_pictures(&self) -> bool {
        let mut tracks = self.carried.iter();
        tracks.any(|track| track.kind() == TrackKind::Video)
    }

    /// Width and height of its pictures, pixels.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        self.carried.iter().find_map(|track| track.codec.size())
    }

    /// How good it looks beside others of its set, as in the multivariant playlist: its size first.
    pub(super) fn quality(&self) -> (u32, u64) {
        let (width, height) = self.size().unwrap_or_default();
        let bit_rate = self.representation.bandwidth();
        (u32::from(width) * u32::from(height), bit_rate)
    }
}
