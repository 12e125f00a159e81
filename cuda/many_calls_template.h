/* backend->losses_of_many and passes_of_many: the host's part of what many_losses_template.h and many_passes_template.h
 * compute. In one arithmetic; losses, which are always in float64, where WITH_LOSSES_OF_MANY. Included by backend.cu
 * alone. */

/* What both place on the device. */
static void NAME(many_place)(struct layout *l, const struct fused *fused, const struct crew *crew,
                             struct NAME(many) * many)
{
    many->fused = *fused;
    if (fused->loss == LOSS_cross_entropy) many->fused.loss_attribute = (double)SMALLEST;
    many->need = crew->need;
    many->x = layout_piece<REAL>(l, (size_t)fused->batch * fused->input);
    many->target = layout_piece<REAL>(l, (size_t)fused->batch * fused->output);
    many->losses = layout_piece<double>(l, crew->portion);
    many->global = crew->global > 0 ? layout_piece<REAL>(l, crew->global) : NULL;
}

static int NAME(many_send)(const struct NAME(many) * many, const double *x, const double *target)
{
    const struct fused *s = &many->fused;
    int code = NAME(upload)((size_t)s->batch * s->input, x, many->x);
    return code == CODE_OK ? NAME(upload)((size_t)s->batch * s->output, target, many->target) : code;
}

#ifdef WITH_LOSSES_OF_MANY
static int NAME(losses_of_many)(const struct fused *fused, const double *parameters, const double *x,
                                const double *target, size_t count, const unsigned *at, const double *value,
                                double *losses, bool *edge)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || count == 0) return code;
    const size_t need = 2 * (size_t)fused->widest;
    const struct crew crew = crew_of(fused, need, sizeof(REAL), portion_of(count, fused->work, 0));
    struct NAME(losses_call) call = {};
    unsigned *all_at = NULL;
    void *memory = NULL;
    code = layout_allocate(c, &memory, [&](struct layout *l) {
        NAME(many_place)(l, fused, &crew, &call.many);
        call.parameters = layout_piece<REAL>(l, fused->parameters);
        call.value = layout_piece<REAL>(l, crew.portion);
        all_at = layout_piece<unsigned>(l, crew.portion);
        call.sides = layout_piece<signed char>(l, fused->sides);
        call.edge = layout_piece<unsigned char>(l, crew.portion);
    });
    if (code != CODE_OK) return code;
    code = NAME(many_send)(&call.many, x, target);
    if (code == CODE_OK) code = NAME(upload)(fused->parameters, parameters, call.parameters);

    /* once as it is, for its sides; then the variants */
    auto kernel = crew.wide ? NAME(losses_of_many_kernel)<true> : NAME(losses_of_many_kernel)<false>;
    call.many.count = 1;
    if (code == CODE_OK) code = launch(c->queue, 1, crew.threads, crew.shared, kernel, call);
    call.at = all_at;
    auto evaluate = [&](size_t first, size_t n) {
        call.many.count = n;
        int done = copy_in(c->queue, all_at, at + first, n * sizeof *at);
        if (done == CODE_OK) done = NAME(upload)(n, value + first, call.value);
        if (done == CODE_OK) done = launch(c->queue, crew_blocks(&crew, n), crew.threads, crew.shared, kernel, call);
        if (done == CODE_OK) done = copy_out(c->queue, losses + first, call.many.losses, n * sizeof *losses);
        if (done == CODE_OK) done = copy_out(c->queue, c->staging, call.edge, n);
        if (done == CODE_OK) done = queue_wait(c->queue);
        for (size_t i = 0; done == CODE_OK && i < n; i++)
            edge[first + i] = static_cast<const unsigned char *>(c->staging)[i] != 0;
        return done;
    };
    if (code == CODE_OK) code = in_portions(count, crew.portion, evaluate);
    /* copies from and to the caller's memory and the staging memory may still be on their way */
    if (code != CODE_OK) (void)queue_wait(c->queue);
    context_release(memory);
    return code;
}
#endif

static int NAME(passes_of_many)(const struct fused *fused, size_t count, const double *parameters, const double *x,
                                const double *target, double *losses, double *gradients, const double *submitted,
                                double *largest, unsigned *worst)
{
    struct context *c;
    int code = context_get(&c);
    if (code != CODE_OK || count == 0) return code;
    const size_t each = fused->parameters, need = (size_t)fused->outputs + 2 * (size_t)fused->widest;
    const struct crew crew = crew_of(fused, need, sizeof(REAL), portion_of(count, 3 * fused->work, each));
    struct NAME(passes_call) call = {};
    void *memory = NULL;
    code = layout_allocate(c, &memory, [&](struct layout *l) {
        NAME(many_place)(l, fused, &crew, &call.many);
        call.parameters = layout_piece<REAL>(l, crew.portion * each);
        call.gradients = layout_piece<REAL>(l, crew.portion * each);
        if (submitted == NULL) return;
        call.submitted = layout_piece<REAL>(l, crew.portion * each);
        call.largest = layout_piece<double>(l, crew.portion);
        call.worst = layout_piece<unsigned>(l, crew.portion);
    });
    if (code != CODE_OK) return code;
    code = NAME(many_send)(&call.many, x, target);
    auto kernel = crew.wide ? NAME(passes_of_many_kernel)<true> : NAME(passes_of_many_kernel)<false>;
    auto evaluate = [&](size_t first, size_t n) {
        call.many.count = n;
        int done = NAME(upload)(n * each, parameters + first * each, call.parameters);
        if (done == CODE_OK && submitted != NULL)
            done = NAME(upload)(n * each, submitted + first * each, call.submitted);
        if (done == CODE_OK) done = launch(c->queue, crew_blocks(&crew, n), crew.threads, crew.shared, kernel, call);
        if (done == CODE_OK) done = copy_out(c->queue, losses + first, call.many.losses, n * sizeof *losses);
        if (done == CODE_OK && submitted != NULL)
            done = copy_out(c->queue, largest + first, call.largest, n * sizeof *largest);
        if (done == CODE_OK && submitted != NULL)
            done = copy_out(c->queue, worst + first, call.worst, n * sizeof *worst);
        if (done == CODE_OK) done = queue_wait(c->queue);
        if (done == CODE_OK && gradients != NULL && each > 0)
            done = NAME(download)(n * each, call.gradients, gradients + first * each);
        return done;
    };
    if (code == CODE_OK) code = in_portions(count, crew.portion, evaluate);
    /* copies from and to the caller's memory and the staging memory may still be on their way */
    if (code != CODE_OK) (void)queue_wait(c->queue);
    context_release(memory);
    return code;
}
