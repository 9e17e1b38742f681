// ln cosh (ln_cosh.cuh) and its derivative tanh, of real or complex numbers. A thread a number.
//
// With z' and q as there, tanh z' = (1 - q) / (1 + q).

// z (n) -> value (n). Imaginary parts are null if real.
extern "C" __global__ void ln_cosh(const REAL *z_re, const REAL *z_im, REAL *value_re, REAL *value_im, u64 n) {
    u64 k = thread_number();
    if (k >= n) return;
#if COMPLEX
    Parts value = ln_cosh_of(z_re[k], z_im[k]);
    value_im[k] = value.im;
#else
    Parts value = ln_cosh_of(z_re[k], 0);
#endif
    value_re[k] = value.re;
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
