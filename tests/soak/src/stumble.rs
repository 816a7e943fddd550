//! What goes wrong, each with a name for the table.

/// One kind of stumble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stumble {
    /// Nothing yet.
    None,
    StartsApart,
    StartsMidGop,
    JumpForward,
    JumpBack,
    JumpToZero,
    JumpAnywhere,
    Wrap,
    Stall,
    NoKeyFrames,
    SameHeaders,
    VideoHeader,
    AudioHeader,
    AudioPause,
    VideoPause,
    Disorder,
    Unpublish,
    Fin,
    Reset,
    HalfOpen,
    Takeover,
    Silence,
    Away,
    Kill,
}

impl Stumble {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 24] = [
        Self::None,
        Self::StartsApart,
        Self::StartsMidGop,
        Self::JumpForward,
        Self::JumpBack,
        Self::JumpToZero,
        Self::JumpAnywhere,
        Self::Wrap,
        Self::Stall,
        Self::NoKeyFrames,
        Self::SameHeaders,
        Self::VideoHeader,
        Self::AudioHeader,
        Self::AudioPause,
        Self::VideoPause,
        Self::Disorder,
        Self::Unpublish,
        Self::Fin,
        Self::Reset,
        Self::HalfOpen,
        Self::Takeover,
        Self::Silence,
        Self::Away,
        Self::Kill,
    ];

    /// What may happen while a publisher goes on.
    pub(crate) const ON_THE_WAY: [Self; 13] = [
        Self::JumpForward,
        Self::JumpBack,
        Self::JumpToZero,
        Self::JumpAnywhere,
        Self::Wrap,
        Self::Stall,
        Self::NoKeyFrames,
        Self::SameHeaders,
        Self::VideoHeader,
        Self::AudioHeader,
        Self::AudioPause,
        Self::VideoPause,
        Self::Disorder,
    ];

    /// How a session may end.
    pub(crate) const ENDINGS: [Self; 7] = [
        Self::Unpublish,
        Self::Fin,
        Self::Reset,
        Self::HalfOpen,
        Self::Takeover,
        Self::Silence,
        Self::Away,
    ];

    /// As the table has it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::None => "(none yet)",
            Self::StartsApart => "tracks start seconds apart",
            Self::StartsMidGop => "starts in the middle of a GOP",
            Self::JumpForward => "timestamps jump forward",
            Self::JumpBack => "timestamps jump back",
            Self::JumpToZero => "timestamps jump to 0",
            Self::JumpAnywhere => "timestamps jump anywhere",
            Self::Wrap => "timestamps wrap at 2^32 ms",
            Self::Stall => "stall, then a burst",
            Self::NoKeyFrames => "key frames missing",
            Self::SameHeaders => "identical headers repeated",
            Self::VideoHeader => "video header changes",
            Self::AudioHeader => "audio header changes",
            Self::AudioPause => "audio stops and starts",
            Self::VideoPause => "video stops and starts",
            Self::Disorder => "DTS equal or backward",
            Self::Unpublish => "unpublish, then reconnect",
            Self::Fin => "cut with FIN",
            Self::Reset => "cut with RST",
            Self::HalfOpen => "half open, then reconnect",
            Self::Takeover => "takeover while active",
            Self::Silence => "silent until let go",
            Self::Away => "away beyond the resume time",
            Self::Kill => "SIGKILL of the gateway",
        }
    }
}
