/* What a run of a student's code is at: its events, what became of its statements, and under which plan it runs. */
#ifndef CORE_BACKWARD_STATE_H
#define CORE_BACKWARD_STATE_H

#include "core/backward/known.h"

#define EVENT_NONE ((size_t)-1)
#define STATEMENT_NONE ((size_t)-1)

/* How sure it is what a thing stands for. */
enum aimed {
    AIMED_NOT, /* nobody knows: a helper, or a gradient under another name */
    AIMED_ANY, /* by its name, at one of several versions of a value; or it is a helper all the same */
    AIMED_AT,  /* at one gradient */
};

/* Something is put somewhere. */
struct event {
    size_t statement, execution, part; /* of the code: which, the how-manyth time, and what of it */
    size_t frame;                      /* 0 on the outermost level, else the number of the call */
    size_t slot, before, behind;       /* its place; the events there before it and after it */
    size_t next;                       /* event of the same statement */
    size_t same;                       /* the event before that had the same array; */
    size_t next_view;                  /* that had a view of the same array */
    const char *name;                  /* as the student has it: dW1, nabla_w[0] */
    bool updates;                      /* what was there is in it */
    bool onward;                       /* what a right gradient has become under its name: another value's */
    bool rewrites;                     /* it is read by the one that takes its place: judged only where it is right */
    bool judged;
    bool passing;          /* more of the same follows, and takes its place */
    struct array *entered; /* that it is found by; NULL: it is not yet */
    struct array *array;   /* as it was computed: settled, but where `behind` updates it */
    enum aimed aimed;
    size_t aim;
    const char *of;   /* of AIMED_ANY: the name of the value */
    bool used, zeros; /* it is read; all of it is 0 */
    bool lost;        /* what was to be written into it could not be evaluated */
    bool right;       /* it is a gradient */
    double scale;     /* times that */
};

/* What became of a statement. */
struct outcome {
    size_t first, last; /* its events */
    size_t begun, parts;
    size_t cursor; /* of the run that it is compared with */
    bool executed, poisoned;
    bool emptied;      /* what it put in the place of a gradient is no tensor */
    const char *fault; /* what is wrong with it; NULL: nothing */
    struct spot spot;
    size_t fault_aim;    /* the gradient that it would have made; GRADIENT_NONE */
    size_t fault_caller; /* what called the function that it is in then; STATEMENT_NONE: several did, or none */
};

/* A gradient that comes out wrong though all that goes into it is right. */
struct slip {
    size_t statement, aim;
    double ratio; /* it is so many times the gradient; 0: it is no multiple of it */
    size_t call;  /* the number of the call of the function that it is in; 0: it is in none */
};

enum { SCALES_MAX = 4, PUTS_MAX = 16, SPOILED_MAX = 16 };

/* A value that a statement has changed, and something behind it may read as it was. */
struct spoiled {
    const char *name;
    size_t statement;
    bool own; /* under its name; else under another one of the same array */
};

/* What is done about the code while it runs. */
struct plan {
    const struct run *plain; /* the code as it is; NULL: this is it, and nothing is judged */
    double scales[SCALES_MAX];
    size_t scale_count; /* what gradients on the way may be multiples of */
    double first_scale; /* what such ones are put right as where nothing says otherwise */
    const bool *left;   /* by statement: it makes no gradient, whatever it is called */
    struct {
        size_t statement, execution, aim;
        double scale;
    } puts[PUTS_MAX]; /* helpers that are put right as gradients */
    size_t put_count;
    const struct spoiled *apart[SPOILED_MAX]; /* of the plain run: values that stay as they were there */
    size_t apart_count;
    bool bare; /* nothing is judged or put right, and the first fault is the end */
};

struct run {
    const struct surroundings *surroundings;
    const struct plan *plan;
    struct arena *arena;
    struct error error;
    struct text_reader reader;
    struct syntax syntax;
    struct evaluation evaluation;
    struct graph graph;
    struct observer observer;
    size_t main_frame; /* of the function that was called, as nobody else did; 0: none was */
    bool raised;       /* that came to a raise: it hands nothing back */
    struct event *events;
    size_t count, room;
    struct outcome *outcomes; /* by statement */
    const struct statement **statements;
    struct slip *slips;
    size_t slip_count, slip_room;
    size_t *slots, slot_room;     /* a hash table: the last event of each place */
    struct written_array *arrays; /* a hash table: by array, what wrote it */
    size_t array_room, array_count;
    struct array **given; /* by known value: what stands for it, once it was asked for */
    size_t named;         /* versions of names that it began with */
    struct spoiled spoiled[SPOILED_MAX];
    size_t spoiled_count;
    size_t *callers; /* by number of a call: the statement that made it; STATEMENT_NONE */
    size_t caller_count, caller_room;
    struct level {
        const struct statement *statement;
        double scale; /* of what has been read; 0: nothing was scaled */
        bool failed;
    } * levels;
    size_t level_count, level_room;
    const char **poisoned; /* names that could not be made */
    size_t poisoned_count, poisoned_room;
};

/* CODE_OUT_OF_MEMORY, in the run's error, too. */
static inline int run_no_memory(struct run *run)
{
    return text_no_memory(&run->reader);
}

/* Whether whoever waits for it has given up. */
bool run_is_cancelled(const struct run *run);

/* The statement of the code that made a call; STATEMENT_NONE where none did. */
size_t run_caller(const struct run *run, size_t call);

/* Whether an event is on the outermost level of the code, or in the function that is the student's backward pass. */
bool run_is_main(const struct run *run, const struct event *event);

/* The same of a frame. */
bool run_is_main_frame(const struct run *run, size_t frame);

#endif
