/* OpenBLAS, told what it does not find out by itself. */
#ifndef SERVER_BLAS_SETUP_H
#define SERVER_BLAS_SETUP_H

#include <stdbool.h>

/* First thing in main, before any thread. Either returns or starts the program anew with the same arguments.
 */
void blas_setup(char **argv);

/* Has it map the buffers that so many threads need which multiply at the same time: later it would ask the system for
 * ever where there is no room. False where there is none now. Once, before such threads are started. */
bool blas_reserve(unsigned threads);

/* Gives back what those buffers have taken of the memory; they stay. To be called when nothing is in flight. */
void blas_settle(void);

#endif
