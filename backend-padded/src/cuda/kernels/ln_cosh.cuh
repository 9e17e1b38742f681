// ln cosh of real or complex numbers, and its derivative tanh.
//
// With z' = z or -z so that its real part is not negative, and q = e^(-2 z'): ln cosh z = z' + ln(1 + q) - ln 2, and
// tanh z' = (1 - q) / (1 + q). Nothing overflows. operator_core::functions has the same for the CPU.

#define LN_2 ((REAL)0.693147180559945309417232121458176568)

#if COMPLEX
// 1 + q for q = size e^(-2i angle), and its squared size. The parts contain 1 - size as it is, so that nothing cancels near
// the zeros of cosh.
struct OnePlus {
    REAL re, im, squared_size;
};
__device__ OnePlus one_plus(REAL size, REAL below_one, REAL angle) {
    REAL c = cos(angle), s = sin(angle);
    return {below_one + 2 * size * c * c, -2 * size * s * c, below_one * below_one + 4 * size * c * c};
}
#endif

struct Parts {
    REAL re, im;
};

__device__ Parts ln_cosh_of(REAL re, REAL im) {
    REAL x = fabs(re), size = exp(-2 * x);
#if COMPLEX
    REAL angle = re < 0 ? -im : im, below_one = -expm1(-2 * x);
    OnePlus sum = one_plus(size, below_one, angle);
    return {x + ((REAL)0.5 * log(sum.squared_size) - LN_2), angle + atan2(sum.im, sum.re)};
#else
    return {x + (log1p(size) - LN_2), 0};
#endif
}

__device__ Parts tanh_of(REAL re, REAL im) {
    REAL x = fabs(re), size = exp(-2 * x), below_one = -expm1(-2 * x);
#if COMPLEX
    REAL angle = re < 0 ? -im : im;
    // (1 - q) / (1 + q) = (1 - size^2 - 2i im(q)) / |1 + q|^2
    OnePlus sum = one_plus(size, below_one, angle);
    REAL ratio = -2 * sum.im / sum.squared_size;
    return {copysign(below_one * (1 + size) / sum.squared_size, re), re < 0 ? -ratio : ratio};
#else
    return {copysign(below_one / (1 + size), re), 0};
#endif
}
