/* Threads that work for long give way to those that answer at once. */
#ifndef CORE_BASE_PRIORITY_H
#define CORE_BASE_PRIORITY_H

/* The calling thread, and those that it begins, work in short pieces from here on: when one of them has something to
 * do, it need not wait for the end of another's long piece. Where the kernel knows of no such pieces (before Linux
 * 6.12), nothing changes. */
void priority_answer_at_once(void);

/* The calling thread gives way from here on: it is nicer than it was, to whoever else has something to do, and works in
 * pieces of the usual length. */
void priority_give_way(void);

#endif
