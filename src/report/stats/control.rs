//! Is tonight still like the reference nights?

/// One night's rate on the chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub z: f64,
    pub lower: f64,
    pub upper: f64,
    pub signal: bool,
}

/// A control chart of a nightly rate with unequal n.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chart {
    /// The rate of a frozen reference period, never of the moving past.
    pub target: f64,
    /// Weight of tonight.
    pub lambda: f64,
    /// Width of the limits in standard errors.
    pub width: f64,
}

impl Chart {
    /// Exponentially weighted moving average: `z = λx + (1-λ)z`, `var = λ²s² + (1-λ)²var` with
    /// `s² = p0(1-p0)/n`; a signal when z leaves `p0 ± L√var`. S. W. Roberts, Technometrics 1
    /// (1959). A night without calls moves nothing.
    pub fn nights(self, nights: &[super::proportion::Share]) -> Vec<Point> {
        let Chart { target, lambda, width } = self;
        let (mut z, mut variance) = (target, 0.0);
        nights
            .iter()
            .map(|night| {
                if let Some(rate) = night.rate() {
                    z = lambda * rate + (1.0 - lambda) * z;
                    let tonight = target * (1.0 - target) / night.n as f64;
                    variance = lambda * lambda * tonight + (1.0 - lambda).powi(2) * variance;
                }
                let reach = width * variance.sqrt();
                Point { z, lower: target - reach, upper: target + reach, signal: (z - target).abs() > reach }
            })
            .collect()
    }
}

/// A night's figure on a scale on which it is about normal, with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub value: f64,
    pub error: f64,
}

/// The same average for figures that bring their own error; a night without one moves nothing.
pub fn observed(chart: Chart, nights: &[Option<Observed>]) -> Vec<Point> {
    let Chart { target, lambda, width } = chart;
    let (mut z, mut variance) = (target, 0.0);
    nights
        .iter()
        .map(|night| {
            if let Some(seen) = night {
                z = lambda * seen.value + (1.0 - lambda) * z;
                variance = (lambda * seen.error).powi(2) + (1.0 - lambda).powi(2) * variance;
            }
            let reach = width * variance.sqrt();
            Point { z, lower: target - reach, upper: target + reach, signal: (z - target).abs() > reach }
        })
        .collect()
}
