//! From sights to advice: what is seen often enough is shown, and stays until it was not seen for a while.

use std::time::{Duration, SystemTime};

use media::{Advice, AdviceKind, Severity};

/// What is seen at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// What is seen, a sentence.
    pub(crate) text: String,
    /// What to set, sentences.
    pub(crate) remedy: String,
}

#[derive(Debug)]
struct Note {
    first: Duration,
    last: Duration,
    times: u64,
    /// It has been seen often enough; once shown, it stays until it is over.
    shown: bool,
    finding: Finding,
}

/// One note for each kind at most.
#[derive(Debug)]
pub(crate) struct Chart {
    notes: [Option<Note>; AdviceKind::ALL.len()],
    /// What has not been seen for so long is over.
    kept: Duration,
}

impl Chart {
    /// Advice goes away `kept` after it was last seen.
    pub(crate) fn new(kept: Duration) -> Self {
        Self {
            notes: [const { None }; AdviceKind::ALL.len()],
            kept,
        }
    }

    /// Seen once more, at `at`; shown when it was seen `needs` times.
    pub(crate) fn see(&mut self, kind: AdviceKind, at: Duration, needs: u64, finding: Finding) {
        self.see_times(kind, at, 1, needs, finding);
    }

    /// Seen `times` more, the last time at `at`; shown when it was seen `needs` times.
    pub(crate) fn see_times(
        &mut self,
        kind: AdviceKind,
        at: Duration,
        times: u64,
        needs: u64,
        finding: Finding,
    ) {
        self.expire(kind, at);
        let Some(place) = self.notes.get_mut(kind as usize) else {
            return;
        };
        match place {
            Some(note) => {
                note.last = note.last.max(at);
                note.times += times;
                note.shown |= note.times >= needs;
                note.finding = finding;
            }
            None => {
                *place = Some(Note {
                    first: at,
                    last: at,
                    times,
                    shown: times >= needs,
                    finding,
                });
            }
        }
    }

    /// Still seen, without a break since it was seen last: shown, and counted only if it is new.
    pub(crate) fn hold(&mut self, kind: AdviceKind, at: Duration, finding: Finding) {
        let times = u64::from(!self.has(kind, at));
        self.see_times(kind, at, times, 0, finding);
    }

    /// It is over: what was seen has a better explanation.
    pub(crate) fn withdraw(&mut self, kind: AdviceKind) {
        if let Some(place) = self.notes.get_mut(kind as usize) {
            *place = None;
        }
    }

    /// It was seen lately, often enough to be shown or not.
    pub(crate) fn has(&mut self, kind: AdviceKind, at: Duration) -> bool {
        self.expire(kind, at);
        self.notes.get(kind as usize).is_some_and(Option::is_some)
    }

    /// What is to be shown at `at`, the gravest first; `started` is when times begin.
    pub(crate) fn advice(&mut self, at: Duration, started: SystemTime) -> Vec<Advice> {
        for kind in AdviceKind::ALL {
            self.expire(kind, at);
        }
        let mut advice: Vec<Advice> = AdviceKind::ALL
            .into_iter()
            .zip(&self.notes)
            .filter_map(|(kind, note)| {
                let note = note.as_ref().filter(|note| note.shown)?;
                Some(Advice {
                    kind,
                    severity: note.finding.severity,
                    since: started + note.first,
                    last: started + note.last,
                    times: note.times,
                    text: note.finding.text.clone(),
                    remedy: note.finding.remedy.clone(),
                })
            })
            .collect();
        advice.sort_by_key(|advice| std::cmp::Reverse(advice.severity));
        advice
    }

    fn expire(&mut self, kind: AdviceKind, at: Duration) {
        if let Some(place) = self.notes.get_mut(kind as usize)
            && place
                .as_ref()
                .is_some_and(|note| at.saturating_sub(note.last) > self.kept)
        {
            *place = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: AdviceKind = AdviceKind::FrameRate;
    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn chart() -> Chart {
        Chart::new(Duration::from_secs(30))
    }

    fn finding(severity: Severity, text: &str) -> Finding {
        Finding {
            severity,
            text: text.to_owned(),
            remedy: String::new(),
        }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_seen_too_seldom_is_not_shown() {
        let mut chart = chart();
        for seconds in [0, 31, 62] {
            chart.see(KIND, at(seconds), 2, finding(Severity::Hint, "rare"));
            assert_eq!(chart.advice(at(seconds), START), [], "at {seconds} s");
        }
    }

    #[test]
    fn it_is_shown_from_the_sight_on_that_is_enough() {
        let mut chart = chart();
        for (seconds, needs, shown) in [(0, 3, 0), (1, 3, 0), (2, 3, 1), (3, 9, 1)] {
            chart.see(KIND, at(seconds), needs, finding(Severity::Hint, "often"));
            assert_eq!(chart.advice(at(seconds), START).len(), shown, "{seconds}");
        }
    }

    #[test]
    fn it_has_a_beginning_a_last_sight_and_a_count_and_goes_away() {
        let mut chart = chart();
        for seconds in [5, 10, 40] {
            chart.see(KIND, at(seconds), 2, finding(Severity::Hint, "often"));
        }
        let shown = chart.advice(at(70), START);
        let [advice] = shown.as_slice() else {
            panic!("{shown:?}");
        };
        assert_eq!(
            (advice.since, advice.last, advice.times),
            (START + at(5), START + at(40), 3)
        );
        assert_eq!(chart.advice(at(71), START), []);
    }

    #[test]
    fn what_goes_on_counts_once_and_again_after_it_was_over() {
        let mut chart = chart();
        for seconds in [0, 10, 20] {
            chart.hold(KIND, at(seconds), finding(Severity::Problem, "still"));
        }
        assert_eq!(chart.advice(at(20), START)[0].times, 1);
        chart.hold(KIND, at(60), finding(Severity::Problem, "again"));
        let advice = &chart.advice(at(60), START)[0];
        assert_eq!((advice.times, advice.since), (1, START + at(60)));
    }

    #[test]
    fn the_gravest_comes_first() {
        let mut chart = chart();
        chart.hold(
            AdviceKind::NoKeyFrame,
            at(0),
            finding(Severity::Hint, "small"),
        );
        chart.hold(KIND, at(0), finding(Severity::Problem, "great"));
        let kinds: Vec<AdviceKind> = chart
            .advice(at(0), START)
            .iter()
            .map(|advice| advice.kind)
            .collect();
        assert_eq!(kinds, [KIND, AdviceKind::NoKeyFrame]);
    }
}
