/* Threads that work for long give way to those that answer at once. */
#ifndef CORE_BASE_PRIORITY_H
#define CORE_BASE_PRIORITY_H

/* The calling thread gives way from here on: beside others of the process that have something to do it has a small share
 * of a processor. */
void priority_give_way(void);

#endif
