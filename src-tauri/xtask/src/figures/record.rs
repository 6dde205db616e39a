//! What was measured, judged: numbers against goals, and planted faults that must be noticed.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::surroundings::Surroundings;

/// What a measurement hands over. The first part is the figure itself; the others have goals of their own.
#[derive(Debug, Deserialize)]
pub(crate) struct Measured {
    pub(crate) n: usize,
    pub(crate) parts: Vec<Part>,
    pub(crate) controls: Vec<Control>,
    #[serde(default)]
    pub(crate) detail: Map<String, Value>,
}

/// One number and its goal.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) at_most: f64,
}

/// The same measurement with a fault planted: every number it gives must miss its goal.
#[derive(Debug, Deserialize)]
pub(crate) struct Control {
    pub(crate) planted: String,
    pub(crate) parts: Vec<Part>,
}

impl Part {
    fn is_met(&self) -> bool {
        // What is no number is no success.
        self.value <= self.at_most
    }

    fn goal(&self) -> String {
        format!("≤ {}", self.at_most)
    }

    fn json(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "unit": self.unit, "goal": self.goal(), "ok": self.is_met() })
    }

    fn line(&self) -> String {
        format!("{:>10.3} {:<6} goal {:<8}", self.value, self.unit, self.goal())
    }
}

impl Control {
    fn is_red(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| !part.is_met())
    }

    fn json(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().map(Part::json).collect();
        json!({ "planted": self.planted, "parts": parts, "red": self.is_red() })
    }
}

/// A figure as it is kept.
pub(crate) struct Record {
    name: &'static str,
    measured: Measured,
    json: Value,
}

impl Record {
    /// Judges a measurement.
    pub(crate) fn of(
        name: &'static str,
        mut measured: Measured,
        command: &str,
        seed: u64,
        surroundings: &Surroundings,
    ) -> anyhow::Result<Self> {
        let first = measured.parts.first().context("nothing was measured")?;
        let mut detail = std::mem::take(&mut measured.detail);
        detail.insert("parts".to_owned(), measured.parts.iter().map(Part::json).collect());
        detail.insert("controls".to_owned(), measured.controls.iter().map(Control::json).collect());
        detail.insert("load_before".to_owned(), json!(surroundings.load));
        let json = json!({
            "name": name,
            "value": first.value,
            "unit": first.unit,
            "n": measured.n,
            "goal": first.goal(),
            "ok": is_good(&measured),
            "command": command,
            "seed": seed,
            "commit": surroundings.commit,
            "machine": surroundings.machine,
            "date": surroundings.date,
            "detail": detail,
        });
        Ok(Self { name, measured, json })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Every goal is met, and every planted fault was noticed.
    pub(crate) fn ok(&self) -> bool {
        is_good(&self.measured)
    }

    pub(crate) fn json(&self) -> String {
        format!("{:#}\n", self.json)
    }
}

fn is_good(measured: &Measured) -> bool {
    let controls = &measured.controls;
    measured.parts.iter().all(Part::is_met) && !controls.is_empty() && controls.iter().all(Control::is_red)
}

/// All of them, for a person.
pub(crate) fn table(records: &[Record]) -> String {
    let mut table = String::new();
    for record in records {
        let word = if record.ok() { "ok" } else { "MISSED" };
        // Writing to a text cannot fail.
        let _ = writeln!(table, "{:<17} {word:<7} n {}", record.name, record.measured.n);
        for part in &record.measured.parts {
            let word = if part.is_met() { "ok" } else { "MISSED" };
            let _ = writeln!(table, "  {} {word:<7} {}", part.line(), part.name);
        }
        for control in &record.measured.controls {
            let word = if control.is_red() { "red" } else { "UNSEEN" };
            for part in &control.parts {
                let _ = writeln!(table, "  {} {word:<7} planted: {}", part.line(), control.planted);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A measurement with one number and one number of its control.
    fn record(value: f64, planted: f64) -> Record {
        let part = |value| Part { name: "to the list".into(), value, unit: "ratio".into(), at_most: 1.25 };
        let measured = Measured {
            n: 5,
            parts: vec![part(value)],
            controls: vec![Control { planted: "a delay".into(), parts: vec![part(planted)] }],
            detail: Map::from_iter([("grants".to_owned(), json!(100))]),
        };
        let surroundings = Surroundings {
            commit: "abc".into(),
            machine: "a machine".into(),
            date: "2026-11-24T10:00:00Z".into(),
            load: "0.1".into(),
        };
        Record::of("startup", measured, "cargo xtask figures startup", 1, &surroundings).unwrap()
    }

    #[test]
    fn a_figure_is_good_when_its_goal_is_met_and_its_control_is_not() {
        assert!(record(1.25, 1.26).ok());
        assert!(!record(1.26, 1.7).ok(), "a goal missed");
        assert!(!record(1.1, 1.2).ok(), "a planted fault unseen");
        assert!(!record(f64::NAN, 1.7).ok(), "no number");
    }

    #[test]
    fn a_figure_without_a_control_is_not_good() {
        let mut record = record(1.1, 1.7);
        record.measured.controls[0].parts.clear();
        assert!(!record.ok());
        record.measured.controls.clear();
        assert!(!record.ok());
    }

    #[test]
    fn the_record_has_what_is_needed_to_measure_again() {
        let json: Value = serde_json::from_str(&record(1.1, 1.7).json()).unwrap();
        let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "name", "value", "unit", "n", "goal", "ok", "command", "seed", "commit", "machine", "date",
            "detail",
        ];
        expected.sort_unstable();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(
            (&json["value"], &json["goal"], &json["ok"]),
            (&json!(1.1), &json!("≤ 1.25"), &json!(true))
        );
        assert_eq!(json["detail"]["grants"], 100);
        assert_eq!(json["detail"]["controls"][0]["red"], true);
    }

    #[test]
    fn the_table_says_what_was_missed() {
        let table = table(&[record(1.3, 1.2)]);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("startup") && lines[0].contains("MISSED"), "{table}");
        assert!(lines[1].contains("1.300 ratio") && lines[1].contains("MISSED"), "{table}");
        assert!(lines[2].contains("UNSEEN") && lines[2].contains("planted: a delay"), "{table}");
    }
}
