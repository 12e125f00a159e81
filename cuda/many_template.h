/* What the kernels of many small networks share, in one arithmetic (REAL, NAME(x)). Included by backend.cu alone.
 *
 * A team of threads evaluates one network at a time, from the data to the loss and back, without leaving the kernel: a
 * warp where the layers are narrow, else a block. Its activations lie in shared memory, or in the device's where that
 * is too small. Every sum is taken by one thread in order, or by a tree of fixed shape. */

/* What every launch is told. */
struct NAME(many) {
    struct fused fused;
    size_t count; /* evaluations */
    REAL *x, *target;
    double *losses;
    unsigned need; /* elements of a team's memory */
    REAL *global;  /* all teams', where it is not shared memory */
};

/* Where a team works. */
struct NAME(site) {
    size_t first, step; /* its evaluations */
    unsigned lane, width;
    void *shared; /* of the whole block, for reductions */
    REAL *memory; /* of the team */
};

template <bool WIDE> DEVICE void NAME(meet)()
{
    if (WIDE)
        barrier();
    else
        warp_barrier();
}

/* The parameters with one of them changed. */
struct NAME(parameters) {
    const REAL *p;
    unsigned at; /* FUSED_NONE: none */
    REAL value;
    DEVICE_MEMBER REAL operator[](unsigned i) const
    {
        return i == at ? value : p[i];
    }
};

/* z = x @ W + b */
DEVICE void NAME(linear_forward)(const struct fused_step *s, const struct NAME(site) * at,
                                 const struct NAME(parameters) * w, const REAL *x, REAL *z)
{
    for (unsigned e = at->lane; e < s->rows * s->out; e += at->width) {
        unsigned j = e % s->out;
        const REAL *row = x + e / s->out * s->in;
        REAL sum = 0;
        for (unsigned k = 0; k < s->in; k++)
            sum = device_fma(row[k], (*w)[s->weight + k * s->out + j], sum);
        z[e] = s->bias != FUSED_NONE ? sum + (*w)[s->bias + j] : sum;
    }
}

/* Writes down on which side of its kink an element is, or asks whether it still is there. */
DEVICE void NAME(look_at_side)(bool write, signed char *sides, signed char side, bool *crossed)
{
    if (write)
        *sides = side;
    else if (*sides != side)
        *crossed = true;
}

/* This lane's part of the loss of predictions P, not scaled; *outside where one is out of range. */
DEVICE double NAME(loss_part)(const struct fused *c, const struct NAME(site) * at, const REAL *P, const REAL *T,
                              bool *outside)
{
    double sum = 0;
    if (c->softmax) {
        const struct team alone = team_alone();
        for (unsigned i = at->lane; i < c->batch; i += at->width)
            NAME(row_cross_entropy)<false>(&alone, c->output, P + i * c->output, T + i * c->output, NULL, &sum);
        return sum;
    }
    for (unsigned e = at->lane; e < c->batch * c->output; e += at->width) {
        bool inside = P[e] >= 0 && P[e] <= 1;
        if (c->on_probabilities && !inside) *outside = true;
        sum += (double)NAME(loss_one)(c->loss, (REAL)c->loss_attribute, P[e], T[e]);
    }
    return sum;
}

/* This lane's part of sum(W**2). */
DEVICE double NAME(squares_part)(const struct fused *c, const struct NAME(site) * at, const struct NAME(parameters) * w)
{
    double sum = 0;
    for (unsigned k = 0; c->l2 > 0 && k < c->step_count; k++) {
        const struct fused_step *s = &c->steps[k];
        if (!s->linear) continue;
        for (unsigned e = at->lane; e < s->in * s->out; e += at->width) {
            double v = (double)(*w)[s->weight + e];
            sum += v * v;
        }
    }
    return sum;
}

/* A block does one evaluation at a time, or one with each warp. Shared memory: WARPS doubles for reductions, then
 * (where all fits) each team's. */
template <bool WIDE> DEVICE struct NAME(site) NAME(site_of)(const struct NAME(many) * many)
{
    struct NAME(site) at;
    unsigned teams = WIDE ? 1 : block_size() / WARP, team = WIDE ? 0 : thread_index() / WARP;
    at.first = (size_t)block_index() * teams + team;
    at.step = (size_t)grid_size() * teams;
    at.lane = WIDE ? thread_index() : thread_index() % WARP;
    at.width = WIDE ? block_size() : (unsigned)WARP;
    at.shared = shared_memory<void>();
    REAL *memory = many->global != NULL ? many->global + (size_t)block_index() * teams * many->need
                                        : static_cast<REAL *>(static_cast<void *>(shared_memory<double>() + WARPS));
    at.memory = memory + (size_t)team * many->need;
    return at;
}
