// Local estimators: sums of matrix elements and ratios of amplitudes, given by differences of ln psi. Real, or COMPLEX.

#if COMPLEX
// Null where all are 0.
#define IMAGINARY(pointer, k) ((pointer) ? (pointer)[k] : (REAL)0)
#else
#define IMAGINARY(pointer, k) 0
#endif

// Below every difference.
#define LOWEST ((REAL)(sizeof(REAL) == 4 ? -3e38 : -1e308))

struct Pair {
    REAL re, im;
};
// e^delta as a phase and the root of its size.
struct Ratio {
    Pair phase;
    REAL root;
};
__device__ Ratio ratio(REAL re, REAL im) {
#if COMPLEX
    return {{cos(im), sin(im)}, exp(re / 2)};
#else
    return {{1, 0}, exp(re / 2)};
#endif
}
// A product with a size, of which the root is given: it does not overflow where the size alone does.
__device__ Pair scaled(Pair a, REAL root) { return {a.re * root * root, a.im * root * root}; }
__device__ Pair times(Pair a, Pair b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
__device__ Pair conjugate(Pair a) { return {a.re, -a.im}; }

// mels and deltas (b, width) -> local (b): sum_k mels[b, k] exp(deltas[b, k]). Slots of element 0 do not count, whatever
// their delta. The largest ratio is taken out, so that only a sum that is too large itself overflows. A warp a sample; the
// order of summing depends on the width alone.
extern "C" __global__ void local(const REAL *mels_re, const REAL *mels_im, const REAL *deltas_re, const REAL *deltas_im,
                                 REAL *local_re, REAL *local_im, u32 width, u32 n_samples) {
    u64 sample = warp_number(), start = sample * width;
    if (sample >= n_samples) return;
    REAL largest = LOWEST;
    for (u64 k = start + lane_number(); k < start + width; k += 32)
        if (mels_re[k] != 0 || IMAGINARY(mels_im, k) != 0) largest = max(largest, deltas_re[k]);
    for (u32 distance = 16; distance > 0; distance /= 2)
        largest = max(largest, __shfl_xor_sync(ALL_LANES, largest, distance));
    Pair sum = {0, 0};
    for (u64 k = start + lane_number(); k < start + width; k += 32) {
        Pair mel = {mels_re[k], IMAGINARY(mels_im, k)};
        if (mel.re == 0 && mel.im == 0) continue;
        Ratio own = ratio(deltas_re[k] - largest, IMAGINARY(deltas_im, k));
        Pair term = scaled(times(mel, own.phase), own.root);
        sum.re += term.re, sum.im += term.im;
    }
    Pair total = {sum_of_warp(sum.re), 0};
#if COMPLEX
    total.im = sum_of_warp(sum.im);
#endif
    if (lane_number() > 0) return;
    // Without elements the largest ratio is nonsense, and infinite ratios can cancel: the sum is 0.
    total = scaled(total, total.re == 0 && total.im == 0 ? (REAL)0 : exp(largest / 2));
    local_re[sample] = total.re;
#if COMPLEX
    local_im[sample] = total.im;
#endif
}

// gradient (b) in real and imaginary parts of `local` -> that in mels and deltas (b, width), left out where null. A thread
// an element.
extern "C" __global__ void local_backward(const REAL *mels_re, const REAL *mels_im, const REAL *deltas_re,
                                          const REAL *deltas_im, const REAL *gradient_re, const REAL *gradient_im,
                                          REAL *of_mels_re, REAL *of_mels_im, REAL *of_deltas_re, REAL *of_deltas_im,
                                          u32 width, u32 n_samples) {
    u64 k = thread_number(), sample = k / width;
    if (sample >= n_samples) return;
    Pair gradient = {gradient_re[sample], IMAGINARY(gradient_im, sample)};
    Pair mel = {mels_re[k], IMAGINARY(mels_im, k)};
    Ratio own = ratio(deltas_re[k], IMAGINARY(deltas_im, k));
    // The gradient of a product w z in the parts of z is g times the conjugate of w.
    Pair of_mel = scaled(times(gradient, conjugate(own.phase)), own.root);
    Pair of_delta = {0, 0};
    if (mel.re != 0 || mel.im != 0) of_delta = scaled(times(gradient, conjugate(times(mel, own.phase))), own.root);
    if (of_mels_re) of_mels_re[k] = of_mel.re;
    if (of_deltas_re) of_deltas_re[k] = of_delta.re;
#if COMPLEX
    if (of_mels_im) of_mels_im[k] = of_mel.im;
    if (of_deltas_im) of_deltas_im[k] = of_delta.im;
#endif
}
