//! What a server's processes have used: processor time, memory, wake-ups, all from the kernel.
//!
//! Processor time is read from the processes' CPU-time clocks (`clock_getcpuclockid`): the sum that
//! /proc shows as utime and stime, threads that have ended included, but in nanoseconds instead of
//! ticks of 10 ms, which is more than one stream costs in a window.

use std::fs;
use std::ops::{Add, Sub};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nix::time::ClockId;
use nix::unistd::Pid;

use crate::clip::GOP_MS;
use crate::stats::milliseconds;
use crate::wait;

/// A process and all its descendants, as found once.
#[derive(Debug, Clone)]
pub(crate) struct Processes(Vec<i32>);

/// Use of the processor since the processes began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// How often a thread gave up the processor to wait: once for every wake-up.
    pub(crate) wakes: u64,
}

/// Resident memory, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    /// Shared pages counted once for each process.
    pub(crate) rss: u64,
    /// Shared pages divided among those who share them.
    pub(crate) pss: u64,
    /// The largest resident size so far.
    pub(crate) peak: u64,
}

impl Processes {
    /// The process `root` and those below it now.
    pub(crate) fn of(root: u32) -> anyhow::Result<Self> {
        let mut parents = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            // A process may end between the listing and the reading.
            if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
                let parent = parent(&stat).with_context(|| format!("/proc/{pid}/stat: {stat}"))?;
                parents.push((pid, parent));
            }
        }
        Ok(Self(descendants(i32::try_from(root)?, &parents)))
    }

    /// Processor time and wake-ups up to now.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let mut total = Usage::default();
        for pid in &self.0 {
            let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(*pid))?;
            let cpu = Duration::from(clock.now()?);
            total = total
                + Usage {
                    cpu,
                    wakes: wakes(*pid)?,
                };
        }
        Ok(total)
    }

    /// Resident memory now.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let mut total = Memory::default();
        for pid in &self.0 {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let bytes = |text, field| number(text, field).map(|kib: u64| kib * 1024);
            total.rss += bytes(&rollup, "Rss:")?;
            total.pss += bytes(&rollup, "Pss:")?;
            total.peak += bytes(&status, "VmHWM:")?;
        }
        Ok(total)
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            wakes: self.wakes + other.wakes,
        }
    }
}

impl Sub for Usage {
    type Output = Self;

    /// Saturating: the wake-ups of a thread that has ended are no longer counted.
    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakes: self.wakes.saturating_sub(earlier.wakes),
        }
    }
}

/// Voluntary context switches of all threads.
fn wakes(pid: i32) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        if let Ok(status) = fs::read_to_string(entry?.path().join("status")) {
            total += number(&status, "voluntary_ctxt_switches:")?;
        }
    }
    Ok(total)
}

/// The parent's id in a line of /proc/PID/stat (proc(5)). The name before it is in parentheses and
/// may contain anything, parentheses and spaces too.
fn parent(stat: &str) -> anyhow::Result<i32> {
    let (_, after_name) = stat.rsplit_once(')').context("no name in parentheses")?;
    let parent = after_name.split_whitespace().nth(1);
    Ok(parent.context("no parent after the state")?.parse()?)
}

/// The number behind a field's name at a line's start.
fn number(text: &str, field: &str) -> anyhow::Result<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field));
    let word = rest.and_then(|rest| rest.split_whitespace().next());
    let word = word.with_context(|| format!("no {field} in what the kernel says"))?;
    ensure!(!word.starts_with('+'), "{field} {word} is no number");
    Ok(word.parse()?)
}

/// `root` and everything below it; `parents` holds (process, its parent).
fn descendants(root: i32, parents: &[(i32, i32)]) -> Vec<i32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        let children = parents
            .iter()
            .filter(|(pid, parent)| *parent == of && *pid != of);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// What a stream-second took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamCost {
    /// Processor time, milliseconds.
    pub(crate) cpu_ms: f64,
    /// How often a thread was woken.
    pub(crate) wakes: f64,
}

/// A sample for each window of one GOP, so that it holds one cut of every stream.
pub(crate) fn stream_costs(
    processes: &Processes,
    streams: u32,
    windows: u32,
) -> anyhow::Result<Vec<StreamCost>> {
    let mut samples = Vec::new();
    let mut before = (Instant::now(), processes.usage()?);
    for _ in 0..windows {
        wait::pass(Duration::from_millis(GOP_MS.into()));
        let now = (Instant::now(), processes.usage()?);
        let used = now.1 - before.1;
        let stream_seconds = (now.0 - before.0).as_secs_f64() * f64::from(streams);
        samples.push(StreamCost {
            cpu_ms: milliseconds(used.cpu) / stream_seconds,
            wakes: used.wakes as f64 / stream_seconds,
        });
        before = now;
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    #[test]
    fn names_may_contain_anything() {
        for (stat, expected) in [
            ("12 (nginx) S 7 12 12 0 -1", Some(7)),
            ("12 (tokio-rt (1) R 3) S 4 12 12", Some(4)),
            ("12 nginx S 7", None),
            ("12 (nginx) S", None),
        ] {
            assert_eq!(parent(stat).ok(), expected, "{stat}");
        }
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let status = "Rss:\t 12 kB\nnonvoluntary_ctxt_switches:\t5\nvoluntary_ctxt_switches:\t9\n";
        assert_eq!(number(status, "Rss:").unwrap(), 12);
        assert_eq!(number(status, "voluntary_ctxt_switches:").unwrap(), 9);
        assert!(number(status, "Pss:").is_err());
    }

    #[test]
    fn children_and_their_children_are_counted() {
        let parents = [(1, 0), (20, 10), (10, 1), (30, 20), (40, 1), (0, 0)];
        assert_eq!(descendants(10, &parents), [10, 20, 30]);
        assert_eq!(descendants(40, &parents), [40]);
    }

    /// The clock is the one that /proc shows in ticks: `true` shows that ended children are not in
    /// it, a busy loop that time is.
    #[test]
    fn the_clock_counts_what_proc_counts() {
        let ourselves = Processes(vec![i32::try_from(std::process::id()).unwrap()]);
        let before = (ourselves.usage().unwrap().cpu, ticks());
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(200) {
            std::hint::black_box(ticks());
        }
        let after = (ourselves.usage().unwrap().cpu, ticks());
        let clock = after.0.checked_sub(before.0).unwrap().as_secs_f64();
        let proc = f64::from(after.1 - before.1) / 100.0;
        assert!(
            (clock - proc).abs() <= 0.03,
            "{clock} s by the clock, {proc} s in /proc"
        );
        assert!(clock > 0.01, "{clock} s");
    }

    /// utime and stime of this process, in ticks of 10 ms.
    fn ticks() -> u32 {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .collect();
        fields[11].parse::<u32>().unwrap() + fields[12].parse::<u32>().unwrap()
    }

    #[test]
    fn a_child_is_found_and_has_memory() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let ours = Processes::of(std::process::id()).unwrap();
        assert!(ours.0.contains(&i32::try_from(child.id()).unwrap()));
        let memory = ours.memory().unwrap();
        assert!(memory.pss > 0 && memory.pss <= memory.rss && memory.rss <= memory.peak);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
