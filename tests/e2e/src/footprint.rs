//! What a process holds of the machine, as Linux says it (proc(5)).

use std::fs;

/// Memory, descriptors and threads at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Resident memory, KiB.
    pub resident_kib: u64,
    /// The most resident memory since the start, or since [`forget_peak`], KiB.
    pub peak_kib: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: u64,
}

impl Footprint {
    /// The footprint of the process now.
    ///
    /// # Panics
    /// There is no such process.
    pub fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))
            .unwrap_or_else(|error| panic!("process {pid}: {error}"));
        let number = |key: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key)?.split_whitespace().next())
                .and_then(|number| number.parse().ok())
                .unwrap_or_else(|| panic!("{key} in {status}"))
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap_or_else(|error| panic!("descriptors of {pid}: {error}"))
            .count();
        Self {
            resident_kib: number("VmRSS:"),
            peak_kib: number("VmHWM:"),
            descriptors,
            threads: number("Threads:"),
        }
    }
}

/// Lets the peak begin anew at what is resident now.
///
/// # Panics
/// The process is not ours.
pub fn forget_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
        .unwrap_or_else(|error| panic!("cannot reset the peak of {pid}: {error}"));
}
