//! Groups that are too large for one table, split by the steps that their elements make.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use smallvec::SmallVec;

use super::build::{Collected, digits_of, dims, leaves};
use super::pieces::{FactorTables, Step};
use crate::error::{Error, Result};
use crate::hilbert::{Block, HilbertSpace};
use crate::kernel::conservation::{Conservation, names};
use crate::kernel::forms::{Form, FormBuilder};
use crate::terms::Term;

/// The most forms in the tables of one group.
const MAX_FORMS: usize = 1 << 22;

/// The elements that change some sites by given steps: each configuration has at most one x' and one element, a sum
/// of tables and products.
#[derive(Default)]
pub(super) struct StepDraft {
    pub(super) steps: Vec<(usize, Step)>,
    /// By sites and sign set.
    pub(super) tables: BTreeMap<(Vec<usize>, Vec<usize>), StepTable>,
    pub(super) products: Vec<StepProduct>,
    known: HashMap<(Factors, Vec<usize>), usize>,
}

/// Sites and the numbers of their functions.
type Factors = SmallVec<[(usize, u32); 2]>;

/// Forms by the digits of some sites.
pub(super) struct StepTable {
    pub(super) forms: Vec<Form>,
    terms: BTreeSet<u32>,
}

/// A form times functions of single digits, negated if the digits on `sign` have an odd sum.
pub(super) struct StepProduct {
    pub(super) factors: Factors,
    pub(super) sign: Vec<usize>,
    pub(super) form: Form,
    terms: BTreeSet<u32>,
}

/// Splits a group by steps, in order of first appearance. Products of the same functions are merged.
///
/// # Errors
/// [`Error::TooLarge`] for matrices with too many steps.
pub(super) fn by_steps(
    hilbert: &HilbertSpace,
    changed: &[usize],
    group: Collected,
    forms: &mut FormBuilder,
) -> Result<Vec<StepDraft>> {
    let mut split = Split::default();
    for piece in group.pieces {
        let draft = split.draft(piece.steps.to_vec());
        let product = draft.product(piece.factors, piece.sign);
        product.form.add(piece.coefficient, 1.0.into());
        product.terms.insert(piece.term);
    }
    let changed_dims = dims(hilbert, changed);
    let mut n_forms = 0;
    for ((sites, sign), member) in group.members {
        let member_dims = dims(hilbert, &sites);
        let n_rows: usize = member_dims.iter().product();
        let place: Vec<usize> = changed.iter().filter_map(|site| sites.binary_search(site).ok()).collect();
        for ((row, target), form) in member.elements {
            let (old, new) = (digits_of(row, &member_dims), digits_of(target as usize, &changed_dims));
            let step = |k: usize| (changed[k], Step::between(changed_dims[k], old[place[k]], new[k]));
            let draft = split.draft((0..changed.len()).map(step).collect());
            let table = draft.tables.entry((sites.clone(), sign.clone())).or_insert_with(|| {
                n_forms += n_rows;
                StepTable { forms: vec![Form::default(); n_rows], terms: BTreeSet::new() }
            });
            table.forms[row].add_form(&form, false);
            table.terms.extend(&member.terms);
            if n_forms > MAX_FORMS {
                return Err(Error::TooLarge {
                    what: format!("the tables of matrices on sites {sites:?}"),
                    bytes: (n_forms * size_of::<Form>()) as f64,
                    limit: (MAX_FORMS * size_of::<Form>()) as f64,
                    remedy: "write them as sums of products of matrices on single sites",
                });
            }
        }
    }
    for draft in &mut split.drafts {
        draft.tables.values_mut().flat_map(|table| &mut table.forms).for_each(|form| forms.trim(form));
        draft.products.iter_mut().for_each(|product| forms.trim(&mut product.form));
    }
    Ok(split.drafts)
}

#[derive(Default)]
struct Split {
    drafts: Vec<StepDraft>,
    known: HashMap<Vec<(usize, Step)>, usize>,
}

impl Split {
    fn draft(&mut self, steps: Vec<(usize, Step)>) -> &mut StepDraft {
        let next = self.drafts.len();
        let place = *self.known.entry(steps.clone()).or_insert(next);
        if place == next {
            self.drafts.push(StepDraft { steps, ..StepDraft::default() });
        }
        &mut self.drafts[place]
    }
}

impl StepDraft {
    /// The product of these functions and signs.
    fn product(&mut self, factors: Factors, sign: Vec<usize>) -> &mut StepProduct {
        let next = self.products.len();
        let place = *self.known.entry((factors.clone(), sign.clone())).or_insert(next);
        if place == next {
            self.products.push(StepProduct { factors, sign, form: Form::default(), terms: BTreeSet::new() });
        }
        &mut self.products[place]
    }

    /// The sites that change.
    pub(super) fn changed(&self) -> Vec<usize> {
        self.steps.iter().map(|&(site, _)| site).collect()
    }

    /// Rejects the group if it takes an allowed configuration out of a constrained block. Signs do not matter here,
    /// since they make no element 0.
    pub(super) fn check_conserves(
        &mut self,
        hilbert: &HilbertSpace,
        functions: &FactorTables,
        terms: &[Term],
        conservation: &mut Conservation<'_>,
    ) -> Result<()> {
        let changed = self.changed();
        for block in hilbert.blocks().iter().filter(|block| block.total.is_some()) {
            let check = Check { hilbert, block, steps: &self.steps };
            if !changed.iter().any(|site| block.sites().contains(site)) {
                continue;
            }
            for ((sites, _), table) in &mut self.tables {
                let (dims, of) = (dims(hilbert, sites), table.terms.iter().copied().collect::<Vec<_>>());
                for (row, form) in table.forms.iter_mut().enumerate().filter(|(_, form)| !form.is_zero()) {
                    let digits = digits_of(row, &dims);
                    let allowed = |site: usize| {
                        let known = sites.binary_search(&site).ok().map(|k| digits[k]);
                        known.map_or_else(|| check.all(site), |digit| vec![digit])
                    };
                    if let Some(old) = check.leaving(sites, allowed) {
                        conservation.judge(form, hilbert, || {
                            leaves(hilbert, &changed, [&old, &check.apply(&old)], names(terms, &of))
                        })?;
                    }
                }
            }
            for product in self.products.iter_mut().filter(|product| !product.form.is_zero()) {
                let factor = |site: usize| product.factors.iter().find(|(other, _)| *other == site);
                let allowed = |site: usize| match factor(site) {
                    Some(&(_, number)) => {
                        let values = functions.get(number).iter().enumerate();
                        values.filter(|(_, value)| **value != 0.0).map(|(digit, _)| digit).collect()
                    }
                    None => check.all(site),
                };
                let sites: Vec<usize> = product.factors.iter().map(|&(site, _)| site).collect();
                if let Some(old) = check.leaving(&sites, allowed) {
                    let of: Vec<u32> = product.terms.iter().copied().collect();
                    conservation.judge(&mut product.form, hilbert, || {
                        leaves(hilbert, &changed, [&old, &check.apply(&old)], names(terms, &of))
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Whether steps keep the sum of the digits of a block.
struct Check<'a> {
    hilbert: &'a HilbertSpace,
    block: &'a Block,
    steps: &'a [(usize, Step)],
}

impl Check<'_> {
    /// The digits of a site that allow its step, all if it has none.
    fn all(&self, site: usize) -> Vec<usize> {
        let dim = self.hilbert.local_dim(site);
        let allows = |&digit: &usize| match self.step(site) {
            Some(Step::By(by)) => (0..dim as i32).contains(&(digit as i32 + by)),
            _ => true,
        };
        (0..dim).filter(allows).collect()
    }

    fn step(&self, site: usize) -> Option<Step> {
        self.steps.iter().find(|(other, _)| *other == site).map(|&(_, step)| step)
    }

    /// The digits after the steps, for those of the changed sites before.
    fn apply(&self, old: &[usize]) -> Vec<usize> {
        self.steps.iter().zip(old).map(|(&(_, step), &digit)| step.apply(digit)).collect()
    }

    /// Digits of the changed sites in an allowed configuration that the steps take out of the block. An element
    /// depends on `sites`, besides the changed ones; `allowed` gives the digits of a site for which it is not 0.
    fn leaving(&self, sites: &[usize], allowed: impl Fn(usize) -> Vec<usize>) -> Option<Vec<usize>> {
        let changed = self.steps.iter().map(|&(site, _)| site);
        let known: BTreeSet<usize> = changed
            .clone()
            .chain(sites.iter().copied())
            .filter(|site| self.block.sites().contains(site))
            .collect();
        // For each sum of digits and each change of it, one way to reach them.
        let mut reached: BTreeMap<(usize, i32), Vec<(usize, usize)>> = BTreeMap::from([((0, 0), Vec::new())]);
        for &site in &known {
            let mut next = BTreeMap::new();
            for ((sum, change), way) in reached {
                for digit in allowed(site) {
                    let by = self.step(site).map_or(0, |step| step.apply(digit) as i32 - digit as i32);
                    next.entry((sum + digit, change + by)).or_insert_with(|| {
                        let own = self.step(site).map(|_| (site, digit));
                        way.iter().copied().chain(own).collect()
                    });
                }
            }
            reached = next;
        }
        let (total, others) = (self.block.total?, self.block.n_sites - known.len());
        let leaves = |&((sum, change), _): &((usize, i32), Vec<(usize, usize)>)| {
            let rest = total.checked_sub(sum);
            change != 0 && rest.is_some_and(|rest| rest <= (self.block.local.len - 1) * others)
        };
        let (_, way) = reached.into_iter().find(leaves)?;
        // Sites of other blocks are free.
        let digit = |site| way.iter().find(|(other, _)| *other == site).map(|&(_, digit)| digit);
        Some(
            changed.map(|site| digit(site).or_else(|| allowed(site).first().copied()).unwrap_or(0)).collect(),
        )
    }
}
