//! What table entries add to a row.
//!
//! A hop moves a particle between two sites, whatever their occupation. So the entries of a group set many
//! different values but add only a few different steps. Each row is therefore the sample's row plus one of the
//! group's few step rows. Edits, which have to wait until a row is written, are not needed.

use super::row_writer::{Change, Layout};
use crate::element::Element;
use crate::kernel::offsets::range;
use crate::kernel::table::{MAX_WIDTH, TableKernel, TableList, parts};

/// The most distinct steps of a group; two bits name them.
const MAX_STEPS: usize = 4;
/// The most bytes for all step rows, so that they stay in a nearby cache.
const MAX_BYTES: usize = 1 << 19;
/// The most table rows to inspect.
const MAX_WORK: usize = 1 << 22;
/// An entry that no group uses so far.
const UNKNOWN: u8 = u8::MAX;

/// What an entry adds to the sites that its group changes.
type Step = [i8; MAX_WIDTH];

/// The steps of all groups as rows, `1 << bits` for each group.
#[derive(Debug)]
pub(crate) struct RowSteps {
    rows: Vec<i8>,
    bits: u32,
    /// For each entry, the number of its step in its group.
    numbers: Vec<u8>,
}

impl RowSteps {
    /// `None` if a group has too many steps, a step group flips sites, or the tables are too large.
    pub(crate) fn new<T: Element>(kernel: &TableKernel, list: &TableList<T>, n_sites: usize) -> Option<Self> {
        let layout = Layout::of(n_sites);
        let mut numbers = vec![UNKNOWN; list.n_entries()];
        let moves = || kernel.steps.iter().map(|step| kernel.moves_of(step));
        if moves().any(|(_, moves)| moves.iter().any(|change| change.negate)) {
            return None;
        }
        let mut steps = Vec::with_capacity(kernel.groups.len());
        let mut work = 0;
        for g in 0..kernel.groups.len() {
            work += kernel.n_rows(&kernel.groups[g].lookup);
            if work > MAX_WORK {
                return None;
            }
            steps.push(steps_of(kernel, list, g, &mut numbers)?);
        }
        let most = steps.iter().map(|steps| steps.iter().flatten().count()).max().unwrap_or(0);
        let bits = most.next_power_of_two().ilog2();
        let n_rows = kernel.n_groups() << bits;
        if n_rows * layout.len() > MAX_BYTES {
            return None;
        }
        let mut rows = Vec::with_capacity(n_rows * layout.len());
        let mut row = vec![0; n_sites];
        for (group, steps) in kernel.groups.iter().zip(&steps) {
            for step in &steps[..1 << bits] {
                row.fill(0);
                let sites = &kernel.changed[range(group.changed)];
                let step = step.unwrap_or_default();
                sites.iter().zip(step).for_each(|(&site, by)| row[site as usize] = by);
                layout.push(&row, &mut rows);
            }
        }
        for (sites, moves) in moves() {
            row.fill(0);
            sites.iter().zip(moves).for_each(|(&site, change)| row[site as usize] = change.offset);
            (0..1 << bits).for_each(|_| layout.push(&row, &mut rows));
        }
        // The entry of all step groups, which follows those of the list.
        numbers.push(0);
        Some(RowSteps { rows, bits, numbers })
    }
}

/// The steps of one group. Groups share entries, so a step keeps the number that earlier groups gave it.
fn steps_of<T: Element>(
    kernel: &TableKernel,
    list: &TableList<T>,
    g: usize,
    numbers: &mut [u8],
) -> Option<[Option<Step>; MAX_STEPS]> {
    let group = &kernel.groups[g];
    let lookup = &group.lookup;
    let (sites, strides) = (&kernel.sites[range(lookup.sites)], &kernel.strides[range(lookup.sites)]);
    let changed = &kernel.changed[range(group.changed)];
    // For each changed site, its stride and local states. A table covers all sites that it changes.
    let read: Vec<_> = (changed.iter())
        .map(|site| {
            let k = sites.iter().position(|other| other == site)?;
            Some((strides[k] as usize, kernel.local(*site as usize)))
        })
        .collect::<Option<_>>()?;
    let mut steps = [None; MAX_STEPS];
    for row in 0..kernel.n_rows(lookup) {
        for entry in list.entries_of(g, row) {
            let mut step = Step::default();
            for ((by, new), (stride, local)) in step.iter_mut().zip(list.values()[entry]).zip(&read) {
                *by = new.wrapping_sub(local.value(row / stride % local.len));
            }
            let number = &mut numbers[entry];
            if *number == UNKNOWN {
                let place = steps.iter().position(|known| known.is_none_or(|known| known == step));
                *number = place? as u8;
            }
            let known = steps[usize::from(*number)].get_or_insert(step);
            if *known != step {
                return None;
            }
        }
    }
    Some(steps)
}

impl Change for RowSteps {
    #[inline(always)]
    fn masks(&self) -> &[i8] {
        &self.rows
    }

    #[inline(always)]
    fn mask_of(&self, item: u64) -> usize {
        let (group, entry) = parts(item);
        (group << self.bits) + usize::from(self.numbers[entry])
    }

    #[inline(always)]
    fn combine(q: i8, by: i8) -> i8 {
        q.wrapping_add(by)
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::Definition;
    use crate::graph::{Boundary, Graph};
    use crate::hilbert::{Fock, HilbertSpace, Spin};
    use crate::kernel::{Found, Scratch};
    use crate::models::BoseHubbard;
    use crate::terms::{Terms, real_matrix};

    /// Writes the rows of all states, with and without steps, and compares them with the visited ones.
    fn check(definition: &Definition, has_steps: bool) {
        let (hilbert, engine) = (definition.hilbert(), definition.engine::<f64>().unwrap());
        let (states, mut scratch) = (hilbert.all_states().unwrap(), Scratch::default());
        let (mut expected, mut n_conn) = (Vec::new(), vec![0; states.nrows()]);
        for (x, n_conn) in states.rows().into_iter().zip(&mut n_conn) {
            engine.visit(x.as_slice().unwrap(), &mut scratch, |connected, _| {
                let mut row = x.to_vec();
                connected.write(&mut row);
                expected.extend(row);
                *n_conn += 1;
            });
        }
        let (mut found, mut counts) = (Found::default(), vec![0; states.nrows()]);
        let rows = states.as_slice().unwrap();
        engine.find(rows, &mut counts, &mut found);
        assert_eq!(counts, n_conn);
        let (mut written, mut mels) = (vec![0; expected.len()], vec![0.0; n_conn.iter().sum()]);
        engine.write(rows, &found, &mut written, &mut mels);
        assert_eq!(written, expected);
        assert_eq!(engine.plan().row_steps.get().is_some_and(Option::is_some), has_steps, "{definition}");
    }

    #[test]
    fn particles_hop_by_the_same_step_from_sites_of_any_number() {
        let graph = Graph::chain(4, Boundary::Periodic).unwrap();
        let space = Fock::new(3, 4).unwrap().with_n_particles(5).unwrap();
        check(&Definition::of(&BoseHubbard::new(space, &graph, 1.0).unwrap()).unwrap(), true);
    }

    /// A matrix that lowers a site cyclically, n to n − 1 and 0 to the highest.
    #[test]
    fn groups_share_entries_on_spaces_of_other_quantum_numbers() {
        let lower = real_matrix([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.5, 0.0, 0.0]]);
        let factors: [HilbertSpace; 2] = [Fock::new(2, 2).unwrap().into(), Spin::new(1.0, 2).unwrap().into()];
        let mut terms = Terms::new(HilbertSpace::tensor(factors).unwrap());
        for site in 0..4 {
            terms.local(1.0, &[site], lower.clone()).unwrap();
        }
        check(&Definition::new("cyclic", terms).unwrap(), true);
    }

    /// One entry a row, each with its own step.
    #[test]
    fn groups_of_many_steps_are_edited() {
        let mut mirror = [[0.0; 7]; 7];
        (0..7).for_each(|n| mirror[n][6 - n] = 1.0 + n as f64);
        let mut terms = Terms::new(Fock::new(6, 3).unwrap());
        for site in 0..3 {
            terms.local(1.0, &[site], real_matrix(mirror)).unwrap();
        }
        check(&Definition::new("mirror", terms).unwrap(), false);
    }
}
