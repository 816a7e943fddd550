//! Faults of the soak's own making: with each of them it must fail, which shows that the check is one.

use clap::ValueEnum;

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wilful {
    /// A viewer loses a byte of a segment now and then.
    DropByte,
    /// A viewer skips a segment now and then.
    SkipSegment,
    /// A viewer sees a segment twice now and then.
    RepeatSegment,
    /// A viewer sees a playlist as it was before, now and then.
    OldPlaylist,
    /// Now and then a unit is handed over under the number of another.
    WrongUnit,
    /// Now and then a unit is entered and not handed over.
    LoseUnit,
    /// Now and then a unit is handed over 50 ms late by its timestamp.
    LateUnit,
    /// What a SIGKILL may take is said to be nothing.
    NothingDies,
    /// The state directory is emptied at each restart.
    ForgetState,
}
