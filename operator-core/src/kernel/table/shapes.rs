//! Groups that differ only in where their sites are. They share one table, which is made once.

use smallvec::SmallVec;

use super::pieces::{Piece, Step};
use crate::hilbert::{HilbertSpace, LocalStates};

/// All that the table of some pieces depends on, and whether it keeps to a constrained space.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Local states of the table's sites in ascending order, and the block of each if that is constrained.
    sites: Vec<(LocalStates, Option<usize>)>,
    pieces: Vec<PieceShape>,
}

/// A piece whose sites are places among those of the table.
#[derive(PartialEq, Eq, Hash)]
struct PieceShape {
    steps: SmallVec<[(usize, Step); 2]>,
    factors: SmallVec<[(usize, u32); 2]>,
    sign: SmallVec<[usize; 4]>,
    parameter: Option<usize>,
    /// The bits of the coefficient's factor.
    factor: [u64; 2],
}

impl Shape {
    /// The shape of pieces with a table over `sites`. Signs elsewhere negate the table as a whole, so they are no part
    /// of it.
    pub(super) fn new(hilbert: &HilbertSpace, sites: &[usize], pieces: &[Piece]) -> Self {
        let blocks = hilbert.blocks();
        let of_site = |&site: &usize| {
            let block = blocks.partition_point(|block| block.start + block.n_sites <= site);
            (blocks[block].local, blocks[block].total.map(|_| block))
        };
        let of_piece = |piece: &Piece| {
            let place = |site: usize| sites.binary_search(&site).ok();
            let factor = piece.coefficient.factor;
            PieceShape {
                steps: piece.steps.iter().filter_map(|&(site, step)| Some((place(site)?, step))).collect(),
                factors: (piece.factors.iter())
                    .filter_map(|&(site, table)| Some((place(site)?, table)))
                    .collect(),
                sign: piece.sign.iter().filter_map(|&site| place(site)).collect(),
                parameter: piece.coefficient.parameter.map(|parameter| parameter.index()),
                factor: [factor.re.to_bits(), factor.im.to_bits()],
            }
        };
        Shape { sites: sites.iter().map(of_site).collect(), pieces: pieces.iter().map(of_piece).collect() }
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use crate::definition::Definition;
    use crate::error::Error;
    use crate::expression::{Expression, boson, fermion};
    use crate::hilbert::{Fock, HilbertSpace, SpinOrbitalFermions};
    use crate::kernel::{Kernel, Scratch};
    use crate::terms::Terms;

    fn hop(i: usize, j: usize) -> Expression {
        (boson::create(i) * boson::destroy(j)).plus_hc()
    }

    /// Each non-zero element of a row, with its state.
    fn row(definition: &Definition, x: &[i8]) -> Vec<(Vec<i8>, Complex64)> {
        let mut elements = Vec::new();
        let engine = definition.engine::<Complex64>().unwrap();
        engine.visit(x, &mut Scratch::default(), |connected, mel| {
            let mut to = x.to_vec();
            connected.write(&mut to);
            elements.push((to, mel));
        });
        elements
    }

    /// Modes beside a boson have tables, modes alone have masks.
    #[test]
    fn equal_fermion_hops_share_a_table_but_not_their_signs() {
        let modes: HilbertSpace = SpinOrbitalFermions::new(10).unwrap().into();
        let hops: Expression = (0..4).map(|i| (fermion::create(i) * fermion::destroy(i + 6)).plus_hc()).sum();
        let alone = hops.clone().definition(modes.clone()).unwrap();
        let beside = hops.definition((modes.clone() * Fock::new(2, 1).unwrap()).unwrap()).unwrap();
        let Kernel::Table(kernel) = &*beside.engine::<f64>().unwrap().plan().kernel.clone() else {
            panic!("bosons need tables");
        };
        assert_eq!((kernel.groups.len(), kernel.row_starts.len()), (4, 1 + 4));
        for x in modes.all_states().unwrap().rows() {
            let mut x = x.to_vec();
            let expected = row(&alone, &x);
            x.push(1);
            let mut elements = row(&beside, &x);
            elements.iter_mut().for_each(|(state, _)| assert_eq!(state.pop(), Some(1)));
            assert_eq!(elements, expected, "{x:?}");
        }
    }

    #[test]
    fn a_hop_between_constrained_blocks_is_refused_though_one_within_is_known() {
        let block = || HilbertSpace::from(Fock::new(2, 2).unwrap().with_n_particles(2).unwrap());
        let space = (block() * block()).unwrap();
        let within = hop(0, 1) + hop(2, 3);
        assert_eq!(within.clone().definition(space.clone()).unwrap().max_conn_size(), 4);
        let error = (within + hop(1, 2)).definition(space).unwrap_err();
        assert!(matches!(error, Error::LeavesHilbert { .. }), "{error}");
    }

    #[test]
    fn what_is_dropped_is_counted_for_each_group() {
        let dropped = |bonds: usize| {
            let mut terms = Terms::new(Fock::new(3, 7).unwrap());
            terms.expression(1.0, &hop(0, 6)).unwrap();
            (0..bonds).for_each(|i| {
                terms.expression(1e-17, &(hop(i, i + 1) + boson::number(i) * boson::number(i + 1))).unwrap();
            });
            Definition::new("hops", terms).unwrap().dropped().count
        };
        assert!(dropped(1) > 0);
        assert_eq!(dropped(6), 6 * dropped(1));
    }
}
