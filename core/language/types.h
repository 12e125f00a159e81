/* Types of numbers as programs ask for them: dtype=bool, np.zeros(3, int), x.astype("float64"). */
#ifndef CORE_LANGUAGE_TYPES_H
#define CORE_LANGUAGE_TYPES_H

#include "core/language/arrays.h"

/* Whether a name is one of a type, NumPy's, PyTorch's or Python's; which it is then. All floats are one, and so are all
 * integers. */
bool type_named(const char *name, enum number_type *type);

/* Whether a thing stands for a type: its name as a string or an attribute of a module, or float, int, bool. */
bool type_of_thing(const struct thing *thing, enum number_type *type);

/* The type that a dtype= asks for; the fallback where there is none. CODE_PROGRAM_ERROR where it is no type. */
int type_asked(struct evaluation *e, const struct thing *thing, enum number_type fallback, enum number_type *type);

/* An array's numbers as others of a type: whole numbers towards 0, or a mask of what is not 0. What is written into
 * such an array becomes so, too. */
int type_cast(struct evaluation *e, struct array *x, enum number_type type, struct array **y);

#endif
