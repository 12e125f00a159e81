#include "core/diagnosis/words.h"

#include <stdio.h>
#include <string.h>

#include "core/diagnosis/line_words.h"
#include "core/diagnosis/peers.h"
#include "core/diagnosis/site.h"

enum { TEXT_MAX = 2048 };

/* How the last sentence of a message begins that gives the right formula. */
#define RIGHT_IS " Right is "

/* What the mistake spoils, or the gradients of that. */
static void list_parameters(const struct site *site, bool gradients, char *text)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < site->found->parameter_count && n + SYMBOL_MAX < PHRASE_MAX; i++) {
        char word[SYMBOL_MAX];
        size_t p = site->found->parameters[i];
        if (gradients)
            symbol_of_graded(site->check, p, word);
        else
            snprintf(word, SYMBOL_MAX, "%.80s", site->check->problem.names[p]);
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%s", i > 0 ? ", " : "", word);
    }
}

/* The first `count` of its layers: "layer 3", "layers 3 and 5". */
static void list_layers(const struct found *found, size_t count, char *text)
{
    size_t n = (size_t)snprintf(text, PHRASE_MAX, count > 1 ? "layers " : "layer ");
    for (size_t i = 0; i < count && n + SYMBOL_MAX < PHRASE_MAX; i++)
        n += (size_t)snprintf(text + n, PHRASE_MAX - n, "%s%zu",
                              i == 0          ? ""
                              : i + 1 < count ? ", "
                                              : " and ",
                              found->layers[i]);
}

/* ---- words about the whole ---- */

static void divisor(const struct site *site, char *text)
{
    const struct node *loss = site->check->problem.network->loss;
    enum reduction reduction = (enum reduction)loss->attributes[LOSS_REDUCTION];
    const char *words = reduction == REDUCTION_SUM ? "nothing"
                        : reduction == REDUCTION_BATCHMEAN || loss->op->mean_over_batch
                            ? "the number of samples"
                            : "the number of elements of the output";
    snprintf(text, PHRASE_MAX, "%s", words);
}

/* What goes into the last activation, or is the output where the last layer is none. */
static const struct value *logits(const struct network *network)
{
    const struct node *last = network->output->made_by;
    return last->op->kind == OP_ACTIVATION ? last->inputs[0] : network->output;
}

/* What is computed next on the way back from a step: the gradients of the layer below, or what goes on from there. */
static void onward(const struct site *site, char *text)
{
    bool product = false, summed = false, any = site_has_parameters(site->weighted);
    for (size_t k = 0; k < site->weighted->input_count; k++) {
        const struct slot *slot = op_slot(site->weighted->op, k);
        product = product || (slot->product && site->weighted->inputs[k] != NULL);
        summed = summed || (slot->summed && site->weighted->inputs[k] != NULL);
    }
    snprintf(text, PHRASE_MAX, "%s of layer %zu",
             product && summed ? "the weights and the bias"
             : product         ? "the weights"
             : any             ? "the parameters"
                               : "the input",
             site->weighted->place.layer);
}

size_t words_other(const struct check *check, const struct found *found)
{
    const struct network *network = check->problem.network;
    const struct mistake *mistake = found->mistake;
    if (network->program != NULL || mistake->per_peer == 0 || found->layer_count == 0 || found->layers[0] == LAYER_LOSS)
        return LAYER_LOSS;
    if ((mistake->without_peer >> found->variant % mistake->per_peer & 1) != 0) return LAYER_LOSS;
    const struct node *node = network->layers[found->layers[0]];
    const struct node *other = peer_of(&network->graph, node, found->variant / found->mistake->per_peer);
    return other != NULL ? other->place.layer : LAYER_LOSS;
}

/* What the loss adds for the parameters that the mistake spoils, or the gradient of that: of one parameter with its
 * name.
 */
static void penalty(const struct site *site, bool gradient, char *text)
{
    const struct found *found = site->found;
    const char *W = found->parameter_count == 1 ? site->check->problem.names[found->parameters[0]] : "W";
    bool l2 = false, l1 = false, same = true;
    for (size_t i = 0; i < found->parameter_count; i++) {
        const struct graded *graded = &site->check->problem.network->graded[found->parameters[i]];
        same = same && (i == 0 || (l2 == (graded->l2 > 0) && l1 == (graded->l1 > 0)));
        l2 = l2 || graded->l2 > 0;
        l1 = l1 || graded->l1 > 0;
    }
    int n = 0;
    if (!same) {
        snprintf(text, PHRASE_MAX, gradient ? "what l2 and l1 give for each" : "of l2 or l1 for each");
        return;
    }
    if (l2 || !l1) n = snprintf(text, PHRASE_MAX, gradient ? "l2 * %.80s" : "l2/2 * sum(%.80s**2)", W);
    if (l2 && l1) n += snprintf(text + n, PHRASE_MAX - (size_t)n, " + ");
    if (l1) snprintf(text + n, PHRASE_MAX - (size_t)n, gradient ? "l1 * sign(%.80s)" : "l1 * sum(|%.80s|)", W);
}

static void word_for(const struct site *site, const char *key, char *text)
{
    const struct network *network = site->check->problem.network;
    const struct found *found = site->found;
    text[0] = '\0';
    if (network->program != NULL) {
        line_words_word(site->check, found, key, text);
        return;
    }
    if (site_formula(site, key, text) || site_parameter_word(site, key, text)) return;
    if (strcmp(key, "z_last") == 0)
        symbol_of(site->check, logits(network), false, text);
    else if (strcmp(key, "f") == 0)
        snprintf(text, PHRASE_MAX, "%s", site->activation->op->name);
    else if (strcmp(key, "f_last") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->output->made_by->op->name);
    else if (strcmp(key, "loss") == 0)
        snprintf(text, PHRASE_MAX, "%s", network->loss->op->name);
    else if (strcmp(key, "reduction") == 0)
        snprintf(text, PHRASE_MAX, "%s", reduction_names[(size_t)network->loss->attributes[LOSS_REDUCTION]]);
    else if (strcmp(key, "divisor") == 0)
        divisor(site, text);
    else if (strcmp(key, "undivided") == 0)
        snprintf(text, PHRASE_MAX, "%s",
                 found->factor == (double)network->batch ? "the number of samples"
                                                         : "the number of elements of the output");
    else if (strcmp(key, "layer") == 0)
        snprintf(text, PHRASE_MAX, "%zu", site->node->place.layer);
    else if (strcmp(key, "onward") == 0)
        onward(site, text);
    else if (strcmp(key, "weighted") == 0)
        snprintf(text, PHRASE_MAX, "%zu", site->weighted->place.layer);
    else if (strcmp(key, "still") == 0 && network->output->made_by->op->kind == OP_ACTIVATION)
        snprintf(text, PHRASE_MAX, ", and the derivative of %s is still to come", network->output->made_by->op->name);
    else if (strcmp(key, "factor") == 0)
        snprintf(text, PHRASE_MAX, "%.8g", found->factor);
    else if (strcmp(key, "detail") == 0 && found->has_factor)
        snprintf(text, PHRASE_MAX, " (with %.8g for its slope or alpha)", found->factor);
    else if (strcmp(key, "penalty") == 0 || strcmp(key, "penalty_term") == 0)
        penalty(site, key[strlen("penalty")] == '\0', text);
    else if (strcmp(key, "scale") == 0)
        snprintf(text, PHRASE_MAX, "%.8g", network->loss->attributes[LOSS_SCALE]);
    else if (strcmp(key, "sample") == 0)
        snprintf(text, PHRASE_MAX, "%zu", found->sample);
    else if (strcmp(key, "printed") == 0 && found->printed.decimals > 0)
        snprintf(text, PHRASE_MAX, "%d decimals", found->printed.decimals);
    else if (strcmp(key, "printed") == 0)
        snprintf(text, PHRASE_MAX, "%d significant digits", found->printed.digits);
    else if (strcmp(key, "how") == 0)
        snprintf(text, PHRASE_MAX, "%s", found->by_norm ? "by their global norm" : "by value");
    else if (strcmp(key, "forward_name") == 0)
        snprintf(text, PHRASE_MAX, "%.200s", found->name != NULL ? found->name : "what the loss makes of its input");
    else if (strcmp(key, "looks_like") == 0 && found->looks_like != NULL)
        snprintf(text, PHRASE_MAX, ": it looks like %s", found->looks_like);
    else if (strcmp(key, "value") == 0 && found->below == NULL)
        list_parameters(site, false, text);
    else if (strcmp(key, "value") == 0)
        symbol_in_words(site->check, found->below, text);
    else if (strcmp(key, "through") == 0)
        list_layers(found, found->layer_count, text);
    else if (strcmp(key, "others") == 0 && found->layer_count > 1)
        list_layers(found, found->layer_count - 1, text);
    else if (strcmp(key, "of_other") == 0 && words_other(site->check, found) != LAYER_LOSS)
        snprintf(text, PHRASE_MAX, " of layer %zu", words_other(site->check, found));
    else if (strcmp(key, "used") == 0 && found->mistake->variant_words != NULL)
        snprintf(text, PHRASE_MAX, "%s", found->mistake->variant_words(found->variant));
    else if (strcmp(key, "parameter") == 0 || strcmp(key, "parameters") == 0)
        list_parameters(site, key[strlen(key) - 1] == 's', text);
}

/* Whether it makes a multiple of the right gradient, and nothing else. */
static bool is_factor(const struct mistake *mistake)
{
    return mistake->factor != NULL || mistake->or_constant || mistake == &mistake_learning_rate_applied ||
           mistake == &mistake_velocity || mistake == &mistake_constant_factor;
}

/* A factor on single tensors is not one on the loss and all below it; and where another mistake is made, too, a tensor
 * is a multiple of what that leaves. */
static const char *message_of_tensors(const struct found *found)
{
    if (found->others_reach) return "{parameters}: {factor} times what the rest of the backward pass comes to.";
    return found->right_below ? "{parameters}: {factor} times the right gradient, while what lies below is right."
                              : "{parameters}: {factor} times the right gradient.";
}

/* The template of what was done: the mistake's message, or that of a factor on single tensors. */
static const char *message_of(const struct found *found)
{
    static const char of_l2[] = "{parameters}: the part of the regularization is {factor} times what it should be. Its"
                                " gradient is {penalty}.";
    static const char but_l2[] = "{parameters}: {factor} times what it should be, but for the part of the"
                                 " regularization, {penalty}, which is right.";
    static const char rest_but_l2[] =
        "{parameters}: {factor} times what the rest of the backward pass comes to, but for"
        " the part of the regularization, {penalty}, which is right.";
    static const char nothing_but_l2[] =
        "{parameters}: there is nothing but the part of the regularization, {penalty}.";
    static const char at_loss[] = "The gradient of the loss is multiplied by {factor}.";
    static const char all[] = "All gradients are {factor} times the right ones.";
    static const char sent[] = "What comes back through {through} is {factor} times what it should be.";
    static const char nothing[] =
        "Nothing comes back through {through} to {value}: each input of a layer has a gradient"
        " of its own.";
    static const char turned[] = "{parameters}: transposed.";
    static const char moved[] = "{parameters}: its numbers are in the wrong places. It was reshaped where it should"
                                " have been transposed, or flattened column by column.";
    const struct mistake *mistake = found->mistake;
    if (found->of_l2) return of_l2;
    if (found->but_l2 && mistake == &mistake_all_zero) return nothing_but_l2;
    if (found->but_l2) return found->others_reach ? rest_but_l2 : but_l2;
    if (found->sent) return sent;
    if (mistake == &mistake_contribution_missing && found->below != NULL && found->below->use_count == 1)
        return nothing;
    if (found->of_data && mistake == &mistake_transposed) return turned;
    if (found->of_data && mistake == &mistake_wrong_memory_order) return moved;
    if (found->of_tensors && is_factor(mistake)) return message_of_tensors(found);
    if (mistake == &mistake_constant_factor && found->at_loss) return found->with_l2 ? all : at_loss;
    return mistake->message;
}

/* Whether a message ends with the right formula of a parameter's gradient where that is none: of a parameter that
 * several layers use it is one part of a sum, and for columns of more than two axes there is no such product. */
static bool says_too_much(const struct site *site, const char *message)
{
    bool weight = strstr(message, "{weight}") != NULL, bias = strstr(message, "{bias}") != NULL;
    if (!weight && !bias) return false;
    const struct network *network = site->check->problem.network;
    size_t p = site_parameter(site, weight ? "W" : "b");
    bool shared = p < network->graded_count && network->graded[p].value->use_count > 1;
    return shared || (site->check->problem.convention == CONVENTION_COLUMNS && site->weighted->output->shape.rank > 2);
}

/* That of a program, with its line in front. */
static void write_message_of_line(const struct site *site, char template[TEXT_MAX])
{
    const struct found *found = site->found;
    const char *message = line_words_template(found);
    if (message == NULL) message = found->mistake->message;
    if (!line_words_has_all(site->check, found, message)) message = found->mistake->summary;
    const char *place = found->layer_count == 0  ? ""
                        : found->layer_count > 1 ? "In {lines}: "
                                                 : "Line {line} ({source}): ";
    snprintf(template, TEXT_MAX, "%s%s", place, message);
}

/* That template, without what is not true at the place. */
static void write_message(const struct site *site, char template[TEXT_MAX])
{
    if (site->check->problem.network->program != NULL) {
        write_message_of_line(site, template);
        return;
    }
    const char *message = message_of(site->found), *right = strstr(message, RIGHT_IS);
    size_t n = right != NULL && says_too_much(site, right) ? (size_t)(right - message) : strlen(message);
    snprintf(template, TEXT_MAX, "%.*s", (int)n, message);
}

/* Whether a message is about one place of several, and not about a list of tensors or the whole. */
static bool is_of_one_place(const struct found *found, const char *template)
{
    enum step step = found->mistake->step;
    if (found->made_at != NULL) return false;
    bool list = strstr(template, "{parameter") != NULL || strstr(template, "{through}") != NULL;
    return found->layer_count > 1 && !list && step != STEP_FINISHED && step != STEP_CONSUMER;
}

const char *words_told(struct arena *arena, const struct check *check, const struct found *found)
{
    const struct site site = site_of(check, found);
    char template[TEXT_MAX], text[TEXT_MAX + PHRASE_MAX];
    write_message(&site, template);
    bool alone =
        found->made_at == NULL && found->of_tensors && found->mistake->step == STEP_INPUT && !is_factor(found->mistake);
    snprintf(text, sizeof text, "%s%s%s", alone ? "For {parameters} alone: " : "", template,
             is_of_one_place(found, template) ? " The same at {others}." : "");
    return words_text(arena, check, found, text);
}

/* The next word in braces of a template; NULL where there is none. */
static const char *next_key(const char *template, char key[SYMBOL_MAX])
{
    const char *at = strchr(template, '{');
    size_t length = at != NULL ? strcspn(at + 1, "}") : 0;
    if (at == NULL || length >= SYMBOL_MAX) return NULL;
    memcpy(key, at + 1, length);
    key[length] = '\0';
    return at + 1 + length;
}

size_t words_list(const struct check *check, const struct found *found, struct word words[WORDS_MAX])
{
    struct site site = site_of(check, found);
    size_t count = 0;
    char template[TEXT_MAX];
    write_message(&site, template);
    const char *at = template;
    while (count < WORDS_MAX && (at = next_key(at, words[count].key)) != NULL) {
        bool listed = false;
        for (size_t i = 0; i < count; i++)
            listed = listed || strcmp(words[i].key, words[count].key) == 0;
        word_for(&site, words[count].key, words[count].text);
        count += !listed && words[count].text[0] != '\0';
    }
    return count;
}

const char *words_text(struct arena *arena, const struct check *check, const struct found *found, const char *template)
{
    struct site site = site_of(check, found);
    char text[TEXT_MAX], key[SYMBOL_MAX], word[PHRASE_MAX];
    size_t n = 0;
    for (const char *at = template; *at != '\0' && n + PHRASE_MAX < TEXT_MAX; at++) {
        size_t length = *at == '{' ? strcspn(at + 1, "}") : 0;
        if (*at != '{' || length >= SYMBOL_MAX) {
            text[n++] = *at;
            continue;
        }
        memcpy(key, at + 1, length);
        key[length] = '\0';
        word_for(&site, key, word);
        size_t word_length = strlen(word);
        memcpy(text + n, word, word_length);
        n += word_length;
        at += length + 1;
    }
    return arena_text(arena, text, n);
}
