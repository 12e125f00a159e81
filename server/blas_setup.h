/* OpenBLAS, told what it does not find out by itself. */
#ifndef SERVER_BLAS_SETUP_H
#define SERVER_BLAS_SETUP_H

/* First thing in main, before any thread. Either returns or starts the program anew with the same arguments.
 */
void blas_setup(char **argv);

#endif
