// Proposals of chains that change one site or exchange two.

// The pairs of a kind end where `end` says, and those of the next one begin. A kind without pairs changes one site.
struct Pair {
    u32 a, b;
};
// First quantum number, step and number of the local states of a site.
struct LocalNumbers {
    int first, step, dim;
};

// x (n_chains, n_sites), draws (n_chains, N_DRAWS), limits and ends (n_kinds) -> proposed (n_chains, n_sites). A thread a
// site of a chain.
extern "C" __global__ void propose(const float *x, const double *draws, const double *limits, const u32 *ends,
                                   const Pair *pairs, const LocalNumbers *locals, float *proposed, u32 n_kinds,
                                   u32 n_sites, u32 n_chains) {
    u64 place = thread_number(), chain = place / n_sites;
    u32 site = (u32)(place % n_sites);
    if (chain >= n_chains) return;
    const double *own = draws + chain * N_DRAWS;
    const float *row = x + chain * n_sites;
    float value = row[site];
    u32 kind = 0;
    while (kind + 1 < n_kinds && !(own[KIND] < limits[kind])) kind++;
    u32 first = kind == 0 ? 0 : ends[kind - 1], end = ends[kind];
    if (first < end) {
        Pair pair = pairs[first + below(own[PLACE], end - first)];
        if (site == pair.a)
            value = row[pair.b];
        else if (site == pair.b)
            value = row[pair.a];
    } else if (site == below(own[PLACE], n_sites) && locals[site].dim > 1) {
        LocalNumbers local = locals[site];
        int shift = 1 + (int)below(own[SHIFT], (u32)(local.dim - 1));
        value = (float)(local.first + local.step * ((((int)value - local.first) / local.step + shift) % local.dim));
    }
    proposed[place] = value;
}
