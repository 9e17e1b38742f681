// An operator on sites of any local dimension: its arrays (kernel::TableArrays), and samples as local indices.

// Pairs of numbers are parts of arrays: the first, and the end.
struct Range {
    u32 first, end;
};
// The indices on `sites`, weighted by their strides, lead to a row of `table`. An odd sum on `signs` negates it.
struct Lookup {
    Range sites, signs;
    u32 table;
};
// The change to its target 0 has the number `change`.
struct Group {
    Lookup lookup;
    u32 change;
};
struct StepGroup {
    Range lookups, products;
    u32 change;
};
// A slot times functions of single sites' indices.
struct Product {
    u32 slot;
    Range factors, signs;
};
struct Entry {
    u32 target, slot;
};
// Index i of the site becomes offset + factor * i, modulo 256.
struct Edit {
    u32 site;
    u8 offset;
    signed char factor;
    u8 unused[2];
};
struct Engine {
    const Lookup *diagonal;
    const u32 *slot_tables;  // of the diagonal and of step groups
    const Group *groups;
    const StepGroup *steps;
    const Lookup *step_lookups;
    const Product *products;  // those of the diagonal first
    const u32 *factor_sites, *factor_tables;
    const double *factors;
    const u32 *sites, *strides;
    const Range *signs;  // ranges of sites
    const u32 *row_starts;
    const Entry *entries;
    const u32 *group_of_change, *edits_of_change;  // step groups after groups; (n_changes + 1)
    const Edit *edits;
    const Local *locals;  // (n_sites)
    const Total *totals;
    u32 n_sites, n_totals, n_slots, n_lookups, n_products, n_groups, n_steps;
};

typedef u8 Sample;

struct Configuration {
    const u8 *indices;

    __device__ u32 index(u32 site) const { return indices[site]; }
};

__device__ Configuration load(const Engine &engine, const Sample *x, u32 sample) {
    return {x + (u64)sample * engine.n_sites};
}

// A warp writes what an item leads to; `value` makes a number of a local index and its site.
template <class Quantum, class Value>
__device__ void write_row(const Engine &engine, const Sample *x, u32 sample, u32 item, Quantum *row, Value value) {
    Configuration from = load(engine, x, sample);
    for (u32 site = lane_number(); site < engine.n_sites; site += 32) row[site] = value(from.index(site), site);
    // Another lane wrote the sites that change.
    __syncwarp();
    u32 first = engine.edits_of_change[item], end = engine.edits_of_change[item + 1];
    for (u32 e = first + lane_number(); e < end; e += 32) {
        Edit edit = engine.edits[e];
        row[edit.site] = value((u8)(edit.offset + edit.factor * (int)from.index(edit.site)), edit.site);
    }
}

// A warp writes the sample that an item leads to.
__device__ void write_sample(const Engine &engine, const Sample *x, u32 sample, u32 item, Sample *to) {
    write_row(engine, x, sample, item, to + (u64)sample * engine.n_sites, [](u32 index, u32) { return (u8)index; });
}

// A warp writes local indices, given by a function of the site, as a sample.
template <class Index> __device__ void pack_sample(const Engine &engine, u32 sample, Sample *to, Index index) {
    for (u32 site = lane_number(); site < engine.n_sites; site += 32)
        to[(u64)sample * engine.n_sites + site] = (u8)index(site);
}

// Calls f with each site that an item changes, and what is added to its quantum number.
template <class F> __device__ void for_each_change(const Engine &engine, const Sample *x, u32 sample, u32 item, F f) {
    Configuration from = load(engine, x, sample);
    for (u32 e = engine.edits_of_change[item]; e < engine.edits_of_change[item + 1]; e++) {
        Edit edit = engine.edits[e];
        int index = (int)from.index(edit.site), changed = (u8)(edit.offset + edit.factor * index);
        f(edit.site, engine.locals[edit.site].step * (changed - index));
    }
}
