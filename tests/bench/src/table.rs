//! The result: samples by metric in two columns, printed as ratios and written as JSON.

use std::fmt::{self, Display};

use serde::Serialize;
use serde_json::{Value, json};

use crate::server::Peer;
use crate::stats::{median, percentile};

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metric {
    /// What was measured, and where.
    pub(crate) what: String,
    /// Unit of the samples.
    pub(crate) unit: &'static str,
    /// Which number stands for the samples.
    pub(crate) statistic: Statistic,
    /// What is wanted, if anything is.
    pub(crate) aim: Option<Aim>,
}

/// The number drawn from the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Statistic {
    /// Half are below.
    Median,
    /// Nineteen of twenty are at or below.
    P95,
    /// All but one of a hundred are at or below.
    P99,
    /// The largest.
    Worst,
}

/// Where a sample stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// What is measured.
    Own,
    /// What it is compared with.
    Other,
}

impl From<Peer> for Column {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Forebay => Self::Own,
            Peer::NginxRtmp => Self::Other,
        }
    }
}

/// What is wanted of the first column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aim {
    /// An own figure not above this.
    AtMost(f64),
    /// An own figure not below this.
    AtLeast(f64),
    /// Not above this many times the other's figure.
    RatioAtMost(f64),
    /// Not below this many times the other's figure.
    RatioAtLeast(f64),
}

impl Metric {
    /// A metric whose median counts.
    pub(crate) fn median(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            unit,
            statistic: Statistic::Median,
            aim: None,
        }
    }

    /// The same with the 95th percentile.
    pub(crate) fn p95(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            statistic: Statistic::P95,
            ..Self::median(what, unit)
        }
    }

    /// The same with the 99th percentile.
    pub(crate) fn p99(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            statistic: Statistic::P99,
            ..Self::median(what, unit)
        }
    }

    /// The same with the largest sample.
    pub(crate) fn worst(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            statistic: Statistic::Worst,
            ..Self::median(what, unit)
        }
    }

    /// With what is wanted.
    pub(crate) fn aim(self, aim: Aim) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }
}

/// All samples of a run.
#[derive(Debug)]
pub(crate) struct Table {
    /// Names of the columns.
    titles: [&'static str; 2],
    rows: Vec<Row>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct Row {
    metric: Metric,
    samples: [Vec<f64>; 2],
}

/// What is drawn from a row.
#[derive(Debug)]
struct Line<'a> {
    metric: &'a Metric,
    values: [Option<f64>; 2],
    ratio: Option<f64>,
    aim_met: Option<bool>,
}

impl Table {
    /// An empty one with these columns.
    pub(crate) fn new(titles: [&'static str; 2]) -> Self {
        Self {
            titles,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether there is nothing to be said.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.notes.is_empty()
    }

    /// Adds a sample; rows stand in the order of their first.
    pub(crate) fn add(&mut self, metric: &Metric, column: impl Into<Column>, sample: f64) {
        let index = match self.rows.iter().position(|row| row.metric == *metric) {
            Some(index) => index,
            None => {
                self.rows.push(Row {
                    metric: metric.clone(),
                    samples: [Vec::new(), Vec::new()],
                });
                self.rows.len() - 1
            }
        };
        let [own, other] = &mut self.rows[index].samples;
        match column.into() {
            Column::Own => own.push(sample),
            Column::Other => other.push(sample),
        }
    }

    /// Adds a remark that a reader of the figures needs.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The whole as JSON, every sample included.
    pub(crate) fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| row.json(self.titles)).collect();
        json!({ "rows": rows, "notes": self.notes })
    }
}

impl Row {
    fn line(&self) -> Line<'_> {
        let values = self
            .samples
            .each_ref()
            .map(|samples| match self.metric.statistic {
                Statistic::Median => median(samples),
                Statistic::P95 => percentile(samples, 95),
                Statistic::P99 => percentile(samples, 99),
                Statistic::Worst => percentile(samples, 100),
            });
        let ratio = ratio(values[0], values[1]);
        Line {
            metric: &self.metric,
            values,
            ratio,
            aim_met: self.metric.aim.and_then(|aim| aim.met(values[0], ratio)),
        }
    }

    /// The row as it is written; the columns' names are its keys.
    fn json(&self, titles: [&str; 2]) -> Value {
        let line = self.line();
        let [own, other] = titles.map(|title| title.replace(['-', ' '], "_"));
        json!({
            "what": line.metric.what,
            "unit": line.metric.unit,
            "statistic": line.metric.statistic,
            (own.clone()): line.values[0],
            (other.clone()): line.values[1],
            "ratio": line.ratio,
            "aim": line.metric.aim,
            "aim_met": line.aim_met,
            (format!("samples_{own}")): self.samples[0],
            (format!("samples_{other}")): self.samples[1],
        })
    }
}

impl Line<'_> {
    fn cells(&self) -> [String; 7] {
        let statistic = match self.metric.statistic {
            Statistic::Median => "median",
            Statistic::P95 => "p95",
            Statistic::P99 => "p99",
            Statistic::Worst => "worst",
        };
        let aim = match (self.metric.aim, self.aim_met) {
            (Some(aim), Some(true)) => format!("{aim}: met"),
            (Some(aim), Some(false)) => format!("{aim}: missed"),
            _ => String::new(),
        };
        [
            self.metric.what.clone(),
            statistic.to_owned(),
            figure(self.values[0]),
            figure(self.values[1]),
            figure(self.ratio),
            self.metric.unit.to_owned(),
            aim,
        ]
    }
}

impl Aim {
    fn met(self, own: Option<f64>, ratio: Option<f64>) -> Option<bool> {
        Some(match self {
            Self::AtMost(limit) => own? <= limit,
            Self::AtLeast(limit) => own? >= limit,
            Self::RatioAtMost(limit) => ratio? <= limit,
            Self::RatioAtLeast(limit) => ratio? >= limit,
        })
    }
}

fn ratio(own: Option<f64>, other: Option<f64>) -> Option<f64> {
    other
        .filter(|other| *other > 0.0)
        .and_then(|other| Some(own? / other))
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|row| row.metric.what.len())
            .max()
            .unwrap_or(0);
        let [own, other] = self.titles;
        let column = own.len().max(other.len());
        let heads = ["", "", own, other, "ratio", "unit", "aim"].map(str::to_owned);
        let lines = self.rows.iter().map(|row| row.line().cells());
        for [what, statistic, own, other, ratio, unit, aim] in std::iter::once(heads).chain(lines) {
            let line = format!(
                "{what:width$}  {statistic:>6} {own:>column$} {other:>column$} {ratio:>7}  {unit:19} {aim}"
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

impl Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "at most {limit}"),
            Self::AtLeast(limit) => write!(f, "at least {limit}"),
            Self::RatioAtMost(limit) => write!(f, "ratio at most {limit}"),
            Self::RatioAtLeast(limit) => write!(f, "ratio at least {limit}"),
        }
    }
}

/// Three significant digits, and no more decimals than that needs.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 99.95 => format!("{value:.0}"),
        Some(value) if value.abs() >= 9.995 => format!("{value:.1}"),
        Some(value) if value.abs() >= 0.9995 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_as_it_is_printed() {
        let cpu = Metric::median("processor, 50 streams", "ms/stream-second");
        let cpu = cpu.aim(Aim::RatioAtMost(0.5));
        let listing = Metric::p95("listing", "ms").aim(Aim::AtMost(2.0));
        let mut table = Table::new(["forebay", "nginx-rtmp"]);
        for (forebay, nginx) in [(0.8, 3.0), (9.0, 4.0), (1.0, 2.0)] {
            table.add(&cpu, Peer::Forebay, forebay);
            table.add(&cpu, Peer::NginxRtmp, nginx);
        }
        table.add(&listing, Peer::Forebay, 2.5);
        table.add(&Metric::median("empty", "MB"), Peer::NginxRtmp, 0.0);
        table.note("one core".to_owned());
        let expected = "                                 forebay nginx-rtmp   ratio  unit                aim
processor, 50 streams  median       1.00       3.00   0.333  ms/stream-second    ratio at most 0.5: met
listing                   p95       2.50          -       -  ms                  at most 2: missed
empty                  median          -      0.000       -  MB
note: one core
";
        assert_eq!(table.to_string(), expected);
        assert_eq!(table.json()["rows"][0]["samples_forebay"][1], 9.0);
        assert_eq!(table.json()["rows"][2]["nginx_rtmp"], 0.0);
        assert_eq!(table.json()["rows"][0]["aim_met"], true);
    }

    #[test]
    fn figures_have_three_digits() {
        for (value, expected) in [
            (0.01234, "0.012"),
            (1.234, "1.23"),
            (9.999, "10.0"),
            (12.34, "12.3"),
            (99.99, "100"),
            (47_123.4, "47123"),
        ] {
            assert_eq!(figure(Some(value)), expected);
        }
    }
}
