/* Threads that work for long give way to those that answer at once. */
#ifndef CORE_BASE_PRIORITY_H
#define CORE_BASE_PRIORITY_H

/* The calling thread gives way from here on: it is nicer than it was, to whoever else has something to do. */
void priority_give_way(void);

#endif
