//! Terms on two-level sites to masks.

use std::collections::HashMap;

use num_complex::Complex64;
use smallvec::SmallVec;

use super::diagonal::Diagonal;
use super::kernel::{Group, MaskKernel};
use super::occupied::OccupiedIndex;
use super::pieces::{GUARDED, Piece, Pieces};
use crate::bits::{self, SparseSet};
use crate::error::{Error, Result};
use crate::hilbert::{Block, HilbertSpace};
use crate::kernel::conservation::{Conservation, names};
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::{offset, range};
use crate::kernel::string::MaskString;
use crate::terms::{Coefficient, LocalTerm, Term, TermKind};

/// Strings that flip at most this many sites may share a table over these sites.
const MAX_FLIP_SUPPORT: usize = 4;
/// Tables over more sites than this are not built.
const MAX_SUPPORT: usize = 20;
/// Few strings become guards instead of a table if it covered more sites than this, which is the most that planes take.
const MAX_TABLE_OF_FEW: usize = 6;
/// How many are few.
const FEW: usize = 4;

/// The strings of an operator on two-level sites.
pub(crate) struct Strings(Vec<MaskString>);

impl Strings {
    /// # Errors
    /// [`Error::TooLarge`] if their masks take more than `limit` bytes.
    pub(crate) fn new(hilbert: &HilbertSpace, terms: &[Term], limit: f64) -> Result<Self> {
        let mut strings: Vec<MaskString> = Vec::with_capacity(terms.len());
        for (k, term) in terms.iter().enumerate() {
            let k = k as u32;
            match &term.kind {
                TermKind::Local(local) => push_local(local, term.coefficient, k, &mut strings),
                TermKind::Product(product) => {
                    MaskString::push_product(product, term.coefficient, k, &mut strings)?;
                }
                TermKind::Pauli(string) => strings.push(MaskString::from_pauli(string, term.coefficient, k)),
                TermKind::Fermion(string) => {
                    strings.extend(MaskString::from_fermion(hilbert, string, term.coefficient, k));
                }
            }
            // The kernel keeps a flip and a sign, and visits read another flip.
            let words = 3.0 * 8.0 * bits::n_words(hilbert.n_sites()) as f64;
            let bytes = (size_of::<MaskString>() as f64 + words) * strings.len() as f64;
            if bytes > limit {
                return Err(Error::TooLarge {
                    what: format!("masks of {} strings on {} sites", strings.len(), hilbert.n_sites()),
                    bytes,
                    limit,
                    remedy: "use fewer sites, or split the operator",
                });
            }
        }
        Ok(Strings(strings))
    }
}

pub(crate) fn build(
    hilbert: &HilbertSpace,
    terms: &[Term],
    Strings(strings): Strings,
    forms: &mut FormBuilder,
    conservation: &mut Conservation<'_>,
) -> Result<MaskKernel> {
    let (group_of, n_groups) = groups_of(&strings);
    let mut order: Vec<u32> = (0..offset(strings.len())?).collect();
    order.sort_by_key(|&s| group_of[s as usize]);
    let mut kernel = Assembler::new(hilbert);
    let mut rest = &order[..];
    for group in 0..n_groups {
        let n = rest.iter().take_while(|&&s| group_of[s as usize] == group).count();
        let (members, others) = rest.split_at(n);
        rest = others;
        let Some(&first) = members.first() else { continue };
        let flip = &strings[first as usize].flip;
        let members: SmallVec<[&MaskString; 1]> = members.iter().map(|&s| &strings[s as usize]).collect();
        let dropped = forms.dropped();
        let mut draft = |over_flips: bool| -> Result<SmallVec<[PieceDraft; 1]>> {
            forms.reset_dropped(dropped);
            let mut pieces = pieces_of_group(flip, &members, terms, over_flips, forms)?;
            for piece in &mut pieces {
                check_conserves(hilbert, flip, piece, terms, conservation)?;
            }
            pieces.retain(|piece| piece.forms_mut().next().is_some());
            Ok(pieces)
        };
        let n_flips = flip.count();
        let pieces = match draft(n_flips <= MAX_FLIP_SUPPORT) {
            // Strings that each leave the space may keep it when joined in a table, for example those of a
            // power of XX + YY.
            Err(error @ Error::LeavesHilbert { .. })
                if n_flips > MAX_FLIP_SUPPORT && n_flips <= MAX_SUPPORT =>
            {
                draft(true).map_err(|_| error)?
            }
            pieces => pieces?,
        };
        kernel.push_group(flip, &pieces, forms)?;
    }
    Ok(kernel.finish(hilbert))
}

/// The group of each string, and the number of groups. Group 0 is the diagonal; the others are numbered in order of
/// first appearance.
fn groups_of(strings: &[MaskString]) -> (Vec<u32>, u32) {
    let mut groups: HashMap<&SparseSet, u32> = HashMap::new();
    let diagonal = SparseSet::default();
    groups.insert(&diagonal, 0);
    let mut group_of = Vec::with_capacity(strings.len());
    for string in strings {
        let next = groups.len() as u32;
        group_of.push(*groups.entry(&string.flip).or_insert(next));
    }
    (group_of, groups.len() as u32)
}

/// One string for each non-zero matrix element. Its guard is the whole row.
fn push_local(local: &LocalTerm, coefficient: Coefficient, term: u32, out: &mut Vec<MaskString>) {
    let sites = local.sites();
    let as_set = |index: usize| -> SparseSet {
        let set = sites.iter().rev().enumerate().filter(|(k, _)| index >> k & 1 == 1);
        set.map(|(_, &site)| site).collect()
    };
    let guard = as_set(usize::MAX);
    for ((row, col), &value) in local.matrix().indexed_iter() {
        if value != Complex64::new(0.0, 0.0) {
            out.push(MaskString {
                flip: as_set(row ^ col),
                guard: guard.clone(),
                guard_value: as_set(row),
                sign: SparseSet::default(),
                coefficient: Coefficient { factor: coefficient.factor * value, ..coefficient },
                term,
            });
        }
    }
}

/// A piece under construction: the strings of one group with equal support and equal signs elsewhere.
struct PieceDraft {
    support: SmallVec<[usize; 4]>,
    sign: SparseSet,
    table: DraftTable,
    /// The terms that contribute.
    terms: SmallVec<[u32; 2]>,
}

enum DraftTable {
    /// A form for each value of the support's bits.
    Full(Vec<Form>),
    /// One form, if the support's bits have the values in the set.
    Guard(SparseSet, Form),
}

impl PieceDraft {
    /// The forms that are not zero, each with the bits of the support as a set.
    fn forms_mut(&mut self) -> impl Iterator<Item = (Bits<'_>, &mut Form)> {
        let (support, table) = (&self.support[..], &mut self.table);
        let (full, guard) = match table {
            DraftTable::Full(table) => (&mut table[..], None),
            DraftTable::Guard(value, form) => (&mut [][..], Some((Bits::Set(support, value), form))),
        };
        let full = full.iter_mut().enumerate().map(move |(index, form)| (Bits::Index(support, index), form));
        full.chain(guard).filter(|(_, form)| !form.is_zero())
    }
}

/// The bits of the sites of a support.
#[derive(Clone, Copy)]
enum Bits<'a> {
    Index(&'a [usize], usize),
    Set(&'a [usize], &'a SparseSet),
}

impl Bits<'_> {
    /// The sites that are set.
    fn ones(self) -> impl Iterator<Item = usize> {
        let (Bits::Index(support, _) | Bits::Set(support, _)) = self;
        let is_set = move |k: usize| match self {
            Bits::Index(_, index) => index >> k & 1 == 1,
            Bits::Set(support, set) => set.contains(support[k]),
        };
        (0..support.len()).filter(move |&k| is_set(k)).map(move |k| support[k])
    }
}

fn pieces_of_group(
    flip: &SparseSet,
    members: &[&MaskString],
    terms: &[Term],
    table_over_flips: bool,
    forms: &mut FormBuilder,
) -> Result<SmallVec<[PieceDraft; 1]>> {
    let mut pieces: SmallVec<[PieceDraft; 1]> = SmallVec::new();
    // In a long sum of Pauli strings most are alone in their group and need no classes.
    if let [string] = members
        && string.guard.is_empty()
    {
        pieces.push(pure_sign(string));
    } else {
        for (support, sign, strings) in classes(flip, members, table_over_flips) {
            match strings[..] {
                // A lone Pauli string is cheaper as one sign than as a table.
                [string] if string.guard.is_empty() => pieces.push(pure_sign(string)),
                _ if are_guards(&support, &strings) => pieces.extend(guards(&support, &sign, &strings)),
                _ => pieces.push(with_table(&support, sign, &strings, terms)?),
            }
        }
    }
    for piece in &mut pieces {
        piece.forms_mut().for_each(|(_, form)| forms.trim(form));
    }
    pieces.retain(|piece| piece.forms_mut().next().is_some());
    Ok(pieces)
}

/// A support, a sign mask outside it, and the strings that have both.
type Class<'a> = (SparseSet, SparseSet, Vec<&'a MaskString>);

fn classes<'a>(flip: &SparseSet, members: &[&'a MaskString], over_flips: bool) -> Vec<Class<'a>> {
    let mut keyed: HashMap<(SparseSet, SparseSet), usize> = HashMap::new();
    let mut classes: Vec<Class<'a>> = Vec::new();
    for &string in members {
        let support = if over_flips { string.guard.or(flip) } else { string.guard.clone() };
        let sign = string.sign.without(&support);
        let next = classes.len();
        match keyed.entry((support.clone(), sign.clone())) {
            std::collections::hash_map::Entry::Occupied(entry) => classes[*entry.get()].2.push(string),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(next);
                classes.push((support, sign, vec![string]));
            }
        }
    }
    classes
}

/// Whether to keep the strings of a class as guards: if their table would be large and they are few.
fn are_guards(support: &SparseSet, strings: &[&MaskString]) -> bool {
    let n = support.count();
    n > MAX_TABLE_OF_FEW
        && (strings.len() <= FEW || n > MAX_SUPPORT)
        && strings.iter().all(|string| string.guard == *support)
}

/// A piece for each value of the guards.
fn guards(support: &SparseSet, sign: &SparseSet, strings: &[&MaskString]) -> Vec<PieceDraft> {
    let mut by_value: Vec<(&SparseSet, PieceDraft)> = Vec::new();
    let mut places: HashMap<&SparseSet, usize> = HashMap::new();
    for string in strings {
        let place = *places.entry(&string.guard_value).or_insert(by_value.len());
        if place == by_value.len() {
            let draft = PieceDraft {
                support: support.sites().collect(),
                sign: sign.clone(),
                table: DraftTable::Guard(string.guard_value.clone(), Form::default()),
                terms: SmallVec::new(),
            };
            by_value.push((&string.guard_value, draft));
        }
        let draft = &mut by_value[place].1;
        let inside = string.guard_value.odd_overlap(&string.sign);
        if let DraftTable::Guard(_, form) = &mut draft.table {
            form.add(string.coefficient, Complex64::from(if inside { -1.0 } else { 1.0 }));
        }
        draft.terms.push(string.term);
    }
    by_value.into_iter().map(|(_, draft)| draft).collect()
}

fn pure_sign(string: &MaskString) -> PieceDraft {
    let mut form = Form::default();
    form.add(string.coefficient, Complex64::new(1.0, 0.0));
    PieceDraft {
        support: SmallVec::new(),
        sign: string.sign.clone(),
        table: DraftTable::Full(vec![form]),
        terms: SmallVec::from_iter([string.term]),
    }
}

fn with_table(
    support: &SparseSet,
    sign: SparseSet,
    strings: &[&MaskString],
    terms: &[Term],
) -> Result<PieceDraft> {
    let sites: SmallVec<[usize; 4]> = support.sites().collect();
    if sites.len() > MAX_SUPPORT {
        return Err(Error::TooLarge {
            what: format!(
                "the table of {}, which depends on {} sites,",
                terms[strings[0].term as usize].kind,
                sites.len()
            ),
            bytes: 4.0 * 2f64.powi(sites.len() as i32),
            limit: 4.0 * 2f64.powi(MAX_SUPPORT as i32),
            remedy: "write it as a product or a sum of shorter terms",
        });
    }
    let mut table = vec![Form::default(); 1 << sites.len()];
    for string in strings {
        for (index, parity) in string.rows(&sites) {
            table[index].add(string.coefficient, parity);
        }
    }
    let terms = strings.iter().map(|string| string.term).collect();
    Ok(PieceDraft { support: sites, sign, table: DraftTable::Full(table), terms })
}

/// Rejects a piece that takes an allowed configuration out of a constrained block.
fn check_conserves(
    hilbert: &HilbertSpace,
    flip: &SparseSet,
    piece: &mut PieceDraft,
    terms: &[Term],
    conservation: &mut Conservation<'_>,
) -> Result<()> {
    for block in hilbert.blocks() {
        let Some(total) = block.total else { continue };
        let inside = |site: usize| block.sites().contains(&site);
        let n_flips = flip.sites().filter(|&site| inside(site)).count();
        if n_flips == 0 {
            continue;
        }
        let support = piece.support.clone();
        let free_flips = flip.sites().filter(|&site| inside(site) && !support.contains(&site)).count();
        let n_known = support.iter().filter(|&&site| inside(site)).count() + free_flips;
        let of = piece.terms.clone();
        for (bits_of, form) in piece.forms_mut() {
            let ones = bits_of.ones().filter(|&site| inside(site)).count();
            let flipped_ones = bits_of.ones().filter(|&site| inside(site) && flip.contains(site)).count();
            let leaves = |&free_ones: &usize| {
                let reachable = total
                    .checked_sub(ones + free_ones)
                    .is_some_and(|outside| outside <= block.n_sites - n_known);
                reachable && 2 * (flipped_ones + free_ones) != n_flips
            };
            if let Some(free_ones) = (0..=free_flips).find(leaves) {
                let set: Vec<usize> = bits_of.ones().collect();
                conservation.judge(form, hilbert, || {
                    let [from, to] = quantum_numbers(block, flip, &support, &set, free_ones);
                    [names(terms, &of), from, to]
                })?;
            }
        }
    }
    Ok(())
}

/// The quantum numbers of the flipped sites of a block, before and after.
fn quantum_numbers(
    block: &Block,
    flip: &SparseSet,
    support: &[usize],
    set: &[usize],
    mut free_ones: usize,
) -> [String; 2] {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for site in flip.sites().filter(|site| block.sites().contains(site)) {
        let bit = match support.contains(&site) {
            true => usize::from(set.contains(&site)),
            false if free_ones > 0 => {
                free_ones -= 1;
                1
            }
            false => 0,
        };
        // The bit is that of the row x of <x|O|x'>, and O takes x' to x.
        from.push(format!("{} at site {site}", block.local.value(1 - bit)));
        to.push(block.local.value(bit).to_string());
    }
    [from.join(" and "), to.join(" and ")]
}

/// Lays drafts out in the kernel's arrays.
struct Assembler {
    kernel: MaskKernel,
    tables: HashMap<SmallVec<[u32; 4]>, u32>,
}

impl Assembler {
    fn new(hilbert: &HilbertSpace) -> Self {
        let mirror = (0..hilbert.n_sites()).map(|site| {
            let local = hilbert.local(site);
            local.value(0) + local.value(1)
        });
        let kernel = MaskKernel {
            blocks: hilbert.blocks().to_vec(),
            mirror: mirror.collect(),
            pieces: Pieces::new(bits::n_words(hilbert.n_sites())),
            n_diagonal: 0,
            diagonal: Diagonal::default(),
            groups: Vec::new(),
            flips: Vec::new(),
            occupied: None,
        };
        Assembler { kernel, tables: HashMap::new() }
    }

    fn push_group(&mut self, flip: &SparseSet, pieces: &[PieceDraft], forms: &mut FormBuilder) -> Result<()> {
        if pieces.is_empty() {
            return Ok(());
        }
        let first = offset(self.kernel.pieces.list.len())?;
        for piece in pieces {
            self.push_piece(piece, forms)?;
        }
        let pieces = (first, offset(self.kernel.pieces.list.len())?);
        if flip.is_empty() {
            self.kernel.n_diagonal = pieces.1;
            return Ok(());
        }
        let start = offset(self.kernel.flips.len())?;
        self.kernel.flips.extend(flip.sites().map(|site| site as u32));
        let flips = (start, offset(self.kernel.flips.len())?);
        self.kernel.groups.push(Group { flips, pieces });
        Ok(())
    }

    fn push_piece(&mut self, piece: &PieceDraft, forms: &mut FormBuilder) -> Result<()> {
        let slots: SmallVec<[u32; 4]> = match &piece.table {
            DraftTable::Full(table) => table.iter().map(|form| forms.slot(form)).collect(),
            DraftTable::Guard(_, form) => SmallVec::from_slice(&[0, forms.slot(form)]),
        };
        let n_words = bits::n_words(self.kernel.mirror.len());
        let pieces = &mut self.kernel.pieces;
        let next = offset(pieces.tables.len())?;
        let table = match self.tables.get(&slots) {
            Some(&known) => known,
            None => {
                pieces.tables.extend_from_slice(&slots);
                self.tables.insert(slots, next);
                next
            }
        };
        let (support, n_support) = match &piece.table {
            DraftTable::Full(_) => (offset(pieces.support.len())?, piece.support.len() as u8),
            DraftTable::Guard(..) => (offset(pieces.guards.len())?, GUARDED),
        };
        pieces.list.push(Piece {
            table,
            support,
            first_two: std::array::from_fn(|k| piece.support.get(k).map_or(0, |&site| site as u32)),
            n_support,
            has_sign: !piece.sign.is_empty(),
        });
        match &piece.table {
            DraftTable::Full(_) => pieces.support.extend(piece.support.iter().map(|&site| site as u32)),
            DraftTable::Guard(value, _) => {
                let sites: SparseSet = piece.support.iter().copied().collect();
                pieces.guards.extend_from_slice(&sites.to_dense(n_words));
                pieces.guards.extend_from_slice(&value.to_dense(n_words));
            }
        }
        pieces.signs.extend_from_slice(&piece.sign.to_dense(n_words));
        Ok(())
    }

    fn finish(mut self, hilbert: &HilbertSpace) -> MaskKernel {
        let kernel = &mut self.kernel;
        kernel.diagonal = Diagonal::build(&kernel.pieces, kernel.n_diagonal);
        let groups = kernel.groups.iter().map(|group| (&kernel.flips[range(group.flips)], group.pieces));
        kernel.occupied = OccupiedIndex::build(hilbert, &kernel.pieces, groups);
        self.kernel
    }
}
