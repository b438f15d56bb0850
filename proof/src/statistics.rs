//! What the figures are made of.

/// The median of the values; the upper one of the two in the middle.
#[must_use]
pub fn median<T: Ord + Copy + Default>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The slope of the line through these points, by least squares.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Moments, Moments) = points.iter().map(|(x, y)| (*x, *y)).unzip();
    let shared: f64 = points
        .iter()
        .map(|(a, b)| (a - x.mean) * (b - y.mean))
        .sum();
    shared / x.squares
}

/// Welch's t of two samples: how many standard errors their means are apart.
#[must_use]
pub fn welch_t(left: impl IntoIterator<Item = f64>, right: impl IntoIterator<Item = f64>) -> f64 {
    let (left, right): (Moments, Moments) =
        (left.into_iter().collect(), right.into_iter().collect());
    (left.mean - right.mean) / (left.error() + right.error()).sqrt()
}

/// Mean and squared differences from it, by Welford's method.
#[derive(Debug, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// The square of the mean's standard error.
    fn error(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.count += 1.0;
            let from_mean = value - self.mean;
            self.mean += from_mean / self.count;
            self.squares += from_mean * (value - self.mean);
        }
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        moments.extend(values);
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3, 1, 2]), 2);
        assert_eq!(median([4, 1, 3, 2]), 3);
        assert_eq!(median::<u64>([]), 0);
    }

    #[test]
    fn the_slope_is_that_of_the_nearest_line() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), 2.0);
        assert_eq!(slope(&[(0.0, 7.0), (1.0, 7.0), (2.0, 7.0)]), 0.0);
        // By hand: the means are 1.5 and 1.5, the sums 3 and 5.
        let slope = slope(&[(0.0, 1.0), (1.0, 0.0), (2.0, 3.0), (3.0, 2.0)]);
        assert!((slope - 0.6).abs() < 1e-12, "{slope}");
    }

    #[test]
    fn welch_t_is_that_of_a_known_pair_of_samples() {
        let left = [1.0, 2.0, 3.0, 4.0, 5.0];
        let right = [2.0, 4.0, 6.0, 8.0];
        // Means 3 and 5, variances 2.5 and 20/3: -2 / sqrt(2.5/5 + (20/3)/4).
        let t = welch_t(left, right);
        assert!((t - -1.358_732_440_973_515).abs() < 1e-12, "{t}");
        assert_eq!(welch_t(left, left), 0.0);
    }
}
