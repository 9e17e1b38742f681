// The elements of an operator on sites of any local dimension. A group has one for each entry of a row of its table. A
// step group has one, a sum of products and of slots that are looked up.
//
// HAS_SIGNS is 1 if any lookup or product has a sign set; HAS_STEPS if there are step groups, or products on the
// diagonal.

#define ONE_ELEMENT 0

__device__ u32 row_of(const Engine &engine, const Lookup &lookup, const Configuration &x) {
    u32 row = lookup.table;
    for (u32 s = lookup.sites.first; s < lookup.sites.end; s++) row += x.index(engine.sites[s]) * engine.strides[s];
    return row;
}

__device__ bool is_negative(const Engine &engine, Range signs, const Configuration &x) {
    u32 parity = 0;
#if HAS_SIGNS
    for (u32 s = signs.first; s < signs.end; s++)
        for (u32 site = engine.signs[s].first; site < engine.signs[s].end; site++) parity ^= x.index(site);
#endif
    return parity & 1;
}

// The slot of a lookup of the diagonal or of a step group.
__device__ Number looked_up(const Engine &engine, const Lookup &lookup, const Configuration &x, const Values &values) {
    u32 slot = engine.slot_tables[row_of(engine, lookup, x)];
    return signed_number(values.of(slot), is_negative(engine, lookup.signs, x));
}

__device__ double factor(const Engine &engine, u32 f, const Configuration &x) {
    return engine.factors[engine.factor_tables[f] + x.index(engine.factor_sites[f])];
}

__device__ Number product(const Engine &engine, const Product &product, const Configuration &x, const Values &values) {
    Number value = values.of(product.slot);
    for (u32 f = product.factors.first; f < product.factors.end; f++) value = value * (REAL)factor(engine, f, x);
    return signed_number(value, is_negative(engine, product.signs, x));
}

__device__ u32 n_groups(const Engine &engine) { return engine.n_groups + engine.n_steps; }

// The elements of a group: entries of a row, or the value of a step group. `change` is that to target 0.
struct Elements {
    u32 first, end, change;
    bool is_step, is_negated;
    Number value;
};

__device__ Elements elements_of(const Engine &engine, u32 group, const Configuration &x, const Values &values) {
    if (group < engine.n_groups) {
        Group own = engine.groups[group];
        u32 row = row_of(engine, own.lookup, x), first = engine.row_starts[row], end = engine.row_starts[row + 1];
        bool is_negated = first < end && is_negative(engine, own.lookup.signs, x);
        return {first, end, own.change, false, is_negated, number(0, 0)};
    }
#if HAS_STEPS
    if (group < n_groups(engine)) {
        StepGroup step = engine.steps[group - engine.n_groups];
        Number sum = number(0, 0);
        for (u32 p = step.products.first; p < step.products.end; p++)
            sum = sum + product(engine, engine.products[p], x, values);
        for (u32 l = step.lookups.first; l < step.lookups.end; l++)
            sum = sum + looked_up(engine, engine.step_lookups[l], x, values);
        return {0, 1, step.change, true, false, sum};
    }
#endif
    return {0, 0, 0, false, false, number(0, 0)};
}

__device__ Number element(const Engine &engine, const Elements &elements, u32 k, const Values &values) {
    if (elements.is_step) return elements.value;
    return signed_number(values.of(engine.entries[k].slot), elements.is_negated);
}

__device__ u32 item_of(const Engine &engine, const Elements &elements, u32 k) {
    return elements.change + (elements.is_step ? 0 : engine.entries[k].target);
}

// The sum of `n` values, by a warp. The CPU adds up every fourth value on its own, so lanes do that, too.
template <class Value> __device__ Number sum_in_fours(u32 n, Value value) {
    Number sum = number(0, 0);
    for (u32 start = 0; start < n; start += 32) {
        u32 k = start + lane_number();
        Number own = k < n ? value(k) : number(0, 0);
        for (u32 lane = lane_number() % 4; lane < 32; lane += 4) sum = sum + of_lane(own, lane);
    }
    return (of_lane(sum, 0) + of_lane(sum, 1)) + (of_lane(sum, 2) + of_lane(sum, 3));
}

// The diagonal element, by a warp.
__device__ Number diagonal(const Engine &engine, const Configuration &x, const Values &values) {
    Number sum = sum_in_fours(engine.n_lookups, [&](u32 k) { return looked_up(engine, engine.diagonal[k], x, values); });
#if HAS_STEPS
    if (engine.n_products > 0)
        sum = sum +
              sum_in_fours(engine.n_products, [&](u32 k) { return product(engine, engine.products[k], x, values); });
#endif
    return sum;
}

// The slots of an element: entries of a row that lead to the target, or lookups and products.
struct Terms {
    u32 n, n_entries, first_entry, target;
    bool is_negated, lookups_first;
    const Lookup *lookups;
    u32 n_lookups;
    const Product *products;
    u32 n_products;
};

__device__ Terms sum_of(const Lookup *lookups, u32 n_lookups, const Product *products, u32 n_products,
                        bool lookups_first) {
    return {n_lookups + n_products, 0, 0, 0, false, lookups_first, lookups, n_lookups, products, n_products};
}

__device__ Terms terms_of(const Engine &engine, u32 item, const Configuration &x) {
    if (item == 0) return sum_of(engine.diagonal, engine.n_lookups, engine.products, engine.n_products, true);
    u32 group = engine.group_of_change[item];
    if (group >= engine.n_groups) {
        StepGroup step = engine.steps[group - engine.n_groups];
        return sum_of(engine.step_lookups + step.lookups.first, step.lookups.end - step.lookups.first,
                      engine.products + step.products.first, step.products.end - step.products.first, false);
    }
    Group own = engine.groups[group];
    u32 row = row_of(engine, own.lookup, x), first = engine.row_starts[row], n = engine.row_starts[row + 1] - first;
    return {n, n, first, item - own.change, is_negative(engine, own.lookup.signs, x), false, 0, 0, 0, 0};
}

__device__ Term term(const Engine &engine, const Terms &terms, u32 k, const Configuration &x) {
    if (terms.n_entries > 0) {
        Entry entry = engine.entries[terms.first_entry + k];
        // Slot 0 is worth 0.
        if (entry.target != terms.target) return {0, 0.0};
        return {entry.slot, terms.is_negated ? -1.0 : 1.0};
    }
    u32 first_lookup = terms.lookups_first ? 0 : terms.n_products;
    if (k - first_lookup < terms.n_lookups) {
        Lookup lookup = terms.lookups[k - first_lookup];
        return {engine.slot_tables[row_of(engine, lookup, x)], is_negative(engine, lookup.signs, x) ? -1.0 : 1.0};
    }
    Product own = terms.products[k - (terms.lookups_first ? terms.n_lookups : 0)];
    double value = 1;
    for (u32 f = own.factors.first; f < own.factors.end; f++) value *= factor(engine, f, x);
    return {own.slot, is_negative(engine, own.signs, x) ? -value : value};
}
