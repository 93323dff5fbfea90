//! Sums of products, the most of a fit's time.

use nalgebra::{DMatrix, DMatrixView};

/// The sum over the shorter of both. Four sums at a time: a processor need not wait for one product
/// before it begins the next.
#[inline]
pub fn sum(left: &[f64], right: &[f64]) -> f64 {
    let len = left.len().min(right.len());
    let (left, right) = (left[..len].chunks_exact(4), right[..len].chunks_exact(4));
    let rest = left.remainder().iter().zip(right.remainder());
    let rest: f64 = rest.map(|(left, right)| left * right).sum();
    let mut sums = [0.0; 4];
    for (left, right) in left.zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Rows of a regression, and the same times their weights.
#[derive(Debug)]
pub struct Block {
    width: usize,
    rows: Vec<f64>,
    weighted: Vec<f64>,
}

impl Block {
    pub fn of(width: usize, len: usize) -> Self {
        Self {
            width,
            rows: Vec::with_capacity(width * len),
            weighted: Vec::with_capacity(width * len),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len() / self.width
    }

    #[inline]
    pub fn push(&mut self, row: &[f64], weight: f64) {
        self.rows.extend_from_slice(row);
        self.weighted.extend(row.iter().map(|value| value * weight));
    }

    /// Adds the weighted products of all pairs of columns, and begins anew.
    pub fn add_to(&mut self, products: &mut DMatrix<f64>) {
        let (width, len) = (self.width, self.len());
        let rows = DMatrixView::from_slice(&self.rows, width, len);
        let weighted = DMatrixView::from_slice_with_strides(&self.weighted, len, width, width, 1);
        products.gemm(1.0, &rows, &weighted, 1.0);
        self.rows.clear();
        self.weighted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_products_is_over_the_shorter_row() {
        let row: Vec<f64> = (1..=11_u32).map(f64::from).collect();
        // 1 * 2 + 2 * 3 + ... is n (n + 1) (n + 2) / 3.
        for (len, expected) in [(0, 0.0), (3, 20.0), (4, 40.0), (9, 330.0), (10, 440.0)] {
            assert!((sum(&row, &row[1..=len]) - expected).abs() < 1e-9, "{len}");
        }
    }

    #[test]
    fn a_block_adds_its_weighted_products_once() {
        let mut block = Block::of(2, 4);
        let mut products = DMatrix::identity(2, 2);
        block.push(&[1.0, 3.0], 2.0);
        block.push(&[-1.0, 5.0], 0.5);
        block.add_to(&mut products);
        block.add_to(&mut products);
        let expected = DMatrix::from_row_slice(2, 2, &[3.5, 3.5, 3.5, 31.5]);
        assert!((products - expected).norm() < 1e-12);
    }
}
