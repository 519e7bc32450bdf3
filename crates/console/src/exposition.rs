//! The text in which Prometheus reads metrics (exposition format 0.0.4).

use std::fmt::Write as _;

/// The media type of the text.
pub(crate) const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics as they are written down, family by family.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    /// Begins a family of counters. What follows belongs to it.
    pub(crate) fn counter(&mut self, name: &'static str, help: &str) {
        self.family(name, "counter", help);
    }

    /// Begins a family of values that come and go.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str) {
        self.family(name, "gauge", help);
    }

    /// Begins a family of histograms.
    pub(crate) fn histogram(&mut self, name: &'static str, help: &str) {
        self.family(name, "histogram", help);
    }

    /// One value of the family.
    pub(crate) fn value(&mut self, labels: &[(&str, &str)], value: u64) {
        self.line("", labels, &value.to_string());
    }

    /// One histogram of the family: for each bound, in seconds, how many were below it and above
    /// the one before; at the end how many were above all. `sum_us` is all of them together, where
    /// somebody adds that up.
    pub(crate) fn buckets(
        &mut self,
        labels: &[(&str, &str)],
        bounds: &[f64],
        counts: &[u64],
        sum_us: Option<u64>,
    ) {
        let mut below = 0;
        let infinite = bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in infinite.zip(counts) {
            below += count;
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.line("_bucket", &labels, &below.to_string());
        }
        if let Some(us) = sum_us {
            let sum = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
            self.line("_sum", labels, &sum);
        }
        self.line("_count", labels, &below.to_string());
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        self.text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        for (number, (name, value)) in labels.iter().enumerate() {
            self.text.push(if number == 0 { '{' } else { ',' });
            // Writing to a string does not fail.
            let _ = write!(self.text, "{name}=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.text.push_str(r"\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    c => self.text.push(c),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.text.push_str(&format!(" {value}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_buckets_add_up() {
        let mut text = Exposition::default();
        text.counter("a_total", "Of a.");
        text.value(&[("x", "a\"b\\c\nd")], 3);
        text.histogram("b_seconds", "Of b.");
        text.buckets(&[("x", "y")], &[0.5, 1.0], &[1, 2, 4], None);
        text.buckets(&[], &[0.5], &[1, 1], Some(2_000_300));
        let expected = "# HELP a_total Of a.\n# TYPE a_total counter\n\
            a_total{x=\"a\\\"b\\\\c\\nd\"} 3\n\
            # HELP b_seconds Of b.\n# TYPE b_seconds histogram\n\
            b_seconds_bucket{x=\"y\",le=\"0.5\"} 1\nb_seconds_bucket{x=\"y\",le=\"1\"} 3\n\
            b_seconds_bucket{x=\"y\",le=\"+Inf\"} 7\nb_seconds_count{x=\"y\"} 7\n\
            b_seconds_bucket{le=\"0.5\"} 1\nb_seconds_bucket{le=\"+Inf\"} 2\n\
            b_seconds_sum 2.000300\nb_seconds_count 2\n";
        assert_eq!(text.finish(), expected);
    }
}
