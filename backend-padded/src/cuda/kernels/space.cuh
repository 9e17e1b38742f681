// The local states of sites, and constraints.

// The quantum numbers of a site: first, first + step, ..., first + last * step.
struct Local {
    signed char first, step;
    u8 last, unused;
};
// Sites whose local indices add up to `total`.
struct Total {
    u32 first_site, end_site, total;
};
