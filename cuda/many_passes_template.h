/* The kernel of backend->passes_of_many, on what many_template.h holds: forward, backward and comparison of many
 * networks. Included by backend.cu alone, in each arithmetic. */

struct NAME(passes_call) {
    struct NAME(many) many;
    REAL *parameters, *gradients; /* [count, parameters] */
    REAL *submitted;              /* likewise, or NULL */
    double *largest;
    unsigned *worst;
};

/* The gradient of the loss at its predictions. */
DEVICE void NAME(loss_backward)(const struct fused *c, const struct NAME(site) * at, const REAL *P, const REAL *T,
                                REAL *dP)
{
    if (c->softmax) {
        const struct team alone = team_alone();
        for (unsigned i = at->lane; i < c->batch; i += at->width)
            NAME(row_cross_entropy_gradient)<false>(&alone, c->scale, c->output, P + i * c->output, T + i * c->output,
                                                    NULL, dP + i * c->output);
        return;
    }
    for (unsigned e = at->lane; e < c->batch * c->output; e += at->width)
        dP[e] = (REAL)c->scale * NAME(loss_slope_one)(c->loss, (REAL)c->loss_attribute, P[e], T[e]);
}

/* dW = x.T @ dz + l2 W, db = dz.sum(0) */
DEVICE void NAME(linear_gradients)(const struct fused *c, const struct fused_step *s, const struct NAME(site) * at,
                                   const REAL *x, const REAL *dz, const REAL *w, REAL *g)
{
    for (unsigned e = at->lane; e < s->in * s->out; e += at->width) {
        unsigned k = e / s->out, j = e % s->out;
        REAL sum = 0;
        for (unsigned i = 0; i < s->rows; i++)
            sum = device_fma(x[i * s->in + k], dz[i * s->out + j], sum);
        g[s->weight + e] = c->l2 > 0 ? (REAL)c->l2 * w[s->weight + e] + sum : sum;
    }
    for (unsigned j = at->lane; s->bias != FUSED_NONE && j < s->out; j += at->width) {
        double sum = 0;
        for (unsigned i = 0; i < s->rows; i++)
            sum += (double)dz[i * s->out + j];
        g[s->bias + j] = (REAL)sum;
    }
}

/* dx = dz @ W.T */
DEVICE void NAME(linear_backward)(const struct fused_step *s, const struct NAME(site) * at, const REAL *dz,
                                  const REAL *w, REAL *dx)
{
    for (unsigned e = at->lane; e < s->rows * s->in; e += at->width) {
        unsigned i = e / s->in, k = e % s->in;
        REAL sum = 0;
        for (unsigned j = 0; j < s->out; j++)
            sum = device_fma(dz[i * s->out + j], w[s->weight + k * s->out + j], sum);
        dx[e] = sum;
    }
}

/* The largest difference and where it is first, to all of the team. */
template <bool WIDE>
DEVICE void NAME(compare_to)(const struct NAME(site) * at, unsigned n, const REAL *g, const REAL *submitted,
                             double *largest, unsigned *worst)
{
    double most = -1;
    unsigned where = 0;
    for (unsigned e = at->lane; e < n; e += at->width) {
        double d = fabs((double)submitted[e] - (double)g[e]);
        if (!(d >= 0)) d = (double)INFINITY;
        if (d > most) {
            most = d;
            where = e;
        }
    }
    *largest = team_reduce<WIDE, tree_max>(most, at->width, at->shared);
    *worst = team_reduce<WIDE, tree_min>(most == *largest ? where : FUSED_NONE, at->width, at->shared);
}

/* Memory of a team: every step's output one behind the other, and two gradients of the widest. */
template <bool WIDE> KERNEL void NAME(passes_of_many_kernel)(struct NAME(passes_call) call)
{
    const struct fused *c = &call.many.fused;
    const struct NAME(site) here = NAME(site_of)<WIDE>(&call.many);
    for (size_t v = here.first; v < call.many.count; v += here.step) {
        const struct NAME(parameters) w = {call.parameters + v * c->parameters, FUSED_NONE, 0};
        REAL *g = call.gradients + v * c->parameters;
        const REAL *x = call.many.x;
        REAL *y = here.memory;
        for (unsigned k = 0; k < c->step_count; k++) {
            const struct fused_step *s = &c->steps[k];
            if (s->linear)
                NAME(linear_forward)(s, &here, &w, x, y);
            else
                for (unsigned e = here.lane; e < s->rows * s->out; e += here.width)
                    y[e] = NAME(map_one)(s->f, (REAL)s->attribute, x[e]);
            NAME(meet)<WIDE>();
            x = y;
            y += s->rows * s->out;
        }
        bool outside = false;
        double sum = NAME(loss_part)(c, &here, x, call.many.target, &outside),
               squares = NAME(squares_part)(c, &here, &w);
        sum = team_reduce<WIDE, tree_sum>(sum, here.width, here.shared);
        squares = team_reduce<WIDE, tree_sum>(squares, here.width, here.shared);
        double edges = team_reduce<WIDE, tree_max>(outside ? 1.0 : 0.0, here.width, here.shared);
        double loss = c->scale * sum + c->l2 / 2 * squares;
        bool defined = edges == 0 && loss - loss == 0; /* of all lanes alike */
        if (here.lane == 0) call.many.losses[v] = defined ? loss : (double)NAN;

        REAL *dz = here.memory + c->outputs, *other = dz + c->widest;
        NAME(loss_backward)(c, &here, x, call.many.target, dz);
        NAME(meet)<WIDE>();
        for (unsigned k = c->step_count; k-- > 0;) {
            const struct fused_step *s = &c->steps[k];
            y -= s->rows * s->out;
            x = k > 0 ? y - s->rows * s->in : call.many.x;
            if (s->linear) {
                NAME(linear_gradients)(c, s, &here, x, dz, w.p, g);
                if (k > 0) NAME(linear_backward)(s, &here, dz, w.p, other);
                REAL *was = dz;
                dz = other;
                other = was;
            } else {
                for (unsigned e = here.lane; e < s->rows * s->out; e += here.width)
                    dz[e] *= NAME(map_slope_one)(s->f, (REAL)s->attribute, x[e], y[e]);
            }
            NAME(meet)<WIDE>();
        }
        for (unsigned e = here.lane; !defined && e < c->parameters; e += here.width)
            g[e] = (REAL)NAN;
        NAME(meet)<WIDE>();
        if (call.submitted != NULL) {
            double largest;
            unsigned worst;
            NAME(compare_to)<WIDE>(&here, c->parameters, g, call.submitted + v * c->parameters, &largest, &worst);
            if (here.lane == 0) {
                call.largest[v] = largest;
                call.worst[v] = worst;
            }
        }
    }
}
