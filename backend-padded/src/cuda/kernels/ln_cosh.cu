// ln cosh and its derivative tanh, of real or complex numbers. A thread a number.
//
// With z' = z or -z so that its real part is not negative, and q = e^(-2 z'): ln cosh z = z' + ln(1 + q) - ln 2 and
// tanh z' = (1 - q) / (1 + q). Nothing overflows.

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

// z (n) -> value (n). Imaginary parts are null if real.
extern "C" __global__ void ln_cosh(const REAL *z_re, const REAL *z_im, REAL *value_re, REAL *value_im, u64 n) {
    u64 k = thread_number();
    if (k >= n) return;
    REAL x = fabs(z_re[k]), size = exp(-2 * x);
#if COMPLEX
    REAL angle = z_re[k] < 0 ? -z_im[k] : z_im[k], below_one = -expm1(-2 * x);
    OnePlus sum = one_plus(size, below_one, angle);
    value_re[k] = x + ((REAL)0.5 * log(sum.squared_size) - LN_2);
    value_im[k] = angle + atan2(sum.im, sum.re);
#else
    value_re[k] = x + (log1p(size) - LN_2);
#endif
}

// z (n) -> tanh z (n), the derivative of ln cosh.
extern "C" __global__ void ln_cosh_derivative(const REAL *z_re, const REAL *z_im, REAL *value_re, REAL *value_im, u64 n) {
    u64 k = thread_number();
    if (k >= n) return;
    REAL x = fabs(z_re[k]), size = exp(-2 * x), below_one = -expm1(-2 * x);
#if COMPLEX
    REAL angle = z_re[k] < 0 ? -z_im[k] : z_im[k];
    // (1 - q) / (1 + q) = (1 - size^2 - 2i im(q)) / |1 + q|^2
    OnePlus sum = one_plus(size, below_one, angle);
    REAL im = -2 * sum.im / sum.squared_size;
    value_re[k] = copysign(below_one * (1 + size) / sum.squared_size, z_re[k]);
    value_im[k] = z_re[k] < 0 ? -im : im;
#else
    value_re[k] = copysign(below_one / (1 + size), z_re[k]);
#endif
}
