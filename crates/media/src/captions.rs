//! Closed captions inside pictures: which services there are of them. They travel with their pictures wherever those
//! go, so all that is said of them is what a viewer can choose.
//!
//! What does not belong here: finding them (the segmenter does), and what they say.

use std::ops::BitOrAssign;

/// A service of closed captions, as INSTREAM-ID names it (rfc8216bis §4.4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaptionService {
    /// CEA-608, field 1, channel 1: what most broadcasts have, if they have one.
    Cc1,
    /// CEA-608, field 1, channel 2.
    Cc2,
    /// CEA-608, field 2, channel 1: usually a second language.
    Cc3,
    /// CEA-608, field 2, channel 2.
    Cc4,
    /// CEA-708: the primary language.
    Service1,
    /// CEA-708: the secondary language.
    Service2,
    /// CEA-708.
    Service3,
    /// CEA-708.
    Service4,
    /// CEA-708.
    Service5,
    /// CEA-708: the last of the standard services. Nobody sends those of the extended header (7 to 63), and
    /// a playlist that names as many as somebody likes to send helps nobody.
    Service6,
}

impl CaptionService {
    /// All of them, in the order of this declaration.
    pub const ALL: [Self; 10] = [
        Self::Cc1,
        Self::Cc2,
        Self::Cc3,
        Self::Cc4,
        Self::Service1,
        Self::Service2,
        Self::Service3,
        Self::Service4,
        Self::Service5,
        Self::Service6,
    ];

    /// The value of INSTREAM-ID.
    pub const fn instream_id(self) -> &'static str {
        match self {
            Self::Cc1 => "CC1",
            Self::Cc2 => "CC2",
            Self::Cc3 => "CC3",
            Self::Cc4 => "CC4",
            Self::Service1 => "SERVICE1",
            Self::Service2 => "SERVICE2",
            Self::Service3 => "SERVICE3",
            Self::Service4 => "SERVICE4",
            Self::Service5 => "SERVICE5",
            Self::Service6 => "SERVICE6",
        }
    }

    /// CEA-708, and not CEA-608.
    pub const fn is_cea_708(self) -> bool {
        match self {
            Self::Cc1 | Self::Cc2 | Self::Cc3 | Self::Cc4 => false,
            Self::Service1
            | Self::Service2
            | Self::Service3
            | Self::Service4
            | Self::Service5
            | Self::Service6 => true,
        }
    }
}

/// A set of caption services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captions(u16);

impl Captions {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Adds `service`.
    pub const fn insert(&mut self, service: CaptionService) {
        self.0 |= 1 << service as u16;
    }

    /// There are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of [`CaptionService::ALL`].
    pub fn services(self) -> impl Iterator<Item = CaptionService> {
        let all = CaptionService::ALL.into_iter();
        all.filter(move |&service| self.0 & 1 << service as u16 != 0)
    }
}

impl FromIterator<CaptionService> for Captions {
    fn from_iter<T: IntoIterator<Item = CaptionService>>(services: T) -> Self {
        let mut all = Self::NONE;
        services.into_iter().for_each(|service| all.insert(service));
        all
    }
}

impl BitOrAssign for Captions {
    /// Adds those of `other`.
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_back_what_is_in_it() {
        let mut set = Captions::NONE;
        assert!(set.is_empty());
        for (count, service) in CaptionService::ALL.into_iter().enumerate() {
            set.insert(service);
            set.insert(service);
            assert!(set.services().eq(CaptionService::ALL[..=count].to_vec()));
        }
        assert!(!set.is_empty());
        let mut union: Captions = [CaptionService::Cc3].into_iter().collect();
        union |= [CaptionService::Cc1].into_iter().collect();
        let ids: Vec<_> = union.services().map(CaptionService::instream_id).collect();
        assert_eq!(ids, ["CC1", "CC3"]);
    }
}
