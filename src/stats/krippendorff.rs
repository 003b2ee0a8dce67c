//! Krippendorff's α: how far several people agree with each other beyond chance.
//!
//! For ordered classes, any number of raters, and cases that not everybody rated (Krippendorff 2011, "Computing
//! Krippendorff's alpha-reliability"; 2019, Content Analysis, 4th ed., §12.3).

/// α over the classes that each case was given, one entry a rater.
///
/// 1 is full agreement, 0 is chance. Cases with fewer than two ratings say nothing. `None` when no case has two, or
/// when all ratings are the same class: then chance alone explains everything. `classes` are counted from 0.
pub fn krippendorff_alpha(cases: &[Vec<usize>], classes: usize) -> Option<f64> {
    // How often two raters of one case gave this and that class, each case weighing as much as it has ratings.
    let mut together = vec![vec![0.0; classes]; classes];
    for ratings in cases.iter().filter(|ratings| ratings.len() > 1) {
        let weight = 1.0 / (ratings.len() - 1) as f64;
        for (i, one) in ratings.iter().enumerate() {
            for (j, other) in ratings.iter().enumerate() {
                if i != j {
                    *together.get_mut(*one)?.get_mut(*other)? += weight;
                }
            }
        }
    }
    let totals: Vec<f64> = together.iter().map(|row| row.iter().sum()).collect();
    let all: f64 = totals.iter().sum();
    let (mut observed, mut expected) = (0.0, 0.0);
    for one in 0..classes {
        for other in one + 1..classes {
            // The further apart in ranks, the worse: half of either end and all between them.
            let between: f64 = totals[one..=other].iter().sum();
            let distance = (between - f64::midpoint(totals[one], totals[other])).powi(2);
            observed += together[one][other] * distance;
            expected += totals[one] * totals[other] * distance;
        }
    }
    (expected > 0.0).then(|| 1.0 - (all - 1.0) * observed / expected)
}
