// The elements of an operator on two-level sites. A group has one, a sum over its pieces: the slot that a piece looks up
// by the bits of its sites, negated by the parity on its sign mask.
//
// MAX_SUPPORT is 2 if no piece looks at more sites or has guards; HAS_SIGNS is 1 if any has a sign mask; MAX_OUTCOMES is
// the largest number of outcomes of a class.

// A group has at most one element.
#define ONE_ELEMENT 1

#define NEGATIVE 0x80000000u

// What the piece's sites are in the table.
__device__ u32 table_index(const Engine &engine, const Piece &piece, const Configuration &x) {
    u32 n = piece.kind % SIGNED;
#if MAX_SUPPORT > 2
    if (n == GUARDED) {
        const u64 *guard = engine.guards + piece.first, *bits = guard + words_of(engine);
        u64 differing = 0;
        FOR_WORDS(engine, w) differing |= (x.word(w) & guard[w]) ^ bits[w];
        return differing == 0;
    }
    if (n > 2) {
        u32 index = 0;
        for (u32 k = 0; k < n; k++) index |= x.index(engine.supports[piece.first + k]) << k;
        return index;
    }
#endif
    return (n > 0 ? x.index(piece.first) : 0) | (n > 1 ? x.index(piece.second) << 1 : 0);
}

__device__ bool is_negative(const Engine &engine, u32 p, const Piece &piece, const Configuration &x) {
#if HAS_SIGNS
    if (piece.kind < SIGNED) return false;
    u64 overlap = 0;
    FOR_WORDS(engine, w) overlap ^= x.word(w) & engine.signs[(u64)p * words_of(engine) + w];
    return __popcll(overlap) & 1;
#else
    return false;
#endif
}

// The slot of a piece, with the top bit set where it is negated.
__device__ u32 signed_slot(const Engine &engine, u32 p, const Configuration &x) {
    Piece piece = engine.pieces[p];
    u32 slot = engine.tables[piece.table + table_index(engine, piece, x)];
    return is_negative(engine, p, piece, x) ? slot | NEGATIVE : slot;
}

__device__ Number value_of(u32 signed_slot, const Values &values) {
    return signed_number(values.of(signed_slot & ~NEGATIVE), signed_slot & NEGATIVE);
}

__device__ u32 n_groups(const Engine &engine) { return engine.n_groups; }

// The element of a group, if it has one.
struct Elements {
    u32 first, end, group;
    Number value;
};

__device__ Elements elements_of(const Engine &engine, u32 group, const Configuration &x, const Values &values) {
    Number sum = number(0, 0);
    if (group < engine.n_groups)
        for (u32 p = engine.pieces_of_group[group]; p < engine.pieces_of_group[group + 1]; p++)
            sum = sum + value_of(signed_slot(engine, p, x), values);
    return {0, 1, group, sum};
}

__device__ Number element(const Engine &, const Elements &elements, u32, const Values &) { return elements.value; }

__device__ u32 item_of(const Engine &, const Elements &elements, u32) { return elements.group + 1; }

// The diagonal element, by a warp. Pieces of a class are counted, in any order; what is added up is added up in the order
// of the CPU.
__device__ Number diagonal(const Engine &engine, const Configuration &x, const Values &values) {
    Number sum = number(0, 0);
    for (u32 c = 0; c < engine.n_classes; c++) {
        Class of_equal = engine.classes[c];
        u32 counts[MAX_OUTCOMES] = {};
        for (u32 m = of_equal.first_member + lane_number(); m < of_equal.end_member; m += 32) {
            u32 p = engine.members[m];
            Piece piece = engine.pieces[p];
            u32 index = table_index(engine, piece, x);
            if (is_negative(engine, p, piece, x)) index |= 1u << piece.kind % SIGNED;
            u32 outcome = engine.outcome_of[of_equal.outcome_of + index];
            _Pragma("unroll") for (u32 o = 0; o < MAX_OUTCOMES; o++) counts[o] += outcome == o;
        }
        Number of_class = number(0, 0);
        _Pragma("unroll") for (u32 o = 0; o < MAX_OUTCOMES; o++) {
            if (o >= of_equal.n_outcomes) break;
            Number value = value_of(engine.outcomes[of_equal.outcomes + o], values);
            of_class = of_class + value * (REAL)sum_of_warp(counts[o]);
        }
        sum = sum + of_class;
    }
    for (u32 start = 0; start < engine.n_singles; start += 32) {
        u32 n = min(engine.n_singles - start, 32u);
        Number own = number(0, 0);
        if (lane_number() < n) own = value_of(signed_slot(engine, engine.singles[start + lane_number()], x), values);
        for (u32 lane = 0; lane < n; lane++) sum = sum + of_lane(own, lane);
    }
    return sum;
}

// The slots of an element, one for each piece.
struct Terms {
    u32 n, first_piece;
};

__device__ Terms terms_of(const Engine &engine, u32 item, const Configuration &) {
    if (item == 0) return {engine.n_diagonal, 0};
    u32 first = engine.pieces_of_group[item - 1];
    return {engine.pieces_of_group[item] - first, first};
}

__device__ Term term(const Engine &engine, const Terms &terms, u32 k, const Configuration &x) {
    u32 slot = signed_slot(engine, terms.first_piece + k, x);
    return {slot & ~NEGATIVE, slot & NEGATIVE ? -1.0 : 1.0};
}
