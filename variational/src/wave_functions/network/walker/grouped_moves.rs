//! Moves of `ln cosh` units that are evaluated together: one or two sites, one step each.

use super::super::numbers::Real;
use super::ln_cosh::LnCosh;
use super::unit_loops::Product;
use super::{Change, step};

/// Moves of one step, and of two steps of two sites.
#[derive(Default)]
pub(super) struct GroupedMoves {
    single: Vec<Move<1>>,
    double: Vec<Move<2>>,
    products: Vec<f64>,
}

/// A move that takes `N` rows of the table.
pub(super) struct Move<const N: usize> {
    number: usize,
    /// The logarithm of the factor common to all units.
    log: f64,
    pub(super) rows: [usize; N],
}

impl GroupedMoves {
    /// The largest number of steps of a move.
    pub(super) const MAX_STEPS: f64 = 2.0;

    pub(super) fn clear(&mut self) {
        self.single.clear();
        self.double.clear();
    }

    /// Adds the move if it is of one of these kinds, and returns whether it is.
    #[inline]
    pub(super) fn push<R: Real>(
        &mut self,
        tables: &LnCosh<R>,
        x: &[i8],
        number: usize,
        changes: &[Change],
    ) -> bool {
        // The row of a single step, and the factor common to all units.
        let one_step = |change: &Change| {
            let (site, by) = (change.0, step(x, change));
            (tables.n_steps(site, by) == 1.0).then(|| (LnCosh::<R>::row(site, by), tables.log(site, by)))
        };
        match changes {
            [change] => {
                let Some((row, log)) = one_step(change) else { return false };
                self.single.push(Move { number, log, rows: [row] });
            }
            [a, b] => {
                let (Some((first, log)), Some((second, other_log))) = (one_step(a), one_step(b)) else {
                    return false;
                };
                self.double.push(Move { number, log: log + other_log, rows: [first, second] });
            }
            _ => return false,
        }
        true
    }

    /// Passes on the number of each move and the change of the units.
    pub(super) fn multiply<R: Real>(
        &mut self,
        tables: &LnCosh<R>,
        plus: &[R],
        minus: &[R],
        mut each: impl FnMut(usize, Product),
    ) {
        let GroupedMoves { single, double, products } = self;
        let (lanes, table) = (tables.lanes(), tables.factors());
        products.resize(single.len().max(double.len()), 1.0);
        lanes.products(plus, minus, table, single, products);
        pass_on(single, products, &mut each);
        lanes.products(plus, minus, table, double, products);
        pass_on(double, products, &mut each);
    }
}

fn pass_on<const N: usize>(moves: &[Move<N>], products: &[f64], each: &mut impl FnMut(usize, Product)) {
    for (&Move { number, log, .. }, &factor) in moves.iter().zip(products) {
        each(number, Product { log, factor });
    }
}
