// Rows of quantum numbers become samples, and are checked.
//
// QUANTUM is the type of a row's numbers; INDICES is 1 if they are local indices.

// The local index of a number, -1 if it has none.
__device__ int index_of(Local local, QUANTUM value) {
#if INDICES
    int index = (int)value;
#else
    // Also false for what is no number.
    if (!(value >= -127 && value <= 127)) return -1;
    int distance = (int)value - local.first, index = distance / local.step;
    if ((QUANTUM)(int)value != value || index * local.step != distance) return -1;
#endif
    return index >= 0 && index <= local.last ? index : -1;
}

// rows (b, n_sites) -> x (b, n_words or n_sites). `status` becomes the smallest number of a sample that is no state of
// the space; indices that it does not have are packed as 0. A warp a sample.
extern "C" __global__ void pack(Engine engine, const QUANTUM *rows, Sample *x, u32 *status, u32 n_samples) {
    u64 sample = warp_number();
    if (sample >= n_samples) return;
    const QUANTUM *row = rows + sample * engine.n_sites;
    auto index = [&](u32 site) { return max(index_of(engine.locals[site], row[site]), 0); };
    bool is_bad = false;
    for (u32 site = lane_number(); site < engine.n_sites; site += 32)
        is_bad |= index_of(engine.locals[site], row[site]) < 0;
    for (u32 t = 0; t < engine.n_totals; t++) {
        Total fixed = engine.totals[t];
        u32 sum = 0;
        for (u32 site = fixed.first_site + lane_number(); site < fixed.end_site; site += 32) sum += index(site);
        is_bad |= sum_of_warp(sum) != fixed.total;
    }
    pack_sample(engine, (u32)sample, x, index);
    is_bad = __ballot_sync(ALL_LANES, is_bad) != 0;
    if (is_bad && lane_number() == 0) atomicMin(status, (u32)sample);
}
