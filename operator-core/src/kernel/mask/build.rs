//! Terms on two-level sites to masks.

use std::collections::HashMap;

use num_complex::Complex64;
use smallvec::SmallVec;

use super::diagonal::Diagonal;
use super::kernel::{Group, MaskKernel};
use super::occupied::OccupiedIndex;
use super::pieces::{Piece, Pieces};
use crate::bits::{self, SiteSet};
use crate::error::{Error, Result};
use crate::hilbert::{Block, HilbertSpace};
use crate::kernel::forms::{Form, FormBuilder};
use crate::kernel::offsets::{offset, range};
use crate::kernel::string::MaskString;
use crate::terms::{Coefficient, LocalTerm, Term, TermKind};

/// Strings that flip at most this many sites may share a table over these sites.
const MAX_FLIP_SUPPORT: usize = 4;
/// Tables over more sites than this are not built.
const MAX_SUPPORT: usize = 20;

pub(crate) fn build(hilbert: &HilbertSpace, terms: &[Term], forms: &mut FormBuilder) -> Result<MaskKernel> {
    let (strings, group_of, n_groups) = collect_strings(hilbert, terms);
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
        let draft = |over_flips: bool| -> Result<SmallVec<[PieceDraft; 1]>> {
            let pieces = pieces_of_group(flip, &members, terms, over_flips)?;
            pieces.iter().try_for_each(|piece| check_conserves(hilbert, flip, piece, terms))?;
            Ok(pieces)
        };
        let n_flips = bits::count(flip);
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

/// All strings, the group of each, and the number of groups. Group 0 is the diagonal; the others are numbered
/// in order of first appearance.
fn collect_strings(hilbert: &HilbertSpace, terms: &[Term]) -> (Vec<MaskString>, Vec<u32>, u32) {
    let n_words = bits::n_words(hilbert.n_sites());
    let mut strings = Vec::with_capacity(terms.len());
    for (k, term) in terms.iter().enumerate() {
        let k = k as u32;
        match &term.kind {
            TermKind::Local(local) => push_local(local, term.coefficient, k, n_words, &mut strings),
            TermKind::Pauli(string) => strings.push(MaskString::from_pauli(string, term.coefficient, k)),
            TermKind::Fermion(string) => {
                strings.extend(MaskString::from_fermion(hilbert, string, term.coefficient, k));
            }
        }
    }
    let mut groups: HashMap<&SiteSet, u32> = HashMap::new();
    let diagonal = bits::empty(n_words);
    groups.insert(&diagonal, 0);
    let group_of = strings
        .iter()
        .map(|string| {
            let next = groups.len() as u32;
            *groups.entry(&string.flip).or_insert(next)
        })
        .collect();
    let n_groups = groups.len() as u32;
    drop(groups);
    (strings, group_of, n_groups)
}

/// One string for each non-zero matrix element. Its guard is the whole row.
fn push_local(
    local: &LocalTerm,
    coefficient: Coefficient,
    term: u32,
    n_words: usize,
    out: &mut Vec<MaskString>,
) {
    let sites = local.sites();
    let as_set = |index: usize| {
        let mut set = bits::empty(n_words);
        for (k, &site) in sites.iter().rev().enumerate() {
            if index >> k & 1 == 1 {
                bits::insert(&mut set, site);
            }
        }
        set
    };
    let guard = as_set(usize::MAX);
    for ((row, col), &value) in local.matrix().indexed_iter() {
        if value != Complex64::new(0.0, 0.0) {
            out.push(MaskString {
                flip: as_set(row ^ col),
                guard: guard.clone(),
                guard_value: as_set(row),
                sign: bits::empty(n_words),
                coefficient: Coefficient { factor: coefficient.factor * value, ..coefficient },
                term,
            });
        }
    }
}

/// A piece under construction: the strings of one group with equal support and equal signs elsewhere.
struct PieceDraft {
    support: SmallVec<[usize; 4]>,
    sign: SiteSet,
    table: Vec<Form>,
    term: u32,
}

fn pieces_of_group(
    flip: &SiteSet,
    members: &[&MaskString],
    terms: &[Term],
    table_over_flips: bool,
) -> Result<SmallVec<[PieceDraft; 1]>> {
    // In a long sum of Pauli strings most are alone in their group and need no classes.
    if let [string] = members
        && bits::is_empty(&string.guard)
    {
        let draft = pure_sign(string);
        return Ok(Some(draft).filter(|draft| !draft.table[0].is_zero()).into_iter().collect());
    }
    let mut keyed: HashMap<(SiteSet, SiteSet), usize> = HashMap::new();
    let mut classes: Vec<(SiteSet, SiteSet, Vec<&MaskString>)> = Vec::new();
    for &string in members {
        let mut support = string.guard.clone();
        if table_over_flips {
            support.iter_mut().zip(flip).for_each(|(s, f)| *s |= f);
        }
        let sign: SiteSet = string.sign.iter().zip(&support).map(|(sign, s)| sign & !s).collect();
        let next = classes.len();
        match keyed.entry((support.clone(), sign.clone())) {
            std::collections::hash_map::Entry::Occupied(entry) => classes[*entry.get()].2.push(string),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(next);
                classes.push((support, sign, vec![string]));
            }
        }
    }
    let mut pieces = SmallVec::new();
    for (support, sign, strings) in classes {
        let draft = match strings[..] {
            // A lone Pauli string is cheaper as one sign than as a table.
            [string] if bits::is_empty(&string.guard) => pure_sign(string),
            _ => with_table(&support, sign, &strings, terms)?,
        };
        if draft.table.iter().any(|form| !form.is_zero()) {
            pieces.push(draft);
        }
    }
    Ok(pieces)
}

fn pure_sign(string: &MaskString) -> PieceDraft {
    let mut form = Form::default();
    form.add(string.coefficient, Complex64::new(1.0, 0.0));
    PieceDraft { support: SmallVec::new(), sign: string.sign.clone(), table: vec![form], term: string.term }
}

fn with_table(
    support: &SiteSet,
    sign: SiteSet,
    strings: &[&MaskString],
    terms: &[Term],
) -> Result<PieceDraft> {
    let sites: SmallVec<[usize; 4]> = bits::sites(support).collect();
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
    Ok(PieceDraft { support: sites, sign, table, term: strings[0].term })
}

/// Rejects a piece that takes an allowed configuration out of a constrained block.
fn check_conserves(hilbert: &HilbertSpace, flip: &SiteSet, piece: &PieceDraft, terms: &[Term]) -> Result<()> {
    for block in hilbert.blocks() {
        let Some(total) = block.total else { continue };
        let inside = |site: usize| (block.start..block.start + block.n_sites).contains(&site);
        let n_flips = bits::sites(flip).filter(|&site| inside(site)).count();
        if n_flips == 0 {
            continue;
        }
        let free_flips =
            bits::sites(flip).filter(|&site| inside(site) && !piece.support.contains(&site)).count();
        let n_known = piece.support.iter().filter(|&&site| inside(site)).count() + free_flips;
        for (index, form) in piece.table.iter().enumerate() {
            if form.is_zero() {
                continue;
            }
            let set = |k: usize| index >> k & 1;
            let ones: usize = (0..piece.support.len()).filter(|&k| inside(piece.support[k])).map(set).sum();
            let flipped_ones: usize = (0..piece.support.len())
                .filter(|&k| inside(piece.support[k]) && bits::contains(flip, piece.support[k]))
                .map(set)
                .sum();
            for free_ones in 0..=free_flips {
                let reachable = total
                    .checked_sub(ones + free_ones)
                    .is_some_and(|outside| outside <= block.n_sites - n_known);
                if reachable && 2 * (flipped_ones + free_ones) != n_flips {
                    return Err(leaves(hilbert, block, flip, piece, index, free_ones, terms));
                }
            }
        }
    }
    Ok(())
}

fn leaves(
    hilbert: &HilbertSpace,
    block: &Block,
    flip: &SiteSet,
    piece: &PieceDraft,
    index: usize,
    mut free_ones: usize,
    terms: &[Term],
) -> Error {
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for site in bits::sites(flip).filter(|site| (block.start..block.start + block.n_sites).contains(site)) {
        let bit = match piece.support.iter().position(|&s| s == site) {
            Some(k) => index >> k & 1,
            None if free_ones > 0 => {
                free_ones -= 1;
                1
            }
            None => 0,
        };
        // The bit is that of the row x of <x|O|x'>, and O takes x' to x.
        from.push(format!("{} at site {site}", block.local.value(1 - bit)));
        to.push(block.local.value(bit).to_string());
    }
    Error::LeavesHilbert {
        term: terms[piece.term as usize].kind.described(),
        hilbert: hilbert.to_string(),
        from: from.join(" and "),
        to: to.join(" and "),
    }
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

    fn push_group(&mut self, flip: &SiteSet, pieces: &[PieceDraft], forms: &mut FormBuilder) -> Result<()> {
        if pieces.is_empty() {
            return Ok(());
        }
        let first = offset(self.kernel.pieces.list.len())?;
        for piece in pieces {
            self.push_piece(piece, forms)?;
        }
        let pieces = (first, offset(self.kernel.pieces.list.len())?);
        if bits::is_empty(flip) {
            self.kernel.n_diagonal = pieces.1;
            return Ok(());
        }
        let start = offset(self.kernel.flips.len())?;
        self.kernel.flips.extend(bits::sites(flip).map(|site| site as u32));
        let flips = (start, offset(self.kernel.flips.len())?);
        self.kernel.groups.push(Group { flips, pieces });
        Ok(())
    }

    fn push_piece(&mut self, piece: &PieceDraft, forms: &mut FormBuilder) -> Result<()> {
        let slots: SmallVec<[u32; 4]> = piece.table.iter().map(|form| forms.slot(form)).collect();
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
        pieces.list.push(Piece {
            table,
            support: offset(pieces.support.len())?,
            first_two: std::array::from_fn(|k| piece.support.get(k).map_or(0, |&site| site as u32)),
            n_support: piece.support.len() as u8,
            has_sign: !bits::is_empty(&piece.sign),
        });
        pieces.support.extend(piece.support.iter().map(|&site| site as u32));
        pieces.signs.extend_from_slice(&piece.sign);
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
