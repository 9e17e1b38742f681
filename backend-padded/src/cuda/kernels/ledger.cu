// What chains know of themselves, and whether they accept what is proposed.
//
// ln psi is a number of type REAL, and its imaginary part is null if COMPLEX is 0.

// `failed` is the first step at which ln psi was no amplitude or no state was connected, NONE_FAILED if there is none; `n` is
// the number of states connected to where the chain is.
struct Row {
    double log_weight, n_accepted, failed, n;
};
#define NONE_FAILED 4294967295.0
#define LARGEST 1.7976931348623157e308

__device__ bool is_finite(double value) { return fabs(value) <= LARGEST; }
// Whether it is the logarithm of zero.
__device__ bool is_minus_infinity(double value) { return value < -LARGEST; }

// ln |psi|^2, -infinity where psi is zero, whose phase does not matter. Says whether ln psi is an amplitude.
__device__ bool weigh(const REAL *psi_re, const REAL *psi_im, u64 chain, double *log_weight) {
    double re = psi_re[chain];
    *log_weight = 2 * re;
    if (is_minus_infinity(re)) return true;
#if COMPLEX
    return is_finite(re) && is_finite(psi_im[chain]);
#else
    return is_finite(re);
#endif
}

__device__ double acceptance(double from, double to, double log_correction) {
    if (is_minus_infinity(to)) return 0;
    if (is_minus_infinity(from)) return 1;
    return fmin(exp(to - from + log_correction), 1.0);
}

// Chains that start: ln psi (n_chains), counts (n_chains) or null -> rows (n_chains). A thread a chain.
extern "C" __global__ void ledger(const REAL *psi_re, const REAL *psi_im, const u32 *counts, Row *rows, u32 n_chains) {
    u64 chain = thread_number();
    if (chain >= n_chains) return;
    double log_weight, n = counts ? counts[chain] : 0;
    bool is_amplitude = weigh(psi_re, psi_im, chain, &log_weight);
    rows[chain] = {is_amplitude ? log_weight : log(0.0), 0, is_amplitude ? NONE_FAILED : 0, n};
}

// Which of its connected states each chain goes to: rows (n_chains), draws (n_chains, N_DRAWS) -> numbers (n_chains). A
// thread a chain.
extern "C" __global__ void choose(const Row *rows, const double *draws, u32 *numbers, u32 n_chains) {
    u64 chain = thread_number();
    if (chain < n_chains) numbers[chain] = below(draws[chain * N_DRAWS + PLACE], (u32)rows[chain].n);
}

// Rows before and x, proposed (n_chains, n_sites), ln psi and counts or null of what is proposed, draws -> rows, x and
// accepted (n_chains) after the step. A warp a chain.
extern "C" __global__ void settle(const Row *rows, const float *x, const float *proposed, const REAL *psi_re,
                                  const REAL *psi_im, const u32 *counts, const double *draws, Row *next_rows,
                                  float *next, u8 *accepted, u32 step, u32 n_sites, u32 n_chains) {
    u64 chain = warp_number();
    if (chain >= n_chains) return;
    Row row = rows[chain];
    double log_weight, back = counts ? counts[chain] : 0, log_correction = 0;
    bool is_state = weigh(psi_re, psi_im, chain, &log_weight) && (!counts || (row.n > 0 && back > 0));
    if (is_state && row.n != back) log_correction = log(row.n / back);
    bool is_accepted =
        is_state && draws[chain * N_DRAWS + ACCEPT] < acceptance(row.log_weight, log_weight, log_correction);
    if (!is_state) row.failed = fmin(row.failed, (double)step);
    if (is_accepted) row = {log_weight, row.n_accepted + 1, row.failed, back};
    const float *from = (is_accepted ? proposed : x) + chain * n_sites;
    for (u32 site = lane_number(); site < n_sites; site += 32) next[chain * n_sites + site] = from[site];
    if (lane_number() == 0) {
        next_rows[chain] = row;
        accepted[chain] = is_accepted;
    }
}
