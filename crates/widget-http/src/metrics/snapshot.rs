//! The values of all metrics at one moment, and their text.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet},
    registry::Registry,
};

use super::{
    catalog::{Kind, Metric},
    histogram::{Histogram, Times},
};

/// A value of a label: a word of this program or the template of a route, and nothing that a
/// request brings, so that the number of time series is bounded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabelValue(Text);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Text {
    Word(&'static str),
    Template(Arc<str>),
}

impl LabelValue {
    /// A word of this program.
    pub(crate) const fn of(word: &'static str) -> Self {
        Self(Text::Word(word))
    }

    /// The template of a registered route.
    pub(super) fn of_template(template: &Arc<str>) -> Self {
        Self(Text::Template(Arc::clone(template)))
    }

    fn as_str(&self) -> &str {
        match &self.0 {
            Text::Word(word) => word,
            Text::Template(template) => template,
        }
    }
}

#[derive(Debug)]
enum Value {
    Whole(u64),
    Real(f64),
    Times(Times),
}

/// The values of all metrics at one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    metric: Metric,
    labels: Vec<LabelValue>,
    value: Value,
}

impl Snapshot {
    /// Adds a number of events, or of things that are there; labels in the order of the catalog.
    pub(crate) fn count<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [LabelValue; N],
        count: u64,
    ) {
        self.add(metric, labels, Value::Whole(count));
    }

    pub(super) fn real<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [LabelValue; N],
        value: f64,
    ) {
        self.add(metric, labels, Value::Real(value));
    }

    pub(crate) fn times<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [LabelValue; N],
        times: &Histogram,
    ) {
        self.add(metric, labels, Value::Times(times.read()));
    }

    fn add<const N: usize>(&mut self, metric: Metric, labels: [LabelValue; N], value: Value) {
        debug_assert_eq!(metric.labels().len(), N, "{metric:?}");
        self.0.push(Sample {
            metric,
            labels: labels.into(),
            value,
        });
    }

    /// The text of all of them, in the format of `OpenMetrics` or in the one of Prometheus.
    pub(super) fn into_text(mut self, is_openmetrics: bool) -> Result<String, fmt::Error> {
        self.0.sort_by_key(|sample| sample.metric);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        if is_openmetrics {
            prometheus_client::encoding::text::encode(&mut text, &registry)?;
        } else {
            prometheus_client::encoding::prometheus_text::encode(&mut text, &registry)?;
        }
        Ok(text)
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for samples in self.0.chunk_by(|one, other| one.metric == other.metric) {
            let metric = samples[0].metric;
            // The encoder adds the suffix of a counter itself.
            let name = metric.name();
            let name = name.strip_suffix("_total").unwrap_or(name);
            let kind = metric.kind().as_type();
            let mut family = encoder.encode_descriptor(name, metric.help(), None, kind)?;
            for sample in samples {
                if sample.labels.is_empty() {
                    sample.encode(&mut family)?;
                } else {
                    sample.encode(&mut family.encode_family(&Labels(sample))?)?;
                }
            }
        }
        Ok(())
    }
}

impl Sample {
    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match (&self.value, self.metric.kind()) {
            (Value::Whole(value), Kind::Counter) => {
                encoder.encode_counter::<NoLabelSet, _, f64>(value, None)
            }
            (Value::Real(value), Kind::Counter) => {
                encoder.encode_counter::<NoLabelSet, _, f64>(value, None)
            }
            (Value::Whole(value), _) => encoder.encode_gauge(value),
            (Value::Real(value), _) => encoder.encode_gauge(value),
            (Value::Times(times), _) => {
                encoder.encode_histogram::<NoLabelSet>(times.sum, times.count, &times.buckets, None)
            }
        }
    }
}

/// The labels of a sample, with the names that the catalog gives them.
struct Labels<'a>(&'a Sample);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        let Sample { metric, labels, .. } = self.0;
        let pairs = metric.labels().iter().copied();
        let pairs: Vec<_> = pairs.zip(labels.iter().map(LabelValue::as_str)).collect();
        pairs.as_slice().encode(encoder)
    }
}
