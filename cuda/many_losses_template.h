/* The kernel of backend->losses_of_many, on what many_template.h holds: the losses of many variants of one network.
 * Included by backend.cu alone, in float64. */

struct NAME(losses_call) {
    struct NAME(many) many;
    REAL *parameters;
    const unsigned *at; /* NULL: the network unchanged, whose sides are written down */
    REAL *value;
    signed char *sides;
    unsigned char *edge;
};

template <bool WIDE> KERNEL void NAME(losses_of_many_kernel)(struct NAME(losses_call) call)
{
    const struct fused *c = &call.many.fused;
    const struct NAME(site) here = NAME(site_of)<WIDE>(&call.many);
    for (size_t v = here.first; v < call.many.count; v += here.step) {
        const bool write = call.at == NULL;
        const struct NAME(parameters) w = {call.parameters, write ? FUSED_NONE : call.at[v], write ? 0 : call.value[v]};
        const REAL *x = call.many.x;
        REAL *to = here.memory;
        signed char *sides = call.sides;
        bool crossed = false;
        for (unsigned k = 0; k < c->step_count; k++) {
            const struct fused_step *s = &c->steps[k];
            if (s->linear)
                NAME(linear_forward)(s, &here, &w, x, to);
            else
                for (unsigned e = here.lane; e < s->rows * s->out; e += here.width) {
                    if (s->kinked) NAME(look_at_side)(write, &sides[e], FORMULA_SIDE(x[e], (REAL)s->kink_at), &crossed);
                    to[e] = NAME(map_one)(s->f, (REAL)s->attribute, x[e]);
                }
            if (s->kinked) sides += s->rows * s->out;
            NAME(meet)<WIDE>();
            x = to;
            to = to == here.memory ? here.memory + c->widest : here.memory;
        }
        for (unsigned e = here.lane; c->kinked_error && e < c->batch * c->output; e += here.width)
            NAME(look_at_side)(write, &sides[e], FORMULA_SIDE(x[e], call.many.target[e]), &crossed);
        double sum = NAME(loss_part)(c, &here, x, call.many.target, &crossed),
               squares = NAME(squares_part)(c, &here, &w);
        sum = team_reduce<WIDE, tree_sum>(sum, here.width, here.shared);
        squares = team_reduce<WIDE, tree_sum>(squares, here.width, here.shared);
        double edges = team_reduce<WIDE, tree_max>(crossed ? 1.0 : 0.0, here.width, here.shared);
        if (here.lane == 0) {
            double loss = c->scale * sum + c->l2 / 2 * squares;
            bool finite = loss - loss == 0;
            call.many.losses[v] = loss;
            call.edge[v] = edges > 0 || !finite;
        }
        NAME(meet)<WIDE>();
    }
}
